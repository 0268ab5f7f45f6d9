"""Passes over the rows, Hessians and steps, by the C++ core where it is there: native/linear.cpp, native/hessian.cpp.

It knows cross-entropy and focal loss; other curves and machines without a compiler take plain torch.
"""

import dataclasses

import torch
from torch import Tensor

from ... import core
from ...curves import Focal, Log
from .forms import Form, Sigmoid, Softmax

_native = core.load()
THERE = hasattr(_native, "linear_pass")  # a core that was built before these passes lacks them
SEVERAL = hasattr(_native, "linear_focal")  # and before focal loss of several logits
FORMS = 3  # of a table whose numbers are kept, beside the last one's
BENT = hasattr(_native, "linear_hessian")  # and before Hessians


def gamma(form: Form) -> float | None:
    """Focal loss's, 0 for cross-entropy; None where the core does not know the form."""
    if not THERE:
        return None
    if isinstance(form, Softmax):
        curves = (form.curve, form.curve)
    elif isinstance(form, Sigmoid):
        curves = form.curves
    else:
        return None
    first, other = curves
    if isinstance(first, Log) and isinstance(other, Log):
        return 0.0
    if isinstance(form, Softmax) and not SEVERAL:
        return None
    same = isinstance(first, Focal) and isinstance(other, Focal) and first.gamma == other.gamma > 0
    return float(first.gamma) if same and isinstance(first, Focal) else None


@dataclasses.dataclass(frozen=True)
class Table:
    """X [rows, p], the ones last, as float32 or float64; `own` [rows] alike is how much each row counts, or None; `bounds` [parts, 3]
    are label, start and stop, `shares` [parts] what a row of the part counts beside that, of the whole. `made` is what the last
    forms came to."""

    X: Tensor
    own: Tensor | None
    bounds: Tensor
    shares: Tensor
    made: list[tuple[Form, tuple[Tensor, Tensor, Tensor]]] = dataclasses.field(default_factory=list)

    def of(self, form: Form) -> tuple[Tensor, Tensor, Tensor]:
        """chain [parts, models], shift [parts, models, C] and scale [parts, models]"""
        for known, tables in self.made:
            if known is form:
                return tables
        chain, shift, weight = form.by_label(self.bounds[:, 0])
        scale = weight * self.shares[:, None]
        self.made[FORMS:] = []
        self.made.insert(0, (form, (chain.contiguous(), shift.contiguous(), scale.contiguous())))
        return self.made[0][1]


def run(table: Table, form: Form, theta: Tensor, dtype: torch.dtype, valued: bool) -> tuple[Tensor, Tensor]:
    """The mean loss [models] if `valued`, else zeros, and its gradient [models, C, p]; within blocks of rows
    computed in dtype. The form must have a `gamma`."""
    theta = theta.contiguous()
    out, value = torch.zeros_like(theta), theta.new_zeros(len(theta))
    _native.linear_pass(*_call(table, form, theta, out, value if valued else None), dtype == torch.float64)
    return value, out


def hessian(table: Table, form: Form, theta: Tensor, dtype: torch.dtype, exact: bool) -> Tensor:
    """Of the mean loss, [models, C, p, C, p]; within blocks of rows computed in dtype. The form must have a `gamma`."""
    models, C, p = theta.shape
    theta = theta.contiguous()
    out = theta.new_zeros(models, C, p, C, p)
    _native.linear_hessian(*_call(table, form, theta, out), dtype == torch.float64, exact)
    return out


def _call(
    table: Table, form: Form, theta: Tensor, *out: Tensor | None
) -> tuple[list[int], list[int], float | None, bool]:
    """Addresses, sizes, gamma, and whether the rows are float64."""
    models, C, p = theta.shape
    tensors = (table.X, table.own, table.bounds, theta, *table.of(form), *out)
    sizes = [table.X.stride(0), p, models, C, len(table.bounds)]
    addresses = [0 if t is None else t.data_ptr() for t in tensors]
    return addresses, sizes, gamma(form), table.X.dtype == torch.float64


def steps(moves: Tensor, changes: Tensor, rho: Tensor, gradient: Tensor, factor: Tensor, which: Tensor) -> Tensor:
    """(L L^T)^-1 gradient [models, C, p], corrected by moves and changes [pairs, models, C, p] with rho [pairs, models]; L is
    factor[which[model]], float32 [factors, C p, C p]."""
    gradient, out = gradient.contiguous(), torch.empty_like(gradient, memory_format=torch.contiguous_format)
    tensors = (moves, changes, rho, gradient, factor, which, out)
    _native.linear_steps([t.data_ptr() for t in tensors], len(gradient), gradient[0].numel(), len(rho))
    return out
