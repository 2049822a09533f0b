"""What can go wrong with a measurement, for people.

BenchmarkError
  EngineNotReady      the engine under test did not come up, or fell over
  NothingMeasured     the calls ended without a figure to report
  BadResult           a result file that is none
"""

from __future__ import annotations


class BenchmarkError(Exception):
    """A measurement could not be made."""


class EngineNotReady(BenchmarkError):
    """The engine under test did not come up, or fell over while it was called."""


class NothingMeasured(BenchmarkError):
    """The calls ended without a figure to report."""


class BadResult(BenchmarkError):
    """A file that should hold a result does not."""
