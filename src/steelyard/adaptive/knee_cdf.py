"""Distributions of a ratio X / V, for F_beta = X / V with X = (1 + beta^2) TP and V = X + beta^2 FN + FP.

Both work on numbers and tensors that broadcast, in float64, and look at no value.
"""

import math
from typing import Any

import torch
from torch import Tensor
from torch.special import erfcx, ndtr

SHARP = 1e8  # mean / spread from which a normal X is a point, to the last digit of float64


def uniform_ratio(z: Any, *, x: tuple[Any, Any], v: tuple[Any, Any]) -> Tensor:
    """Pr(X / V <= z) for X ~ U(x[0], x[1]) and V ~ U(v[0], v[1]), independent, V > 0.

        E_V [ clip((z V - a) / (b - a), 0, 1) ],        (a, b) = x

    which is the mean of a clipped line over the interval z V runs through. An interval may have no length.

    >>> round(uniform_ratio(0.5, x=(0.0, 1.0), v=(1.0, 2.0)).item(), 4)
    0.75
    """
    z, a, b, c, d = _wide(z, *x, *v)
    low, high = torch.minimum(z * c, z * d), torch.maximum(z * c, z * d)
    # where z V is a point, and where X is one, the line is asked at a point
    width, length = b - a, high - low
    inside = torch.minimum(torch.maximum(high, a), b) - torch.minimum(torch.maximum(low, a), b)
    middle = (torch.minimum(torch.maximum(high, a), b) + torch.minimum(torch.maximum(low, a), b)) / 2
    height = torch.where(width > 0, (middle - a) / torch.where(width > 0, width, 1.0), 0.0)
    above = (high - torch.maximum(low, b)).clamp(min=0)
    spread = (inside * height + above) / torch.where(length > 0, length, 1.0)
    point = torch.where(width > 0, ((low - a) / torch.where(width > 0, width, 1.0)).clamp(0, 1), (low >= a).to(z.dtype))
    return torch.where(length > 0, spread, point)


def normal_exponential_ratio(z: Any, *, mean: Any, spread: Any, rate: Any) -> Tensor:
    """Pr(X / V <= z) for X ~ N(mean, spread^2) and V ~ Exp(rate), independent.

        Phi(-m) + exp(a^2 / 2 - a m) Phi(m - a),    m = mean / spread, a = rate spread / z        (z > 0)

    The second term is erfcx((a - m) / sqrt 2) exp(-m^2 / 2) / 2 where a > m, so that no exponential overflows. z <= 0
    by symmetry; spread may be 0.

    >>> round(normal_exponential_ratio(1.0, mean=1.0, spread=0.0, rate=1.0).item(), 4)  # Pr(V >= 1)
    0.3679
    """
    z, mean, spread, rate = _wide(z, mean, spread, rate)
    negative = z < 0
    mean, z = torch.where(negative, -mean, mean), z.abs()
    some = spread * SHARP > mean.abs()
    m = mean / torch.where(some, spread, 1.0)
    # at z = 0 no V is large enough
    a = torch.where(z > 0, rate * torch.where(some, spread, 1.0) / z, float("inf"))
    beyond = (a - m).clamp(min=0)
    far = erfcx(beyond / math.sqrt(2)) * torch.exp(-m * m / 2) / 2
    near = torch.where(a < m, a, 0.0)
    found = ndtr(-m) + torch.where(a < m, torch.exp(near * (near / 2 - m)) * ndtr(m - near), far)
    sure = torch.where(z > 0, torch.exp(-rate * (mean.clamp(min=0) / z)), 0.0)
    sure = torch.where(mean > 0, sure, 1.0)
    found = torch.where(some, found, sure).clamp(0, 1)
    return torch.where(negative, 1 - found, found)


def _wide(*values: Any) -> tuple[Tensor, ...]:
    device = next((v.device for v in values if isinstance(v, Tensor)), None)
    return tuple(torch.broadcast_tensors(*(torch.as_tensor(v, dtype=torch.float64, device=device) for v in values)))
