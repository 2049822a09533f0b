"""What an examination finds: of each part, how it is, and what to do where something is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    OK = "ok"
    OFF = "off"  # not configured, and nothing needs it
    WARN = "warn"  # works, but not as well or as safely as it could
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    group: str  # settings | parts | gate | embedded | machine
    part: str
    state: State
    detail: str = ""
    do: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        return all(finding.state is not State.FAIL for finding in self.findings)
