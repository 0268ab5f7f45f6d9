"""The C++ core (native/), which is there where a compiler was when steelyard was installed."""

import importlib
from typing import Any


def load() -> Any:
    """steelyard._native, or None."""
    try:
        return importlib.import_module("steelyard._native")
    except ImportError:
        return None
