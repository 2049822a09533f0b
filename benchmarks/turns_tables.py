"""The tables of turn-taking: one measured subject, the targets, what the leading open engines reach on the same cases."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from benchmarks.turns_score import BargeScore, Case, LineScore, PauseScore, Scores, TurnScore

CONDITIONS: Final = ("clean", "snr20", "snr10", "snr5", "gsm", "loss", "low36", "low42")
TALKERS: Final = ("babble", "crowd", "talk", "voices")  # in the names of noises that are people talking
HEADLINE: Final = (
    "subject",
    "endpoint delay p50/p95 ms",
    "end missed",
    "cut-off per inserted pause",
    "interruption detected",
    "detect delay p50/p95 ms",
    "false: backchannel",
    "false: cough, laugh, breath, bursts",
    "false: echo -20..-35 dB",
    "false: TV talk",
    "false: steady noise, music, DTMF",
    "false turns/min on noise, tones, music",
)

# pipecat-ai 1.14.0 and livekit-agents 1.8.9, set up as their documentation says, on the same 658 cases (November 2026).
PEERS: Final = (
    ("webrtc-m3-stop0.8", "822 / 2606", "13.4%", "29.4%", "73.6%", "211 / 414", "100%", "97%", "54%", "17%", "75%", "5.01"),
    ("pipecat-vad-stop0.2", "266 / 397", "4.7%", "87.5%", "86.0%", "295 / 453", "97%", "10%", "62%", "67%", "20%", "1.09"),
    ("pipecat-vad-stop0.8", "869 / 1027", "5.0%", "36.2%", "86.0%", "295 / 453", "97%", "10%", "62%", "67%", "20%", "0.51"),
    (
        "pipecat-smart-turn-v3.2",
        "281 / 3277",
        "5.0%",
        "54.4%",
        "86.0%",
        "295 / 453",
        "97%",
        "10%",
        "62%",
        "67%",
        "20%",
        "1.09",
    ),
    ("livekit-silero-vad", "675 / 995", "5.3%", "48.1%", "81.8%", "585 / 681", "97%", "15%", "100%", "83%", "10%", "0.44"),
    ("livekit-1.8-default", "400 / 2649", "4.7%", "40.6%", "81.8%", "576 / 679", "94%", "5%", "100%", "83%", "10%", "0.51"),
)


def percent(part: int, whole: int) -> str:
    """A share, with a decimal once the sample carries one."""
    if not whole:
        return "-"
    return f"{100 * part / whole:.1f}%" if whole >= 100 else f"{100 * part / whole:.0f}%"


def percentile(values: Sequence[float], q: float) -> float:
    """The q-th percentile (linear between neighbours), or NaN of nothing."""
    return float(np.percentile(np.asarray(values, dtype=np.float64), q)) if values else float("nan")


def delays(values: Sequence[float]) -> str:
    if not values:
        return "- / -"
    return f"{percentile(values, 50):.0f} / {percentile(values, 95):.0f}"


def is_talk(case: Case) -> bool:
    """Whether people talk in the background of this case."""
    return any(word in case.noise for word in TALKERS)


def markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


@dataclass(frozen=True, slots=True)
class TurnsView:
    """The end-of-turn scores of some cases, and what the tables ask of them."""

    scores: tuple[tuple[Case, TurnScore], ...]

    @property
    def delays(self) -> list[float]:
        return [score.delay for _, score in self.scores if score.delay is not None]

    @property
    def scored(self) -> int:
        return sum(case.is_end_scored for case, _ in self.scores)

    @property
    def missed(self) -> int:
        return self.scored - len(self.delays)

    @property
    def slow(self) -> int:
        return sum(delay > 1500 for delay in self.delays)

    def pauses(self, kind: str = "", at_least: int = 0) -> list[PauseScore]:
        every = [pause for _, score in self.scores for pause in score.pauses]
        return [pause for pause in every if kind in ("", pause.kind) and pause.length >= at_least]


def cut(pauses: Sequence[PauseScore]) -> str:
    return percent(sum(pause.is_cut for pause in pauses), len(pauses))


class Report:
    """All tables over one subject's scores."""

    def __init__(self, name: str, cases: Sequence[Case], scores: Scores) -> None:
        self.name = name
        self.cases = tuple(cases)
        self.scores = scores

    def turns(self, keep: Callable[[Case], bool]) -> TurnsView:
        rows = [case for case in self.cases if case.group == "eot" and keep(case)]
        return TurnsView(tuple((case, self.scores.turns[case.id]) for case in rows))

    def interruptions(self, keep: Callable[[Case], bool]) -> list[BargeScore]:
        rows = [case for case in self.cases if case.group == "barge" and case.is_interruption and keep(case)]
        return [self.scores.barges[case.id] for case in rows]

    def quiet_barges(self, keep: Callable[[Case], bool]) -> list[BargeScore]:
        rows = [case for case in self.cases if case.group == "barge" and not case.is_interruption and keep(case)]
        return [self.scores.barges[case.id] for case in rows]

    def lines(self, *subs: str) -> list[tuple[Case, LineScore]]:
        rows = [case for case in self.cases if case.group == "line" and case.sub in subs]
        return [(case, self.scores.lines[case.id]) for case in rows]

    def text(self) -> str:
        """Every table, as markdown."""
        parts = [
            ("Against the targets", self.targets()),
            ("Beside the leading open engines, same cases", markdown(HEADLINE, [*PEERS, self.headline()])),
            ("End of turn by condition: delay p50 / p95 ms, missed, pauses cut", self.by_condition()),
            ("Pauses cut, by length", self.by_length()),
            ("Interruptions by condition: detected, delay p50 / p95 ms", self.interruptions_by_condition()),
            ("False stops; lower voices and pauses that were taken back, which are none", self.false_stops()),
            ("Noise by kind: ends, pauses cut, interruptions", self.by_noise()),
            ("Line: false turns and speech starts a minute; voicemail", self.line()),
        ]
        return "\n".join(f"### {title}\n\n{table}" for title, table in parts)

    def headline(self) -> tuple[str, ...]:
        turns = self.turns(lambda case: case.sub in ("final", "pause", "short"))
        inserted = self.turns(lambda case: case.sub == "pause").pauses("inserted")
        barges = self.interruptions(lambda case: True)
        found = [barge.delay for barge in barges if barge.delay is not None]
        minutes = sum(case.duration for case, _ in self.noise_lines()) / 60000
        false_turns = sum(score.turns for _, score in self.noise_lines())
        return (
            self.name,
            delays(turns.delays),
            percent(turns.missed, turns.scored),
            cut(inserted),
            percent(len(found), len(barges)),
            delays(found),
            self.false("backchannel"),
            self.false("cough", "sneeze", "laugh", "breath", "noise"),
            self.false("echo"),
            self.false("tv"),
            self.false("noisebed", "music", "dtmf"),
            f"{false_turns / minutes:.2f}" if minutes else "-",
        )

    def noise_lines(self) -> list[tuple[Case, LineScore]]:
        return self.lines("silence", "noise", "music", "tones", "breath")

    def false(self, *subs: str) -> str:
        rows = self.quiet_barges(lambda case: case.sub in subs)
        return percent(sum(row.is_false for row in rows), len(rows))

    def targets(self) -> str:
        """The figures this engine wants to reach, and those it reaches."""
        turns = self.turns(lambda case: case.sub in ("final", "pause", "short"))
        inserted = self.turns(lambda case: case.sub == "pause").pauses("inserted")
        own = self.turns(lambda case: case.sub == "final").pauses("", 250)
        plain = self.interruptions(lambda case: case.condition in ("clean", "gsm", "loss", "low36"))
        found = [barge.delay for barge in plain if barge.delay is not None]
        talk = self.interruptions(is_talk)
        talk_found = [barge for barge in talk if barge.delay is not None]
        talk_ends = self.turns(is_talk)
        rows = (
            ("endpoint delay p50 ms", "<= 400", f"{percentile(turns.delays, 50):.0f}"),
            ("endpoint delay p95 ms", "<= 1200", f"{percentile(turns.delays, 95):.0f}"),
            ("inserted pauses cut", "<= 30%", cut(inserted)),
            ("readers' own pauses (>= 250 ms) cut", "<= 10%", cut(own)),
            ("turns waiting over 1.5 s", "<= 3%", percent(turns.slow, turns.scored)),
            ("interruptions detected (clean, gsm, loss, low)", ">= 98%", percent(len(found), len(plain))),
            ("detect delay p50 ms", "<= 300", f"{percentile(found, 50):.0f}"),
            ("detect delay p95 ms", "<= 500", f"{percentile(found, 95):.0f}"),
            ("false stops: backchannels", "<= 30%", self.false("backchannel")),
            ("false stops: bursts", "<= 5%", self.false("cough", "sneeze", "laugh", "breath", "noise")),
            ("false stops: echo -20..-35 dB", "<= 2%", self.false("echo")),
            ("false stops: TV", "<= 30%", self.false("tv")),
            ("interruptions over background talk", ">= 80%", percent(len(talk_found), len(talk))),
            ("ends missed over background talk", "<= 10%", percent(talk_ends.missed, talk_ends.scored)),
        )
        return markdown(("figure", "target", self.name), rows)

    def by_condition(self) -> str:
        rows = []
        for condition in CONDITIONS:
            view = self.turns(lambda c, k=condition: c.condition == k and c.sub in ("final", "pause", "short"))  # type: ignore[misc]
            rows.append(
                (
                    f"{condition} ({view.scored})",
                    delays(view.delays),
                    str(view.missed),
                    str(view.slow),
                    cut(view.pauses("inserted")),
                    cut(view.pauses("natural", 250)),
                    str(sum(score.in_speech > 0 for _, score in view.scores)),
                )
            )
        header = ("condition", "delay", "missed", "over 1.5 s", "inserted cut", "natural cut", "cut in speech")
        return markdown(header, rows)

    def by_length(self) -> str:
        pauses = self.turns(lambda case: case.sub == "pause").pauses("inserted")
        rows = []
        for length in (300, 500, 700, 1000, 1500):
            near = [pause for pause in pauses if abs(pause.length - length) < 60]
            rows.append((f"inserted {length} ms ({len(near)})", cut(near)))
        for title, sub in (("reader's own", "final"), ("spontaneous", "natural"), ("between digits", "digits")):
            wide = self.turns(lambda case, k=sub: case.sub == k).pauses("", 250)  # type: ignore[misc]
            rows.append((f"{title}, 250 ms and more ({len(wide)})", cut(wide)))
        return markdown(("pause", "cut"), rows)

    def interruptions_by_condition(self) -> str:
        rows = []
        for condition in (*CONDITIONS[:7], "echo"):
            barges = self.interruptions(lambda c, k=condition: c.condition == k)  # type: ignore[misc]
            found = [barge.delay for barge in barges if barge.delay is not None]
            early = sum(barge.is_early for barge in barges)
            rows.append((f"{condition} ({len(barges)})", percent(len(found), len(barges)), delays(found), str(early)))
        return markdown(("condition", "detected", "delay", "stopped before"), rows)

    def false_stops(self) -> str:
        rows = []
        for sub in sorted({case.sub for case in self.cases if case.group == "barge" and not case.is_interruption}):
            barges = self.quiet_barges(lambda case, k=sub: case.sub == k)  # type: ignore[misc]
            stopped = sum(barge.is_false for barge in barges)
            ducked = sum(barge.ducks > 0 for barge in barges)
            paused = sum(barge.pauses > 0 for barge in barges)
            shares = (percent(count, len(barges)) for count in (stopped, ducked, paused))
            rows.append((f"{sub} ({len(barges)})", *shares))
        return markdown(("sound", "stopped", "ducked", "paused"), rows)

    def by_noise(self) -> str:
        rows = []
        for noise in sorted({case.noise for case in self.cases if case.noise}):
            view = self.turns(lambda case, k=noise: case.noise == k)  # type: ignore[misc]
            barges = self.interruptions(lambda case, k=noise: case.noise == k)  # type: ignore[misc]
            found = sum(barge.delay is not None for barge in barges)
            row = (noise, f"{delays(view.delays)}, missed {percent(view.missed, view.scored)}", cut(view.pauses("inserted")))
            rows.append((*row, f"{found}/{len(barges)}, stopped before {sum(barge.is_early for barge in barges)}"))
        return markdown(("noise", "ends", "inserted cut", "interruptions"), rows)

    def line(self) -> str:
        rows = []
        for sub in ("silence", "noise", "music", "tones", "breath"):
            lines = self.lines(sub)
            minutes = sum(case.duration for case, _ in lines) / 60000 or 1.0
            turns, starts = sum(score.turns for _, score in lines), sum(score.starts for _, score in lines)
            rows.append((f"{sub} ({len(lines)})", f"{turns / minutes:.2f} / {starts / minutes:.2f}"))
        mail = [score for _, score in self.lines("voicemail")]
        found = [score.delay for score in mail if score.delay is not None]
        early, extra = sum(score.early > 0 for score in mail), sum(score.extra > 0 for score in mail)
        told = f"early {early}/{len(mail)}, delay {delays(found)}, extra turn {extra}/{len(mail)}"
        return markdown(("line", "turns / starts a minute"), [*rows, ("voicemail greeting and beep", told)])
