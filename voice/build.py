"""How this installation was made: from plain sources, or with the hot modules as native code (`make fast`)."""

from __future__ import annotations

from importlib.util import find_spec


def is_compiled() -> bool:
    """Whether calls run as native code here. Figures of the two kinds are not to be compared."""
    spec = find_spec("voice.conversation")
    return spec is not None and not (spec.origin or "").endswith(".py")
