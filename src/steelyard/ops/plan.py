"""Which backend computes the terms, and why."""

from typing import NamedTuple

from torch import Tensor

from . import eager, reference
from .bound import Bound
from .reference import Terms

BACKENDS = {"reference": reference.terms, "eager": eager.terms}


class Plan(NamedTuple):
    backend: str
    why: str


def plan(bound: Bound, target: Tensor, weight: Tensor | None) -> Plan:
    """The fastest backend that gives every gradient this call needs."""
    if bound.live:
        return Plan("reference", "a table of the recipe is being learned")
    if target.requires_grad:
        return Plan("reference", "the soft targets need a gradient")
    return Plan("eager", "plain torch, saving nothing but the inputs")


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
    chosen = plan(bound, target, weight).backend if backend is None else backend
    return BACKENDS[chosen](logits, target, bound, weight, ignore_index)
