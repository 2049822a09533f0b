from pathlib import Path

import pytest

import telephony.simulator.people as people_module
from telephony.simulator.faults import Faults
from telephony.simulator.people import (
    AfterPause,
    AfterSilence,
    At,
    HangUp,
    Line,
    Outcome,
    Over,
    PeopleFileError,
    Press,
    Say,
    Sound,
    load,
    parse,
)

FULL = """
[faults]
doubled = true

[[people]]
number = "(614) 555-0101"
name = "Dana"
voice = "female"
ring = 1.5
attempts = ["busy", "answers"]
lines = [
  { at = 0.4, say = "Hello?" },
  { after_silence = 0.7, say = "Yes." },
  { over = 1.2, say = "Wait." },
  { pause = 0.8, press = "9#" },
  { pause = 0.1, sound = "cough" },
  { after_silence = 0.7, say = "Bye.", attempt = 2 },
  { after_silence = 1.0, hang_up = true },
]
echo = { gain = -20.0 }
noise = -50.0
[people.faults]
lost = ["completed"]
[[people.calls]]
to = "+16145550100"
at = 5.0
lines = [ { at = 0.5, say = "Hi." }, { at = 1.0, say = "Yes." } ]

[[people]]
number = "sip:closer@example.com"
greeting = "Leave a message."
"""


def code_of(text):
    with pytest.raises(PeopleFileError) as caught:
        parse(text)
    return caught.value.code


def test_a_whole_file():
    people = parse(FULL)
    dana, closer = people.people
    assert dana.number == "+16145550101"
    assert dana.lines == (
        Line(At(0.4), Say("Hello?")),
        Line(AfterSilence(0.7), Say("Yes.")),
        Line(Over(1.2), Say("Wait.")),
        Line(AfterPause(0.8), Press("9#")),
        Line(AfterPause(0.1), Sound("cough")),
        Line(AfterSilence(0.7), Say("Bye."), 2),
        Line(AfterSilence(1.0), HangUp()),
    )
    assert dana.echo is not None
    assert (dana.echo.gain, dana.echo.delay) == (-20.0, 0.2)
    assert dana.calls[0].to == "+16145550100"
    assert dana.all_texts() == ("Hello?", "Yes.", "Wait.", "Bye.", "Hi.")
    assert closer.all_texts() == ("Leave a message.",)
    assert dana.faults.over(people.faults) == Faults(doubled=True, lost=("completed",))


def test_outcomes_and_lines_by_attempt():
    dana = parse(FULL).people[0]
    assert [dana.outcome(n) for n in (1, 2, 3)] == [Outcome.BUSY, Outcome.ANSWERS, Outcome.ANSWERS]
    assert len(dana.lines_of(1)) == 6
    assert len(dana.lines_of(2)) == 7


def test_finding_people():
    people = parse(FULL)
    assert people.find("+16145550101") is people.people[0]
    assert people.find("sip:closer@example.com;transport=tcp?x=1") is people.people[1]
    assert people.find("+16145550199") is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("[[people", "not_toml"),
        ("", "bad_field"),
        ('[[people]]\nnumber = "+16145550101"\nmood = "bad"', "bad_field"),
        ('[[people]]\nnumber = "+16145550101"\nattempts = ["maybe"]', "bad_field"),
        ('[[people]]\nnumber = "+16145550101"\nattempts = []', "bad_field"),
        ('[[people]]\nnumber = "dana"', "bad_number"),
        ('[[people]]\nnumber = "+16145550101"\ncalls = [{to = "x"}]', "bad_number"),
        ('[[people]]\nnumber = "+16145550101"\n[[people]]\nnumber = "614 555 0101"', "twice"),
        ('[[people]]\nnumber = "+16145550101"\nlines = [{say = "Hi"}]', "bad_line"),
        ('[[people]]\nnumber = "+16145550101"\nlines = [{at = 1, over = 1, say = "Hi"}]', "bad_line"),
        ('[[people]]\nnumber = "+16145550101"\nlines = [{at = -1, say = "Hi"}]', "bad_line"),
        ('[[people]]\nnumber = "+16145550101"\nlines = [{at = 1}]', "bad_line"),
        ('[[people]]\nnumber = "+16145550101"\nlines = [{at = 1, say = "Hi", press = "1"}]', "bad_line"),
        ('[[people]]\nnumber = "+16145550101"\nlines = [{at = 1, press = "x"}]', "bad_line"),
        ('[[people]]\nnumber = "+16145550101"\nlines = [{at = 1, sound = "burp"}]', "bad_line"),
    ],
)
def test_files_that_cannot_be_used(text, code):
    assert code_of(text) == code


def test_the_example_file_can_be_used():
    example = Path(people_module.__file__).parent / "people.example.toml"
    assert len(load(example).people) >= 4
