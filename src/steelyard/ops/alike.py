"""A call like one before: what was found out about a kind of call stays with its Bound, so that the next of its kind goes straight to
the kernel. Of a small call, looking again takes longer than computing.
"""

from typing import Any

import torch
from torch import Tensor

from . import choice, fused, kernels, native, tables
from .bound import Bound
from .watched import forward_mode, transformed

PLACE = "alike"  # in a Bound's cache
TYPES = (Tensor, torch.nn.Parameter)


class Alike:
    """One kind of call on the CPU: everything about its tensors but their values. No call weight, nothing consumed."""

    __slots__ = (
        "chosen",
        "class_dim",
        "dtype",
        "form",
        "ignore",
        "kernels",
        "plan",
        "shape",
        "tables",
        "target",
        "target_dtype",
    )

    def __init__(self, logits: Tensor, target: Tensor, bound: Bound, ignore: int, class_dim: int):
        call = native.Call(logits, target, bound, None, ignore)
        self.shape, self.dtype, self.target, self.target_dtype = logits.shape, logits.dtype, target.shape, target.dtype
        self.ignore, self.class_dim, self.chosen = ignore, class_dim, choice.chosen()
        self.tables, self.plan, self.form = tables.layout(bound).tensors, call.plan, call.form()
        self.kernels = fused.Kernels(native.KERNELS.name, native.refusal, self._call, native.scale)

    def fits(self, logits: Tensor, target: Tensor, ignore: int, class_dim: int) -> bool:
        return (
            not transformed()
            and type(logits) in TYPES
            and type(target) in TYPES
            and logits.shape == self.shape
            and target.shape == self.target
            and logits.dtype is self.dtype
            and target.dtype is self.target_dtype
            and ignore == self.ignore
            and class_dim == self.class_dim
            and choice.chosen() is self.chosen
            and logits.is_cpu
            and target.is_cpu
            and logits.is_contiguous()
            and target.is_contiguous()
            and not target.requires_grad
            and not forward_mode()
            and not any([table.requires_grad for table in self.tables])
        )

    def _call(self, logits: Tensor, target: Tensor, *_: object) -> Any:
        return _Ready(self, logits, target)


class _Ready:
    """See fused.Call; of its methods what a mean needs."""

    __slots__ = ("alike", "logits", "target")

    def __init__(self, alike: Alike, logits: Tensor, target: Tensor):
        self.alike, self.logits, self.target = alike, logits, target

    def room(self) -> Tensor:
        return native.room(self.logits)

    def mean(self, gradient: Tensor | None, norm: str | float) -> Tensor:
        return native.mean(self.alike.plan, self.alike.form, self.logits, gradient, self.target, None, norm)


def total(
    logits: Any,
    target: Any,
    bound: Bound,
    ignore: int,
    class_dim: int,
    norm: str | float,
    dtype: torch.dtype = torch.float32,
) -> Tensor | None:
    """As plan.total, in `dtype`, of a call that is like the last one of this Bound; None where it is not, or holds a label that is no class."""
    known = bound.cache.get(PLACE)
    if known is None or not known.fits(logits, target, ignore, class_dim):
        return None
    try:
        return fused.reduced(known.kernels, logits, target, bound, None, ignore, norm, dtype=dtype)
    except IndexError:
        return None


def remember(logits: Tensor, target: Tensor, bound: Bound, ignore: int, class_dim: int) -> None:
    """After a call whose tensors needed no other layout: the next may be like it. What native kernels do not serve is forgotten."""
    if (
        not native.FORMS
        or kernels.of(logits.device) is not native.KERNELS
        or native.refusal(logits, target, bound, None)
    ):
        return
    soft = native.SHARES if not bound.link.exclusive else {torch.float32: native.SOFT}
    readable = target.dtype in native.LABELS or target.dtype in soft
    if readable and logits.is_cpu and logits.is_contiguous() and target.is_contiguous() and -(2**31) <= ignore < 2**31:
        bound.cache[PLACE] = Alike(logits, target, bound, ignore, class_dim)
