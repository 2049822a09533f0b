"""What every figure is called in front of people, in which unit, and which suites show it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from benchmarks.report.model import Figure, Run, Share


@dataclass(frozen=True, slots=True)
class Words:
    """`title` for a row, `about` for a reader who wants to know exactly. `scale` turns a stored value into a shown one."""

    title: str
    about: str
    unit: str = "ms"
    scale: float = 1000.0


STAGE: Final = "stage: "
MURMUR: Final = "stops: backchannel: "

FIGURES: Final[dict[str, Words]] = {
    "first_audio": Words("answer to first audio", "from the answer until the agent is audible"),
    "gap": Words("response gap", "the caller fell silent, until the agent is audible"),
    "content_gap": Words("to first content", "the caller fell silent, until the first word that is not a filler"),
    "stop": Words("barge-in stop, mouth to silence", "the caller began to talk over the agent, until the agent is silent"),
    "holes": Words("silences over 40 ms in a reply", "the carrier's buffer ran dry while the agent was talking"),
    "lead": Words("early: sent ahead of the ear", "audio lying in the carrier's buffer, looked at every 0.2 s"),
    "heard_error": Words(
        "heard-text error, cut replies", "words by which the engine's memory differs from what was heard", "words", 1.0
    ),
    "heard_error_untimed": Words(
        "heard-text error, cut replies, a voice without word times", "the same, where it has to be estimated", "words", 1.0
    ),
    "heard_error_whole": Words(
        "heard-text error, whole replies", "the same of replies that were heard to their end", "words", 1.0
    ),
    "cpu": Words("CPU per call, second by second", "of the server, per second of call", "ms/s"),
    "loop_lag": Words("loop lag p99, second by second", "of the loop that carries the media"),
    "claimed_gap": Words("response gap by its own account", "what the engine's own metrics say the caller waited"),
    "added_gap": Words(
        "added by crowding, at half of the most calls",
        "by how much the same lines were answered later than among few calls, for whatever reason",
    ),
    "added_gap_alike": Words(
        "added by crowding, first sound of the same kind",
        "the same, of answers that begin alike: a word in between with a word in between, content with content",
    ),
    "added_latency": Words(
        "added latency per turn, at half of the most calls",
        "what of a wait is neither provider nor policy, by the call's journal and the caller's clock",
    ),
    "added_latency_few": Words("added latency per turn, among few calls", "the same, at the foot of the climb"),
    "idle_memory": Words("memory between the cycles", "of the server, with nobody on the line", "MB", 1e-6),
    "endpoint_delay": Words("end of turn found", "the recorded caller fell silent, until the turn is taken for over"),
    "detect_delay": Words("interruption found", "the recorded caller began to talk over the agent, until it gives way"),
    "lost_start": Words("lost of the caller's first words", "how much of the first word never reached the recogniser"),
}
SHARES: Final[dict[str, Words]] = {
    "missed_barge_ins": Words("barge-ins not obeyed", "the agent talked on for 2.5 s or to its end"),
    "lost_words": Words("words lost at the start", "words of the caller's first line that never reached the recogniser"),
    "false_stops": Words(
        "stops for nothing that takes the floor, all told", "murmurs, coughs, clicks, echo, the room, and no sound at all"
    ),
    "drafts_wasted": Words(
        "replies prepared in vain", "of those begun before the turn was over, by the engine's own account"
    ),
    "stops: backchannel": Words("stops for a backchannel", "the agent fell silent for an uh-huh"),
    "stops: cough": Words("stops for a cough", "the agent fell silent for a cough"),
    "stops: click": Words("stops for a click", "the agent fell silent for a click on the line"),
    "stops: echo": Words("stops for its own echo", "a reply broke off, nobody had spoken, the line echoed at -30 dB"),
    "stops: room": Words("stops for a noisy room", "a reply broke off, nobody had spoken, room noise at -50 dBFS"),
    "stops: nothing": Words("stops for nothing", "a reply broke off although nobody made a sound"),
    "cut_offs_in_pauses": Words("answers into a pause", "the agent spoke while the caller was thinking in mid-sentence"),
    "pauses_cut_inserted": Words("pauses taken for the end, put in", "of recorded sentences with a pause put into them"),
    "pauses_cut_own": Words("pauses taken for the end, the readers' own", "of 250 ms and more, within a sentence"),
    "waits_over_1.5_s": Words("ends found after more than 1.5 s", ""),
    "interruptions_missed": Words("interruptions missed", "on a clear line"),
    "interruptions_missed_over_talk": Words("interruptions missed, others talking in the room", ""),
    "ends_missed_over_talk": Words("ends missed, others talking in the room", ""),
    "false_backchannel": Words("given way to a backchannel", "of recorded people"),
    "false_bursts": Words("given way to a cough, laugh, breath, burst", ""),
    "false_echo": Words("given way to its own echo", ""),
    "false_tv": Words("given way to talk on television", ""),
    "late_frames": Words("late frames", "20 ms frames that were not there when they were due to be played"),
}
NUMBERS: Final[dict[str, Words]] = {
    "cpu_ms_per_call_second": Words("CPU per call", "of the server, per second of call", "ms/s", 1.0),
    "lag_p99_median_ms": Words(
        "loop lag p99", "of the loop that carries the media; median over the seconds of the run", "ms", 1.0
    ),
    "double_talk_s_per_minute": Words("both talking at once", "seconds in a minute of call", "s/min", 1.0),
    "understated_gap_ms": Words(
        "own account short of the heard gap, p50",
        "how much longer the caller waited than the engine's metrics say",
        "ms",
        1.0,
    ),
    "discarded": Words("discarded", "figures on which the two detectors did not agree", "", 1.0),
    "carrier_frames_late": Words("late ticks of the carrier itself", "when the harness's own process had to wait", "", 1.0),
    "bytes_growth_per_call": Words("memory kept per ended call", "", "kB", 1e-3),
    "files_growth_per_call": Words("descriptors kept per ended call", "", "", 1.0),
    "tasks_growth_per_call": Words("tasks kept per ended call", "", "", 1.0),
    "unanswered": Words("turns not answered", "", "", 1.0),
    "calls_per_core": Words(
        "calls on one core", "most calls before the response gap doubles or 1 % of frames are late", "", 1.0
    ),
    "times_the_better_other": Words("calls on one core, against the better other engine", "", "×", 1.0),
    "bytes_growth_low": Words("... at least (95 %)", "", "kB", 1e-3),
    "bytes_growth_high": Words("... at most (95 %)", "", "kB", 1e-3),
    "events_per_second": Words("events of the core", "decided by one core in a second, no audio", "/s", 1.0),
    "detectors_ms_per_call_second": Words(
        "CPU of the detectors", "per second of call, a hundred at once, models included", "ms/s", 1.0
    ),
    "bytes_per_call": Words("memory per call", "", "MB", 1e-6),
}


def figure_words(name: str) -> Words:
    if name.startswith(STAGE):
        return Words(f"own account, {name.removeprefix(STAGE).replace('_', ' ')}", "one stage of it", "ms", 1000.0)
    return FIGURES.get(name) or Words(name.replace("_", " "), "", "", 1.0)


def is_shown(name: str) -> bool:
    """Whether a figure has a row of its own: stages are told in a sentence, load as a number."""
    return not name.startswith(STAGE) and name not in ("cpu", "loop_lag")


def number_words(name: str) -> Words:
    return NUMBERS.get(name) or Words(name.replace(".", ": ").replace("_", " "), "", "", 1.0)


def share_words(name: str) -> Words:
    if name.startswith(MURMUR):
        return Words(f"... for “{name.removeprefix(MURMUR)}”", "")
    return SHARES.get(name) or Words(name.replace("_", " "), "")


def shown_figure(figure: Figure, words: Words) -> tuple[str, str, str, str]:
    """p50, p95, most, how many."""
    cells = (figure.p50, figure.p95, figure.max)
    p50, p95, most = ("–" if cell is None else number(cell * words.scale) for cell in cells)
    return p50, p95, most, str(figure.n)


def shown_share(share: Share) -> str:
    rate = share.rate
    if rate is None:
        return "–"
    precise = f"{100 * rate:.2f} %" if 0 < rate < 0.01 else f"{100 * rate:.0f} %"
    return f"{precise} ({share.hits} of {share.of})"


def number(value: float) -> str:
    """A number as people read it: no more digits than it deserves."""
    if abs(value) >= 100:
        return f"{value:,.0f}".replace(",", "\u202f")
    text = f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
    return text.rstrip("0").rstrip(".")


def account_of(run: Run) -> str:
    """What the engine's own metrics say of the wait, stage by stage, beside what the caller heard; empty where it says
    nothing."""
    claimed, heard = run.figures.get("claimed_gap"), run.figures.get("gap")
    if claimed is None or claimed.p50 is None or heard is None or heard.p50 is None:
        return ""
    stages = ", ".join(
        f"{name.removeprefix(STAGE).replace('_', ' ')} {number(1000 * (each.p50 or 0.0))}"
        for name, each in run.figures.items()
        if name.startswith(STAGE)
    )
    short = run.numbers.get("understated_gap_ms", 0.0)
    told = f"its own metrics say {number(1000 * claimed.p50)} ms ({stages}), the recording {number(1000 * heard.p50)} ms"
    return f"{told}: {number(abs(short))} ms {'less than was heard' if short > 0 else 'more than was heard'}"


def discards_of(run: Run) -> str:
    """What was left out because the detectors disagreed; empty when nothing was."""
    told = [f"{count} {figure_words(name).title.split(',')[0]}" for name, count in run.discarded.items()]
    return f"left out, the detectors disagreed: {', '.join(told)}" if told else ""


OWN_SETUP: Final = ("settings", "with")


def setup_of(run: Run) -> str:
    """What all engines of a suite had in common."""
    shared = (f"{key} {value}" for key, value in run.setup.items() if key not in OWN_SETUP)
    said = [f"{run.calls} calls" if run.calls else "", *shared]
    return ", ".join(each for each in said if each)


def own_setup_of(run: Run) -> str:
    """How this engine was set up, and what with."""
    return "; ".join(run.setup[key] for key in OWN_SETUP if run.setup.get(key))
