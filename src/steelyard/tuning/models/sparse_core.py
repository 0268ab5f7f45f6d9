"""Truncated Newton on sparse rows by the C++ core where it is there: native/sparse.cpp.

All of it is one call: conjugate gradients, Newton's steps and their lengths. It knows what `passes.gamma` knows.
"""

import dataclasses
import itertools
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ... import core
from .forms import Form

_native = core.load()
THERE = hasattr(_native, "sparse_newton")  # a core that was built before lacks it


@dataclasses.dataclass(frozen=True, eq=False)
class Matrix:
    """X by row and by column, in doubles and in floats, its columns those that have a number, the fullest first: loops over
    columns then have one length for long. `order` says which columns they are of the `width` - 1 there were; `own` [rows] is how much each row counts, or None."""

    rows: int
    width: int
    order: np.ndarray
    ends: tuple[np.ndarray, np.ndarray]
    index: tuple[np.ndarray, np.ndarray]
    exact: tuple[np.ndarray, np.ndarray]
    light: tuple[np.ndarray, np.ndarray]
    own: np.ndarray | None

    @classmethod
    def of(cls, X: Any, own: np.ndarray | None) -> "Matrix":
        """X scipy CSR [rows, p]."""
        rows, p = X.shape
        filled = np.bincount(X.indices, minlength=p)
        order = np.argsort(-filled, kind="stable")[: np.count_nonzero(filled)]
        place = np.empty(p, np.int32)
        place[order] = np.arange(len(order), dtype=np.int32)
        by_row = type(X)((X.data, place[X.indices], X.indptr), shape=(rows, len(order)))
        by_column = by_row.tocsc()  # rows ascend in every column,
        by_row = by_column.tocsr()  # and now columns in every row
        both = (by_row, by_column)
        return cls(
            rows,
            p + 1,
            order.astype(np.int64),
            _each(np.int64, [m.indptr for m in both]),
            _each(np.int32, [m.indices for m in both]),
            _each(np.float64, [m.data for m in both]),
            _each(np.float32, [m.data for m in both]),
            None if own is None else np.ascontiguousarray(own, dtype=np.float64),
        )


def _each(dtype: Any, arrays: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    first, second = (np.ascontiguousarray(a, dtype=dtype) for a in arrays)
    return first, second


def fit(
    form: Form,
    matrix: Matrix,
    ridge: Tensor,
    mass: float,
    blocks: int,
    start: Tensor,
    gamma: float,
    limits: tuple[int, int, float, float],
) -> tuple[Tensor, Tensor]:
    """Coefficients [models, C, p + 1] and whether each model converged [models].

    ridge   [models], of the mean loss
    mass    what all rows count for
    blocks  how many of the fullest columns have their part of the Hessian inverted whole
    limits  steps, products per step, the part of the gradient that a step may leave, tolerance
    """
    # models that take about as many products go side by side
    order = torch.argsort(ridge, stable=True)
    form, ridge = form.take(order), ridge[order]
    ends = form.ends
    parts = [(label, a, b) for label, (a, b) in enumerate(itertools.pairwise(ends)) if a < b]
    bounds = np.array(parts, dtype=np.int64)
    labels = [label for label, _, _ in parts]
    chain, shift, weight = (
        torch.stack([of(label) for label in labels]).double().contiguous()
        for of in (form.chain, form.shift, lambda label: form.weight[:, label] / mass)
    )
    theta = start.double()[order].contiguous()
    converged = torch.zeros(form.models, dtype=torch.bool)
    ridge = ridge.double().contiguous()
    arrays = [*matrix.ends, *matrix.index, *matrix.exact, *matrix.light, matrix.own, bounds]
    tensors = [chain, shift, weight, ridge]
    steps, products, residual, tolerance = limits
    _native.sparse_newton(
        [
            *(0 if a is None else a.ctypes.data for a in arrays),
            *(t.data_ptr() for t in tensors),
            matrix.order.ctypes.data,
            theta.data_ptr(),
            converged.data_ptr(),
        ],
        [matrix.rows, len(matrix.order), matrix.width, form.models, form.width, len(parts), steps, products, blocks],
        gamma,
        tolerance,
        residual,
    )
    back = torch.argsort(order)
    return theta[back], converged[back]
