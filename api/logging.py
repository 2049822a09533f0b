"""How the process writes its log: for people on a terminal, one JSON object a line elsewhere.

Belt and braces: whoever logs masks numbers already (`telephony.number.mask`); here every value is looked through once more
for anything that looks like a phone number or is a known secret, so that a forgotten one never reaches a disk.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, Final, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

# A number with its plus sign; a bare run of 10 to 15 digits (E.164 has at most 15) that is no part of a longer word, a
# decimal or a UUID; a North American number as people write it.
_PHONE: Final = re.compile(
    r"""
      \+ \d [\d .()-]{5,18} \d
    | (?<! [\w.-] ) \d{10,15} (?! [\w] | [.-]\d )
    | (?<! [\w.] ) (?: 1[ .-]? )? (?: \( \d{3} \) \s? | \d{3} [ .-] ) \d{3} [ .-] \d{4} (?! \w )
    """,
    re.VERBOSE,
)
_TALKATIVE: Final = (
    "alembic",
    "httpx",
    "httpcore",
    "sqlalchemy.engine",
    "aiosqlite",
    "websockets",
    "twilio.http_client",
    "asyncio",
)
_KEPT: Final = 2  # digits left at the end: enough to tell two contacts of a test apart, too few to call anybody
_UNTOUCHED: Final = frozenset({"timestamp", "level", "logger"})
_DEEPEST: Final = 6  # levels of nesting looked through; what lies deeper is dropped


def configure(
    stream: TextIO | None = None, *, level: int = logging.INFO, secrets: Iterable[str] = (), json: bool | None = None
) -> None:
    """Set structlog and the standard library's log up for this process; calling it again replaces the set-up.

    `secrets` are values never to be written (keys, tokens). `json` None: JSON unless `stream` is a terminal.
    """
    target = stream or sys.stderr
    is_json = not target.isatty() if json is None else json
    masking: Processor = partial(
        mask_values, secrets=tuple(sorted({s for s in secrets if len(s) >= 4}, key=len, reverse=True))
    )
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        masking,
    ]
    last: Processor = (
        structlog.processors.JSONRenderer(default=str) if is_json else structlog.dev.ConsoleRenderer(colors=target.isatty())
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=False,
    )
    _send_standard_library_through(target, shared, last, level)


def _send_standard_library_through(target: TextIO, shared: list[Processor], last: Processor, level: int) -> None:
    """uvicorn, SQLAlchemy and the vendors' SDKs log through `logging`: the same form, the same masking."""
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
    )
    handler = logging.StreamHandler(target)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        theirs = logging.getLogger(name)
        theirs.handlers[:] = []
        theirs.propagate = name != "uvicorn.access"  # it would write every webhook's query, and a line for each request
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))


def mask_values(logger: WrappedLogger, method: str, event: EventDict, *, secrets: tuple[str, ...] = ()) -> EventDict:
    """A structlog processor: every value without phone numbers and secrets, however deep it lies."""
    for key in list(event):
        if not (isinstance(key, str) and (key in _UNTOUCHED or key.startswith("_"))):
            event[key] = _masked(event[key], secrets, _DEEPEST)
    return event


def mask_phones(text: str) -> str:
    """`text` with all but the last two digits of anything that looks like a phone number replaced."""
    return _PHONE.sub(_mask_match, text)


def _mask_match(match: re.Match[str]) -> str:
    left = sum(character.isdigit() for character in match[0])
    masked = []
    for character in match[0]:
        is_digit = character.isdigit()
        masked.append("*" if is_digit and left > _KEPT else character)
        left -= is_digit
    return "".join(masked)


def _masked(value: Any, secrets: tuple[str, ...], depth: int) -> Any:
    """What may be written of `value`; of an object without a plain form, its masked text."""
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        text = str(value)
        return _without(text, secrets) if _PHONE.fullmatch(text) else value
    if isinstance(value, str):
        return _without(value, secrets)
    if isinstance(value, bytes):
        return f"<{len(value)} bytes>"
    if depth == 0:
        return "..."
    if isinstance(value, Mapping):
        return {_without(str(key), secrets): _masked(item, secrets, depth - 1) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_masked(item, secrets, depth - 1) for item in value]
    return _without(str(value), secrets)


def _without(text: str, secrets: tuple[str, ...]) -> str:
    for secret in secrets:
        text = text.replace(secret, "***")
    return mask_phones(text)


__all__ = ["configure", "mask_phones", "mask_values"]
