"""How the held-out loss changes with numbers that only the training loss sees."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

Tensors = Sequence[Tensor]


class Hyper(NamedTuple):
    """value: the held-out loss; gradients: its derivatives to the held numbers; growth: of the last term of the series."""

    value: Tensor
    gradients: list[Tensor]
    growth: Tensor


def hypergradient(
    inner: Callable[[Tensors, Tensors], Tensor],
    outer: Callable[[Tensors], Tensor],
    parameters: Tensors,
    held: Tensors,
    *,
    rate: float,
    terms: int,
    damping: float,
    look_ahead: bool,
) -> Hyper:
    """d outer(theta*) / d h, where theta* is what `inner(theta, h)` is trained to and h the held numbers.

        g = d inner / d theta,  H = d g / d theta + damping,  v_0 = d outer / d theta
        v_{k+1} = v_k - rate H v_k
        dh = - rate d/dh <g, v_0 + ... + v_terms>

    The sum goes to H^-1 v_0 / rate, where |1 - rate H| < 1, which makes dh the implicit derivative. look_ahead takes
    v_0 at theta - rate (g + damping theta): with terms=0 this is the derivative through exactly one step of gradient
    descent.
    """
    wanted = [p.detach().requires_grad_() for p in parameters]
    leaves = [h.detach().requires_grad_() for h in held]
    with torch.enable_grad():
        g = torch.autograd.grad(inner(wanted, leaves), wanted, create_graph=True, materialize_grads=True)
        at = wanted
        if look_ahead:
            at = [(p - rate * (d + damping * p)).detach().requires_grad_() for p, d in zip(wanted, g, strict=True)]
        value = outer(at)
    v = list(torch.autograd.grad(value, at, materialize_grads=True))
    total, first = list(v), _norm(v)
    for _ in range(terms):
        hv = torch.autograd.grad(g, wanted, v, retain_graph=True, materialize_grads=True)
        v = [a - rate * (b + damping * a) for a, b in zip(v, hv, strict=True)]
        total = [a + b for a, b in zip(total, v, strict=True)]
    mixed = torch.autograd.grad(g, leaves, [rate * t for t in total], materialize_grads=True)
    return Hyper(value.detach(), [-m for m in mixed], _norm(v) / first.clamp(min=torch.finfo(first.dtype).tiny))


def _norm(tensors: Tensors) -> Tensor:
    return torch.stack([t.detach().double().square().sum() for t in tensors]).sum().sqrt()
