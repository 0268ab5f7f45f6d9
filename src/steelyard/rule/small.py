"""Formulas on small tables, by NumPy where the numbers lie on the CPU: there an operation on a hundred numbers costs torch several
times what it costs NumPy, and a rule does dozens of them in every step."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..ops.watched import transformed


class _Numpy:
    """NumPy, but for what it reaches through several layers of Python."""

    def __getattr__(self, name: str) -> Any:
        found = getattr(np, name)
        setattr(self, name, found)
        return found

    @staticmethod
    def clip(x: Any, low: Any, high: Any) -> Any:
        x = x if low is None else np.maximum(x, low)
        return x if high is None else np.minimum(x, high)

    @staticmethod
    def amin(x: Any, axis: int) -> Any:
        return np.minimum.reduce(x, axis)

    @staticmethod
    def amax(x: Any, axis: int) -> Any:
        return np.maximum.reduce(x, axis)


NUMPY = _Numpy()


def small(formula: Callable[..., tuple[Any, ...]], *numbers: Tensor) -> tuple[Tensor, ...]:
    """`formula(xp, *numbers)`, with xp the module torch or numpy: it uses what both have under one name, and returns a tuple."""
    if not all([type(t) is Tensor and t.is_cpu for t in numbers]) or transformed():
        return formula(torch, *numbers)
    arrays = [t.numpy() for t in numbers]
    with np.errstate(all="ignore"):  # log 0 and 0/0 are left out by `where`, as in torch
        found = formula(NUMPY, *arrays)
    # as in torch, whole numbers beside float32 leave float32
    real = [a.dtype for a in arrays if a.dtype.kind == "f"]
    wide = np.result_type(*real) if real else None
    return tuple([torch.from_numpy(_of_type(np.asarray(x), wide)) for x in found])


def _of_type(x: np.ndarray, wide: np.dtype | None) -> np.ndarray:
    return x if wide is None or x.dtype.kind != "f" else x.astype(wide, copy=False)
