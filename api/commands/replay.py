"""`offhook replay`: a recorded call's journal through the conversation core again, decision by decision."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer


def replay(
    journal: Annotated[Path, typer.Argument(help="A journal file of OFFHOOK_HOME/journals.", metavar="JOURNAL")],
    only_differences: Annotated[
        bool, typer.Option("--only-differences", help="Show only what was decided otherwise.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """The same events must lead to the same actions: exits with 1 where they do not.

    Example: offhook replay .offhook/journals/ca_0f3a.jsonl
    """
    from voice.replay import describe
    from voice.replay import replay as run

    result = run(journal)
    if as_json:
        figures = {"events": result.events, "steps": len(result.steps), "differences": len(result.differences)}
        typer.echo(msgspec.json.encode(figures).decode())
    else:
        for step in result.differences if only_differences else result.steps:
            for line in describe(step):
                typer.echo(line)
        same = "the same decisions" if not result.differences else f"{len(result.differences)} decided otherwise"
        typer.echo(f"{result.events} events, {len(result.steps)} of them with decisions: {same}")
    raise typer.Exit(1 if result.differences else 0)
