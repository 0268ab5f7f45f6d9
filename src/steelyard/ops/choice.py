"""Which kernels may compute: those of the device, unless STEELYARD_BACKEND or `backend` names others or none."""

import importlib.util
import os

from .. import core

VARIABLE = "STEELYARD_BACKEND"
LABELS = "STEELYARD_CHECK_LABELS"  # not STEELYARD_DEBUG, which shows tracebacks of commands and slows nothing down
AUTO, EAGER, NATIVE, TRITON = NAMES = ("auto", "eager", "native", "triton")

_chosen = os.environ.get(VARIABLE) or AUTO
_from = VARIABLE  # who chose, for the message


def chosen() -> str:
    """One of NAMES. ValueError where the environment names another, or one that is not installed."""
    if _chosen not in _ready:
        _ready.add(_serving(_chosen, _from))
    return _chosen


_ready = {AUTO, EAGER}  # whose names were looked at; no name is looked at twice


class backend:
    """Let one backend compute all losses from here on, in every thread; as a context manager, until its end.

    name  "auto"    the fastest that gives every gradient a call needs: kernels in C++ on the CPU, in Triton on a GPU (the default)
          "eager"   no kernels: torch's own operations, on every device
          "native"  the kernels in C++; whatever they do not serve (another device, another dtype) goes to "eager"
          "triton"  the kernels in Triton, likewise

    The environment variable STEELYARD_BACKEND chooses when the process starts. The numbers are the same to rounding.

    Raises ValueError for another name, and where the backend named is not installed.

    >>> import steelyard as sy
    >>> with sy.backend("eager"):
    ...     loss = sy.CrossEntropy()
    """

    def __init__(self, name: str):
        global _chosen
        _ready.add(_serving(name, "steelyard.backend"))
        self._before, _chosen = _chosen, name

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        global _chosen
        _chosen = self._before


def checks_labels() -> bool:
    """Whether STEELYARD_CHECK_LABELS asks that labels be looked at before kernels on a GPU, which waits for it: there a label that is no class
    makes a loss of NaN otherwise. Anything but "" and "0" does."""
    return os.environ.get(LABELS, "0") not in ("", "0")


def _serving(name: str, who: str) -> str:
    if name not in NAMES:
        raise ValueError(f"{who}: {name!r} is no backend; one of {', '.join(NAMES)}.")
    if name == NATIVE and core.load() is None:
        raise ValueError(
            f"{who}: the native core is not built; install steelyard where there is a C++ compiler, or choose {AUTO} or {EAGER}."
        )
    if name == TRITON and importlib.util.find_spec("triton") is None:
        raise ValueError(f"{who}: Triton is not installed (pip install triton), or choose {AUTO} or {EAGER}.")
    return name
