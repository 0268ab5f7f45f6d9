"""Which backend computes the terms, and why."""

import warnings
from typing import NamedTuple

import torch
from torch import Tensor

from . import compiled, eager, fused, gpu, kernels, learned, native, reference
from .bound import Bound
from .reference import Terms
from .watched import forward_mode, of_a_transform

LARGE = 2**20  # logits
_said = False

BACKENDS = {"reference": reference.terms, "eager": eager.terms, "native": native.terms, "triton": gpu.terms}


class Plan(NamedTuple):
    backend: str
    why: str


def plan(logits: Tensor, target: Tensor, bound: Bound, weight: Tensor | None) -> Plan:
    """The fastest backend that gives every gradient this call needs."""
    fastest = kernels.of(logits.device)
    why = fastest.refusal(logits, target, bound, weight)
    if not why:
        return Plan(fastest.name, "loss and gradient in one pass")
    if bound.live or target.requires_grad or forward_mode() or of_a_transform(bound.tensors):
        return Plan("reference", why)
    return Plan("eager", why)


def terms(
    logits: Tensor,
    target: Tensor,
    bound: Bound,
    weight: Tensor | None = None,
    *,
    ignore_index: int = -100,
    backend: str | None = None,
) -> Terms:
    """Unreduced loss, mass and lse of logits [N, C, *space] (sigmoid: any shape, class axis 1); see reference.terms."""
    chosen = plan(logits, target, bound, weight).backend if backend is None else backend
    return BACKENDS[chosen](logits, target, bound, weight, ignore_index)


def total(
    logits: Tensor,
    target: Tensor,
    bound: Bound,
    weight: Tensor | None,
    ignore_index: int,
    norm: str | float,
    consume: bool = False,
) -> Tensor | None:
    """The sum of the losses over what `norm` says, loss and gradient in one pass; None where no backend has that.

    consume  the gradient may take the memory of the logits
    """
    if torch.compiler.is_compiling():
        if compiled.refusal(logits, target, bound, weight):
            return None
        return compiled.total(logits, target, bound, weight, ignore_index, norm)
    fastest = kernels.of(logits.device)
    if fastest.refusal(logits, target, bound, weight):
        _say_once(logits)
        return learned.total(fastest, logits, target, bound, weight, ignore_index, norm) if bound.live else None
    return fused.reduced(fastest, logits, target, bound, weight, ignore_index, norm, consume)


def _say_once(logits: Tensor) -> None:
    """That the native core is missing, at the first call where it would have mattered."""
    global _said
    if not _said and not native.available() and logits.device.type == "cpu" and logits.numel() >= LARGE:
        _said = True
        warnings.warn(
            "steelyard: the native core is not built, so this loss is several times slower than it could be. Install steelyard"
            " where there is a C++ compiler; `steelyard doctor` says more.",
            stacklevel=2,
        )
