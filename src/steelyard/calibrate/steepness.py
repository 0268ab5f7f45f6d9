"""log(-dg/dlog p) of every curve, kept in the log domain.

A curve's own `slope` underflows where p or 1 - p does; the undo divides by it, so it needs the logarithm. `logp` = log p
and `logq` = log(1 - p) are finite, however large. -inf marks a flat zone: no slope at all.
"""

import functools
import math

import torch
from torch import Tensor

from .. import curves
from ..curves import Curve


@functools.singledispatch
def log_steepness(curve: Curve, logp: Tensor, logq: Tensor) -> Tensor:
    """log(-slope); for a curve from elsewhere the logarithm of what its `slope` says."""
    steepness = -curve.slope(logp, logq.exp())
    return steepness.clamp(min=torch.finfo(steepness.dtype).tiny).log()  # what underflows is next to certain


@log_steepness.register
def _(curve: curves.Log, logp: Tensor, logq: Tensor) -> Tensor:
    return torch.zeros_like(logp)


@log_steepness.register
def _(curve: curves.Focal, logp: Tensor, logq: Tensor) -> Tensor:
    # 1 - gamma p (log p) / q, whose ratio goes to -1 as q -> 0
    certain = logq < math.log(torch.finfo(logq.dtype).tiny)
    ratio = torch.where(certain, -1.0, logp * (logp - logq.masked_fill(certain, 0.0)).exp())
    return curve.gamma * logq + torch.log1p(-curve.gamma * ratio)


@log_steepness.register
def _(curve: curves.Shifted, logp: Tensor, logq: Tensor) -> Tensor:
    m = (logq.exp() - curve.clip).clamp(min=0)
    rest = (logp.exp() + curve.clip).clamp(max=1.0)  # 1 - m
    flat = m <= 0
    safe = m.masked_fill(flat, 1.0)
    inside = logp + curve.gamma * safe.log() + (1 / rest - curve.gamma * rest.log() / safe).log()
    return inside.masked_fill(flat, -math.inf)


@log_steepness.register
def _(curve: curves.Poly, logp: Tensor, logq: Tensor) -> Tensor:
    if curve.epsilon >= 0:
        return torch.log1p(curve.epsilon * logp.exp())
    # (1 + eps) + |eps| q: at eps = -1 only q is left, which must not cancel
    left = math.log1p(curve.epsilon) if curve.epsilon > -1 else -math.inf
    return torch.logaddexp(torch.full_like(logq, left), math.log(-curve.epsilon) + logq)


@log_steepness.register
def _(curve: curves.GCE, logp: Tensor, logq: Tensor) -> Tensor:
    return curve.q * logp


@log_steepness.register
def _(curve: curves.Symmetric, logp: Tensor, logq: Tensor) -> Tensor:
    return (curve.alpha - curve.beta * curve.floor * logp.exp()).log()


@log_steepness.register
def _(curve: curves.Square, logp: Tensor, logq: Tensor) -> Tensor:
    return math.log(2.0) + logp + logq
