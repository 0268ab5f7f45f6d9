"""The tuner: which weighting, which threshold, and how sure one can be."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .arms import Arm
    from .final import FinalModel
    from .study import Study, tune

__all__ = ["Arm", "FinalModel", "Study", "tune"]

_HOMES = {"Arm": "arms", "FinalModel": "final"}


def __getattr__(name: str) -> Any:
    """At first use: the command makes its flags of `request`, and a report asks a metric for its title, without waiting for torch."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_HOMES.get(name, 'study')}", __name__), name)
