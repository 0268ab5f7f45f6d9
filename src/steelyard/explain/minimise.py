"""The lowest point of a smooth function of a few numbers, to the last digits that float64 has.

Limited-memory BFGS; a step is found by bisection, until the value fell and most of the slope along it is gone. torch.optim has one too, and brings torch._dynamo with it: seconds of
imports for milliseconds of work.
Source: Nocedal 1980, "Updating quasi-Newton matrices with limited storage"; the line search of Lewis and Overton 2013, "Nonsmooth
optimization via quasi-Newton methods", algorithm 2.6.
"""

import collections
import math
from collections.abc import Callable

import torch
from torch import Tensor

ROUNDS = 500
HISTORY = 30  # pairs of steps and changes of the slope
FALL, FLAT = 1e-4, 0.9  # of the first slope: what a step must gain of it, what may be left of it
HALVINGS = 60
ROUNDING = 1e-15  # of the value, within which it says nothing about a step and the slope alone decides


def lowest(of: Callable[[Tensor], Tensor], start: Tensor, enough: float = 1e-13) -> tuple[Tensor, Tensor]:
    """(where `of` has its minimum near `start` [n], its slope there), until no slope is above `enough` or nothing can be gained."""
    x, (value, slope) = start, _looked(of, start)
    pairs: collections.deque[tuple[Tensor, Tensor, float]] = collections.deque(maxlen=HISTORY)
    for _ in range(ROUNDS):
        if not bool(slope.isfinite().all()) or float(slope.abs().max()) <= enough:
            break
        along = -_through(pairs, slope)
        if float(along @ slope) >= 0:
            pairs.clear()
            along = -slope
        first = 1.0 if pairs else min(1.0, 1.0 / float(slope.abs().sum()))
        found = _searched(of, x, value, slope, along, first)
        if found is None and not pairs:
            break
        if found is None:
            pairs.clear()
            continue
        new, new_value, new_slope = found
        step, change = new - x, new_slope - slope
        x, value, slope = new, new_value, new_slope
        if (curved := float(step @ change)) > 1e-10 * float(step @ step) ** 0.5 * float(change @ change) ** 0.5:
            pairs.append((step, change, 1 / curved))
    return x, slope


def _looked(of: Callable[[Tensor], Tensor], x: Tensor) -> tuple[float, Tensor]:
    at = x.detach().requires_grad_()
    value = of(at)
    (slope,) = torch.autograd.grad(value, at)
    return float(value.detach()), slope


def _through(pairs: "collections.deque[tuple[Tensor, Tensor, float]]", slope: Tensor) -> Tensor:
    """The inverse curvature of the last steps times the slope."""
    left, gains = slope.clone(), []
    for step, change, scale in reversed(pairs):
        gain = scale * float(step @ left)
        left = left - gain * change
        gains.append(gain)
    if pairs:
        _, change, scale = pairs[-1]
        left = left / (scale * float(change @ change))
    for (step, change, scale), gain in zip(pairs, reversed(gains), strict=True):
        left = left + step * (gain - scale * float(change @ left))
    return left


def _searched(
    of: Callable[[Tensor], Tensor], x: Tensor, value: float, slope: Tensor, along: Tensor, first: float
) -> tuple[Tensor, float, Tensor] | None:
    """(where, value, slope) after a step that gains enough; None where there is none."""
    steep, low, high, by = float(along @ slope), 0.0, math.inf, first
    for _ in range(HALVINGS):
        new = x + by * along
        if bool((new == x).all()):
            return None
        new_value, new_slope = _looked(of, new)
        left = float(along @ new_slope)
        if not new_value <= value + FALL * by * steep + ROUNDING * abs(value) or left > -FLAT * steep:
            high = by
        elif left < FLAT * steep:
            low = by
        else:
            return new, new_value, new_slope
        by = (low + high) / 2 if math.isfinite(high) else 2 * by
    return None
