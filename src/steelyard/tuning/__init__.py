"""The tuner: which weighting, which threshold, and how sure one can be."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .arms import Arm
    from .study import Study, tune

__all__ = ["Arm", "Study", "tune"]


def __getattr__(name: str) -> Any:
    """At first use: the command makes its flags of `request`, and a report asks a metric for its title, without waiting for torch."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = "arms" if name == "Arm" else "study"
    return getattr(importlib.import_module(f".{home}", __name__), name)
