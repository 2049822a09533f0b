"""`offhook replay`: a recorded call's journal through the conversation core again: listed, stepped through, or drawn."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote

import msgspec
import typer

if TYPE_CHECKING:  # a command line that asks for help should not wait for the whole engine to be imported
    from voice.drawing.agreement import Finding
    from voice.replay import Replay, Step


def replay(
    journal: Annotated[Path, typer.Argument(help="A journal file of OFFHOOK_HOME/journals.", metavar="JOURNAL")],
    html: Annotated[Path | None, typer.Option("--html", help="Draw the call into this page.", metavar="OUT")] = None,
    recording: Annotated[
        Path | None,
        typer.Option("--recording", help="The call's two-channel WAV: drawn too, and compared.", metavar="WAV"),
    ] = None,
    step: Annotated[bool, typer.Option("--step", help="Walk through it decision by decision.")] = False,
    since: Annotated[float, typer.Option("--from", help="Seconds since the media link opened.", min=0.0)] = 0.0,
    until: Annotated[float | None, typer.Option("--to", help="The same; to the end by default.", min=0.0)] = None,
    only_differences: Annotated[
        bool, typer.Option("--only-differences", help="Show only what was decided otherwise.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """The same events must lead to the same actions: exits with 1 where they do not, or the recording does not agree.

    Example: offhook replay .offhook/journals/ca_0f3a.jsonl

    Example: offhook replay .offhook/journals/ca_0f3a.jsonl --html call.html --recording .offhook/recordings/CA1bc6.wav
    """
    if until is not None and until <= since:
        raise typer.BadParameter("--to must be later than --from")
    if html is not None:
        view = (since, until if until is not None else float("inf")) if since or until is not None else None
        _draw(journal, html, recording, view, as_json=as_json)
        return
    from voice.replay import replay as run

    result = run(journal)
    steps = [each for each in (result.differences if only_differences else result.steps) if _is_within(each, since, until)]
    if step:
        _walk([each for each in steps if each.decides])
        return
    findings = _compared(journal, recording) if recording is not None else ()
    if as_json:
        typer.echo(msgspec.json.encode(_figures(result, findings)).decode())
    else:
        _list(result, steps, findings)
    is_otherwise = bool(result.differences) or any(finding.agrees is False for finding in findings)
    raise typer.Exit(1 if is_otherwise else 0)


def _is_within(step: Step, since: float, until: float | None) -> bool:
    return step.at >= since and (until is None or step.at <= until)


def _list(result: Replay, steps: Iterable[Step], findings: Iterable[Finding]) -> None:
    from voice.replay import listing

    for line in listing(steps):
        typer.echo(line)
    _tell(findings)
    same = "the same decisions" if not result.differences else f"{len(result.differences)} decided otherwise"
    typer.echo(f"{result.events} events, {len(result.steps)} of them with decisions: {same}")
    if result.since:
        typer.echo(result.since)


def _tell(findings: Iterable[Finding]) -> None:
    words = {True: "agree", False: "DO NOT AGREE", None: "nothing to compare"}
    for finding in findings:
        typer.echo(f"{finding.name}: recording and journal {words[finding.agrees]}: {finding.says}")


def _figures(result: Replay, findings: Iterable[Finding]) -> dict[str, object]:
    compared = {finding.name: {"agrees": finding.agrees, "says": finding.says} for finding in findings}
    figures: dict[str, object] = {
        "events": result.events,
        "steps": len(result.steps),
        "differences": len(result.differences),
    }
    return figures | ({"recording": compared} if compared else {})


def _compared(journal: Path, recording: Path) -> tuple[Finding, ...]:
    from voice.drawing.agreement import compare
    from voice.drawing.recording import listen
    from voice.drawing.telling import tell

    story = tell(journal)
    return compare(story, listen(recording, story))


# --- drawn ------------------------------------------------------------------------------------------------------------


def _draw(journal: Path, out: Path, recording: Path | None, view: tuple[float, float] | None, *, as_json: bool) -> None:
    from voice.drawing.agreement import compare
    from voice.drawing.page import page
    from voice.drawing.recording import listen
    from voice.drawing.telling import tell

    story = tell(journal)
    heard = listen(recording, story) if recording is not None else None
    audio = quote(os.path.relpath(recording.resolve(), out.resolve().parent)) if recording is not None else ""
    if view is not None:
        view = (view[0], min(view[1], story.length))
    content = page(story, heard, audio=audio, view=view).encode()
    _write_private(out, content)
    findings = compare(story, heard) if heard is not None else ()
    if as_json:
        drawn = {
            "html": str(out),
            "bytes": len(content),
            "events": story.facts.events,
            "differences": len(story.differences),
        }
        compared = {finding.name: {"agrees": finding.agrees, "says": finding.says} for finding in findings}
        typer.echo(msgspec.json.encode(drawn | ({"recording": compared} if compared else {})).decode())
        return
    _tell(findings)
    same = "the same decisions" if not story.differences else f"{len(story.differences)} events decided otherwise"
    typer.echo(f"{story.facts.events} events, {same}; drawn into {out} ({len(content) / 1000:.0f} kB)")


def _write_private(path: Path, content: bytes) -> None:
    """For its owner alone, like the journal: it holds what people said."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(content)


# --- stepped through --------------------------------------------------------------------------------------------------


def _walk(steps: list[Step]) -> None:
    from voice.drawing.walking import HELP, Walk

    walk = Walk(steps)
    lines = ["nothing was decided there"] if walk.is_over else [*HELP, *walk.show()]
    while True:
        for line in lines:
            typer.echo(line)
        if walk.is_over:
            return
        try:
            typed = input("> ")
        except EOFError:
            return
        lines = walk.obey(typed)
