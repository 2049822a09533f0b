"""The page: whole in itself, safe whatever was said, small, and complete without its script."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from voice.drawing.pack import pack
from voice.drawing.page import page
from voice.drawing.recording import listen
from voice.drawing.story import BargeIn, Difference, Turn
from voice.drawing.telling import tell

NASTY = '</script><img src=x onerror=alert(1)>&"\u2028'


class Reader(HTMLParser):
    """Collects elements, attributes and the texts of scripts."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self._is_script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._is_script = tag == "script"
        if self._is_script:
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        self._is_script = False

    def handle_data(self, data: str) -> None:
        if self._is_script:
            self.scripts[-1] += data


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    return reader


def test_nothing_comes_from_elsewhere(barged, recorded):
    html = page(barged.story, listen(recorded, barged.story), audio="CA1.wav")
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", html)
    for tag, attributes in read(html).tags:
        assert tag not in ("link", "iframe", "img", "object")
        assert not (attributes.get("src") or "").startswith("//")


def test_only_the_pages_own_script_may_run(barged):
    reader = read(page(barged.story))
    policy = next(attrs["content"] for tag, attrs in reader.tags if attrs.get("http-equiv") == "Content-Security-Policy")
    digest = base64.b64encode(hashlib.sha256(reader.scripts[-1].encode()).digest()).decode()
    assert f"'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy


def test_what_was_said_cannot_leave_its_place(barged):
    turn = Turn("caller", NASTY, 1.0, 2.0, 2.5, why=NASTY, thrown_away=NASTY)
    story = replace(
        barged.story,
        turns=(turn,),
        facts=replace(barged.story.facts, call=NASTY, detail=NASTY),
        differences=(Difference(1.0, NASTY, (NASTY,), (NASTY,)),),
    )
    reader = read(page(story, audio='"><b>'))
    assert not [tag for tag, _ in reader.tags if tag in ("img", "b")]
    assert len(reader.scripts) == 2
    assert json.loads(reader.scripts[0])["turns"][0]["text"] == NASTY


def test_the_table_needs_no_script(barged, recorded):
    html = page(barged.story, listen(recorded, barged.story))
    assert html.count("<tr") > 8
    assert "no thank you very much" in html
    assert "thrown away, never heard" in html
    assert "agrees" in html
    assert "1 of them" not in html


def test_the_head_says_whether_the_decisions_are_the_same(barged):
    assert "the same decisions" in page(barged.story)
    text = barged.journal.read_text().replace('"text":"no thank you very much"', '"text":"stop calling me"')
    barged.journal.write_text(text)
    html = page(tell(barged.journal))
    assert "decided otherwise" in html
    assert "Then and now" in html
    assert 'data-do="difference"' in html


def test_many_differences_are_cut_short(barged):
    many = [Difference(float(number), "x", ("a",), ("b",)) for number in range(250)]
    html = page(replace(barged.story, differences=(Difference(9.0, "x", (), (), "KeyError"), *many)))
    assert "and 51 more" in html
    assert "cannot be taken: KeyError" in html


def test_a_call_in_which_nothing_happened(barged):
    story = replace(barged.story, turns=(), segments=(), windows=(), barge_ins=(), decisions=(), understood=(), spans=())
    assert "Nobody said anything" in page(story)


def test_many_barge_ins_are_summed_up(barged):
    stops = tuple(BargeIn(float(number), number + 0.2, "voice") for number in range(5))
    assert "5, stopped after 200 ms median, 200 ms longest" in page(replace(barged.story, barge_ins=stops))


def test_turns_tell_what_became_of_them(barged):
    turns = (
        Turn("caller", "", 1.0, 2.0, 2.5),
        Turn("caller", "a", 3.0, 4.0, 4.5, is_taken_back=True),
        Turn("caller", "mhm", 5.0, 6.0, 6.5, is_over_us=True),
    )
    html = page(replace(barged.story, turns=turns))
    for told in ("no words understood", "the caller went on", "said while we spoke"):
        assert told in html


def test_slow_gaps_are_marked(barged):
    turn = next(turn for turn in barged.story.turns if turn.gap is not None)
    assert turn.gap is not None
    slow = replace(turn, gap=replace(turn.gap, ended=turn.gap.began + 2.0))
    assert '<td class="n slow">2000 ms</td>' in page(replace(barged.story, turns=(slow,)))


@pytest.mark.parametrize("view", [None, (1.0, 2.0)])
def test_the_script_gets_everything(barged, recorded, view):
    packed = json.loads(pack(barged.story, listen(recorded, barged.story), view))
    assert packed["view"] == (None if view is None else [1000, 2000])
    assert len(packed["turns"]) == len(barged.story.turns)
    (run,) = packed["windows"]
    assert len(base64.b64decode(run["speech"])) == len(barged.story.windows[0].speech)
    assert run["echo"] == ""
    assert packed["recording"]["gaps"]
    echoing = replace(barged.story, windows=(replace(barged.story.windows[0], echo=(1.0,)),))
    assert json.loads(pack(echoing, None, view))["windows"][0]["echo"]


def test_three_minutes_stay_small(barged, recorded):
    """The dense parts grow with time, the rest with talk: both are taken eighteen times."""
    story, recording = barged.story, listen(recorded, barged.story)
    times = round(180 / story.length)
    long = replace(
        story,
        windows=story.windows * times,
        segments=story.segments * times,
        decisions=story.decisions * times,
        spans=story.spans * times,
        turns=story.turns * times,
        understood=story.understood * times,
        endings=story.endings * times,
    )
    whole = replace(recording, said=recording.said.repeat(times), heard=recording.heard.repeat(times))
    assert len(page(long, whole).encode()) < 500_000
