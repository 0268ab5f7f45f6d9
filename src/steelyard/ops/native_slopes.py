"""Gradient and curvature of every row in C++ (native/slopes.cpp), in float64: what `losses.slopes` computes in torch elsewhere.

Tables are written out as the reference has them: it is asked for one row of every label.
"""

from typing import Any

import torch
from torch import Tensor

from .. import core
from ..curves import kernel
from . import reference
from .bound import Bound
from .reference import Labels
from .watched import forward_mode, transformed

_native: Any = core.load()

WORTH_A_THREAD = 2**14  # scores of a thread
LARGEST = 2**21  # numbers of one table; more is left to torch, which keeps rows and columns apart


def refusal(scores: Tensor, target: Tensor, weight: Tensor | None, bound: Bound) -> str:
    """Why this call is left to torch, or ""."""
    if not hasattr(_native, "slopes"):
        return "the native core is not installed"
    if any(
        t.device.type != "cpu" or type(t) is not Tensor for t in (scores, target, *([] if weight is None else [weight]))
    ):
        return "other tensors than those of the CPU"
    if transformed() or forward_mode():
        return "tensors that a transform watches"
    if scores.dtype != torch.float64 or scores.dim() > 2:
        return f"scores {list(scores.shape)} of {scores.dtype}"
    if target.is_floating_point():
        return "soft targets"
    if any(kernel(curve) is None for curve in (bound.yes, bound.no)):
        return f"the curve {type(bound.yes).__name__} has no kernel"
    if bound.link.exclusive and scores.shape[1] ** 2 > LARGEST:
        return "too many classes"
    return "" if not any(t.requires_grad for t in bound.tensors) else "a table of the recipe is being learned"


def slopes(
    scores: Tensor, target: Tensor, weight: Tensor | None, bound: Bound, ignore_index: int, exact: bool
) -> tuple[Tensor, Tensor] | None:
    """(gradient, curvature) of scores [N, C] or, of one logit, [N]; labels and weight as of the ops. None where a label is no class.

    Only for calls that `refusal` lets pass.
    """
    z, y = scores.contiguous(), target.long().contiguous()
    times = None if weight is None else weight.to(z).contiguous()
    first, second = torch.empty_like(z), torch.empty_like(z)
    width = z.shape[1] if z.dim() == 2 else 1
    key = f"slopes of {width}"
    if key not in bound.cache:
        bound.cache[key] = (_softmax if bound.link.exclusive else _sigmoid)(bound, width)
    tables, curves = bound.cache[key]
    places = [n for t in tables for n in ((0, 0) if t is None else (t.data_ptr(), 0 if len(t) == 1 else width))]
    buffers = [0 if t is None else t.data_ptr() for t in (z, y, times, first, second)]
    threads = max(1, min(torch.get_num_threads(), z.numel() // WORTH_A_THREAD))
    sizes = [ignore_index, len(z), width]
    right = _native.slopes(bound.link.exclusive, buffers, sizes, places, curves, exact, threads)
    return (first, second) if right else None


def _softmax(bound: Bound, C: int) -> tuple[list[Tensor | None], list[float]]:
    """Scale, offset with the margin in it, [C, C] or [1, C]; W T of the label [C, 1], of the other classes [C, C] or None."""
    like = torch.zeros(C, C, dtype=torch.float64)
    bound = bound.to(like, torch.float64)
    labels = Labels(torch.arange(C), None, torch.ones(C, dtype=torch.bool), None)
    offset = None if bound.offset is None else _by_label(bound.offset, C)
    if bound.margin is not None:
        offset = (like if offset is None else offset.expand(C, C)) - torch.diag(bound.margin.diagonal(C))
    scale = None if bound.scale is None else _by_label(bound.scale, C)
    labelled, others = reference.coefficients(labels, bound, like)
    own = labelled.diagonal()[:, None].expand(C, C)  # a stride of one row
    return [_own(t) for t in (scale, offset, own, others)], _curves(bound)


def _by_label(parts: Any, C: int) -> Tensor:
    return parts.dense(C if parts.by_label else 1, C)


def _sigmoid(bound: Bound, K: int) -> tuple[list[Tensor | None], list[float]]:
    """Scale or None, offset with the margin in it, and what the label asks of "is" and of "is not", each [2, K]."""
    like = torch.zeros(2, K, dtype=torch.float64)
    bound = bound.to(like, torch.float64)
    y = torch.tensor([0, 1])[:, None].expand(2, K)
    (branch,) = reference.branches(like, Labels(y, None, torch.ones(2, K, dtype=torch.bool), None), bound)
    scale = None if branch.scale is None else branch.scale.expand(2, K)
    return [_own(t) for t in (scale, *(t.expand(2, K) for t in (branch.u, branch.a, branch.b)))], _curves(bound)


def _own(t: Tensor | None) -> Tensor | None:
    return None if t is None else t.detach().contiguous()


def _curves(bound: Bound) -> list[float]:
    return [float(n) for curve in (bound.yes, bound.no) for n in (kernel(curve) or ())]
