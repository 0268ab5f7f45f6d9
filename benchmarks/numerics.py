"""Losses and gradients against mpmath, at logits where formulas break: ours and what people use.

Of each implementation, type and gamma, over a grid of logits with both labels: how many losses or gradients are not finite, how
many are zero where the exact number is a normal float32, and the largest relative error of the rest.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import mpmath
import torch
from torch import Tensor
from torch.nn import functional as F

import steelyard as sy

from . import peers
from .measure import write

GAMMAS = (0.0, 0.3, 0.5, 1.0, 2.0, 5.0)
SIZES = (0.0, 0.1, 1.0, 3.0, 8.0, 16.0, 17.0, 20.0, 40.0, 80.0, 88.0, 89.0, 104.0, 200.0, 1e3, 1e4)
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
SMALLEST = {
    "float32": 1.2e-38,
    "bfloat16": 1.2e-38,
    "float16": 6.2e-5,
}  # of what the gradient, in the logits' type, can hold
Loss = Callable[[Tensor, Tensor], Tensor]  # (logits, float targets) -> one loss each


def numerics(arguments: Sequence[str]) -> None:
    argparse.ArgumentParser(prog="python -m benchmarks numerics", description=__doc__).parse_args(arguments)
    rows = []
    for dtype in DTYPES:
        z, y = _grid(dtype)
        for gamma in GAMMAS:
            exact = [_exact(a, b, gamma) for a, b in zip(z.tolist(), y.tolist(), strict=True)]
            for who, loss in _implementations(gamma):
                found = _compare(loss, z, y, exact, SMALLEST[dtype])
                rows.append({"who": who, "dtype": dtype, "gamma": gamma, "cells": 2 * len(exact), **found})
                print(
                    ", ".join(f"{k} {v:.2g}" if isinstance(v, float) else f"{v}" for k, v in rows[-1].items()),
                    flush=True,
                )
    print(write("numerics", rows, peers=peers.versions(), edges=_edges()))


def _grid(dtype: str) -> tuple[Tensor, Tensor]:
    largest = 1e4 if dtype == "float32" else 1e3
    one = torch.tensor([s * size for size in SIZES if size <= largest for s in (1, -1)]).to(DTYPES[dtype])
    return one.repeat(2), torch.cat([torch.zeros(len(one)), torch.ones(len(one))])


def _exact(z: float, y: float, gamma: float) -> tuple[float, float]:
    """(1 - p)^gamma (-log p) and its derivative to z, p = sigmoid(z) or sigmoid(-z): Lin et al. 2017, eq. 4."""
    with mpmath.workdps(60):
        u = mpmath.mpf(z if y else -z)
        p, q = 1 / (1 + mpmath.exp(-u)), 1 / (1 + mpmath.exp(u))
        logp = -mpmath.log1p(mpmath.exp(-u))
        loss = -(q**gamma) * logp
        slope = q**gamma * (gamma * p * logp - q)
        return float(loss), float(slope if y else -slope)


def _implementations(gamma: float) -> Iterator[tuple[str, Loss]]:
    recipe = sy.Recipe(curve=sy.curves.Focal(gamma)) if gamma else sy.Recipe()
    binary, softmax = sy.BinaryCrossEntropy(recipe, reduction="none"), sy.CrossEntropy(recipe, reduction="none")
    yield "steelyard, one logit", binary
    yield "steelyard, two classes", lambda z, y: softmax(torch.stack([torch.zeros_like(z), z], dim=1), y.long())
    if gamma == 0:
        yield "torch binary_cross_entropy_with_logits", lambda z, y: _bce(z, y)
        yield (
            "torch cross_entropy",
            lambda z, y: F.cross_entropy(torch.stack([torch.zeros_like(z), z], dim=1), y.long(), reduction="none"),
        )
    yield "formula through sigmoid and BCE", lambda z, y: peers.focal_of(z, y.to(z.dtype), gamma)
    yield from peers.focal_each(gamma).items()


def _bce(z: Tensor, y: Tensor) -> Tensor:
    return F.binary_cross_entropy_with_logits(z, y.to(z.dtype), reduction="none")


def _compare(loss: Loss, z: Tensor, y: Tensor, exact: list[tuple[float, float]], smallest: float) -> dict[str, Any]:
    x = z.clone().requires_grad_()
    value = loss(x, y)
    (slope,), value = torch.autograd.grad(value.sum(), x), value.detach()
    bad = zeros = 0
    worst = [0.0, 0.0]
    for i, pair in enumerate(exact):
        for k, got in enumerate((float(value[i]), float(slope[i]))):
            should = pair[k]
            if not torch.tensor(got).isfinite():
                bad += 1
            elif got == 0 and abs(should) > smallest:
                zeros += 1
            elif abs(should) > smallest:
                worst[k] = max(worst[k], abs(got - should) / abs(should))
    return {"not_finite": bad, "zero": zeros, "worst_loss": worst[0], "worst_gradient": worst[1]}


def _edges() -> dict[str, Any]:
    """Logits that are infinite, or ignored and NaN: loss and gradient as they come out."""
    found = {}
    for name, z, y in (
        ("+inf where it is right", [0.0, torch.inf], 1),
        ("-inf where it is right", [0.0, -torch.inf], 0),
        ("NaN, ignored", [0.0, torch.nan], -100),
    ):
        for who, loss in (("steelyard", sy.CrossEntropy()), ("torch", F.cross_entropy)):
            x = torch.tensor([z, [1.0, 0.0]], requires_grad=True)
            value = loss(x, torch.tensor([y, 0]))
            (slope,) = torch.autograd.grad(value, x)
            found[f"{name}: {who}"] = {
                "loss": str(float(value.detach())),
                "gradient": [str(g) for g in slope[0].tolist()],
            }
    return found
