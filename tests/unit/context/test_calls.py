from dataclasses import replace


def test_talked_is_from_the_answer_to_the_end(record, at):
    call = record().call
    assert call.talked == 72.0
    assert replace(call, answered_at=None).talked == 0.0
    assert replace(call, ended_at=None).talked == 0.0
    assert replace(call, ended_at=at(-5)).talked == 0.0  # carriers' clocks
