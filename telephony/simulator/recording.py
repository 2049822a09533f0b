"""What is left of a call: a stereo WAV (left: what the person said, right: what the person heard) and the truth beside it.

Both channels and every position in the JSON count samples at 8 kHz since the answer, so figures can be derived from the
audio and checked against what really happened.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from telephony.audio import SAMPLE_RATE, write_stereo
from telephony.simulator.ledger import CallLedger, Json
from telephony.simulator.line import Line

VERSION = 1


def truth_of(ledger: CallLedger, line: Line | None, outcome: str, ended_by: str) -> dict[str, Json]:
    """Everything a listener would have to guess from the audio.

    `marks`: name, when it came, when it went back, and whether it was `played`, `cleared` or there was nothing to wait for
    (`idle`). `clears`: when, and how many samples were thrown away. `underruns`: when the buffer ran dry and for how many
    samples, where audio came again within 2 s.
    """
    found: dict[str, Json] = {
        "version": VERSION,
        "call_sid": ledger.sid,
        "parent_call_sid": ledger.parent_sid or None,
        "from": ledger.from_,
        "to": ledger.to,
        "direction": ledger.direction,
        "outcome": outcome,
        "status": ledger.status,
        "sip_code": ledger.sip_code,
        "ended_by": ended_by,
        "created_at": ledger.created_at.isoformat(),
        "answered_at": ledger.answered_at.isoformat() if ledger.answered_at else None,
        "ended_at": ledger.ended_at.isoformat() if ledger.ended_at else None,
        "sample_rate": SAMPLE_RATE,
        "notes": list(ledger.notes),
    }
    if line is None:
        return found
    truth = line.truth
    return found | {
        "samples": line.position,
        "lines": [{"text": each.text, "start": each.start, "end": each.end} for each in line.person.uttered],
        "first_heard": truth.first_heard,
        "keys": [{"at": at, "digit": digit} for at, digit in truth.keys],
        "marks": [{"name": name, "placed": placed, "returned": back, "why": why} for name, placed, back, why in truth.marks],
        "clears": [{"at": at, "dropped": samples} for at, samples in truth.clears],
        "underruns": [{"at": at, "samples": samples} for at, samples in truth.underruns],
        "bridges": [{"start": start, "end": end, "call_sid": sid} for start, end, sid in truth.bridges],
        "streams": [{"stream_sid": sid, "opened": opened, "closed": closed} for sid, opened, closed in truth.streams],
        "frames_late": truth.frames_late,
        "latest_ms": round(truth.latest_ms, 3),
    }


def keep(folder: Path, found: dict[str, Json], line: Line | None) -> dict[str, Json]:
    """Write `<CallSid>.json`, and `<CallSid>.wav` if the call was answered. Blocks: to be run in a thread."""
    folder.mkdir(parents=True, exist_ok=True)
    sid = str(found["call_sid"])
    if line is not None:
        wav = folder / f"{sid}.wav"
        write_stereo(wav, bytes(line.said), bytes(line.heard))
        found = found | {"wav": str(wav)}
    sidecar = folder / f"{sid}.json"
    sidecar.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=2))
    return found | {"json": str(sidecar)}
