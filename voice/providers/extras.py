"""Loads a vendor's SDK when an adapter is made, and says which extra is missing when it is not installed."""

from __future__ import annotations

import importlib
import warnings
from types import ModuleType

from voice.errors import ProviderRejected


def load(module: str, extra: str) -> ModuleType:
    """The module, imported. Raises `ProviderRejected` (`extra_missing`) naming the extra to install.

    Imports take 0.5 to 2 seconds: call this while starting, never during a call. The SDKs' own use of deprecated modules
    is theirs to mend, so their warnings are not ours to show.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            return importlib.import_module(module)
    except ImportError as error:
        message = f"{error}; install it with: pip install 'offhook[{extra}]'"
        raise ProviderRejected(extra, "extra_missing", message) from error
