"""Formulas on small tables, by NumPy where the numbers lie on the CPU: there an operation on a hundred numbers costs torch several
times what it costs NumPy, and a rule does dozens of them in every step."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..ops.watched import transformed


def small(formula: Callable[..., tuple[Any, ...]], *numbers: Tensor) -> tuple[Tensor, ...]:
    """`formula(xp, *numbers)`, with xp the module torch or numpy: it uses what both have under one name, and returns a tuple."""
    if any(type(t) is not Tensor or t.device.type != "cpu" for t in numbers) or transformed():
        return formula(torch, *numbers)
    arrays = [t.numpy() for t in numbers]
    with np.errstate(all="ignore"):  # log 0 and 0/0 are left out by `where`, as in torch
        found = formula(np, *arrays)
    # as in torch, whole numbers beside float32 leave float32
    real = [a.dtype for a in arrays if a.dtype.kind == "f"]
    wide = np.result_type(*real) if real else None
    return tuple([torch.from_numpy(_of_type(np.asarray(x), wide)) for x in found])


def _of_type(x: np.ndarray, wide: np.dtype | None) -> np.ndarray:
    return x if wide is None or x.dtype.kind != "f" else x.astype(wide, copy=False)
