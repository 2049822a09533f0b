"""Several runs of the same suite and engine as one (rounds that were interleaved with another engine's), and several results
as one. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import structs

from benchmarks.report.model import Result, Run, Share, figure


def together(results: Sequence[Result]) -> Result:
    """Several results of one machine as one, in the order given; the date is the last one's."""
    last = results[-1]
    load = (max(each.machine.load[0] for each in results), max(each.machine.load[1] for each in results))
    return structs.replace(
        last,
        seconds=round(sum(each.seconds for each in results), 1),
        machine=structs.replace(last.machine, load=load),
        runs=tuple(run for each in results for run in each.runs),
        took={suite: seconds for each in results for suite, seconds in each.took.items()},
        failures=tuple(failure for each in results for failure in each.failures),
        command="; ".join(each.command for each in results),
    )


def merged(runs: Sequence[Run]) -> Run:
    """All values of all rounds; numbers are means, weighted by the length of each round."""
    first = runs[0]
    if len(runs) == 1:
        return first
    names = dict.fromkeys(name for run in runs for name in run.figures)
    shares = dict.fromkeys(name for run in runs for name in run.shares)
    weight = sum(run.call_seconds for run in runs) or 1.0
    return Run(
        suite=first.suite,
        engine=first.engine,
        version=first.version,
        setup=first.setup | {"rounds": str(len(runs))},
        calls=sum(run.calls for run in runs),
        call_seconds=round(sum(run.call_seconds for run in runs), 1),
        figures={
            name: figure(
                [value for run in runs if name in run.figures for value in run.figures[name].values],
                next(run.figures[name].unit for run in runs if name in run.figures),
            )
            for name in names
        },
        shares={
            name: Share(
                hits=sum(run.shares[name].hits for run in runs if name in run.shares),
                of=sum(run.shares[name].of for run in runs if name in run.shares),
            )
            for name in shares
        },
        numbers={
            name: round(sum(run.numbers.get(name, 0.0) * run.call_seconds for run in runs) / weight, 3)
            for name in dict.fromkeys(name for run in runs for name in run.numbers)
        },
        discarded={
            name: sum(run.discarded.get(name, 0) for run in runs)
            for name in dict.fromkeys(name for run in runs for name in run.discarded)
        },
        timeline=first.timeline,
        notes=tuple(dict.fromkeys(note for run in runs for note in run.notes)),
    )
