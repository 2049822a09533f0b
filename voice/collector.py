"""Tells Python's garbage collector what a process that carries calls looks like."""

from __future__ import annotations

import gc
from typing import Final

_YOUNG: Final = 50_000  # objects; a hundred calls make that many in a second, and nearly all are gone again without help
_MIDDLE, _OLD = 20, 50


def settle() -> None:
    """Call it once, when all that stays for good is made: that is not looked through again, and the rest less often.

    A full collection stops every call for as long as it takes to look at every object there is.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, _MIDDLE, _OLD)
