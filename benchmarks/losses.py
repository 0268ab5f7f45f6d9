"""Our losses, plain torch so far, against torch's own: forward and backward, one thread."""

import functools
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

import steelyard as sy

from .measure import in_turn, write

Loss = Callable[[Tensor, Tensor], Tensor]
CE_SHAPES = [(128, 10), (65536, 10), (16384, 1000), (8, 19, 256, 256), (2, 3, 96, 96, 96)]
BINARY_SHAPES = [(128, 10), (65536, 80), (1_000_000,)]


def ce(rounds: int) -> None:
    """Class weights alone, and the full recipe, over F.cross_entropy with the same class weights."""
    rows = []
    for shape in CE_SHAPES:
        size = shape[1]
        weight = torch.rand(size) + 0.5
        full = sy.mix(
            sy.fixed(weight=weight, offset=[torch.randn(size).tolist()], scale=torch.rand(size) + 0.5),
            sy.smooth(0.1),
            sy.focal(),
        )
        variants: dict[str, Loss] = {
            "torch": functools.partial(F.cross_entropy, weight=weight),
            "drop-in": sy.CrossEntropyLoss(weight=weight),
            "weights": sy.CrossEntropy(sy.fixed(weight=weight)),
            "full recipe": sy.CrossEntropy(full),
        }
        target = torch.randint(0, size, (shape[0], *shape[2:]))
        rows.append(_row(shape, target, variants, rounds))
    print(write("ce", rows))


def binary(rounds: int) -> None:
    """pos_weight, and focal with it, over F.binary_cross_entropy_with_logits with the same pos_weight."""
    rows = []
    for shape in BINARY_SHAPES:
        positive = torch.tensor(9.0)
        recipe = sy.fixed(weight=[1.0, 9.0])
        variants: dict[str, Loss] = {
            "torch": functools.partial(F.binary_cross_entropy_with_logits, pos_weight=positive),
            "drop-in": sy.BCEWithLogitsLoss(pos_weight=positive),
            "weights": sy.BinaryCrossEntropy(recipe),
            "focal": sy.BinaryCrossEntropy(sy.mix(recipe, sy.focal())),
        }
        rows.append(_row(shape, (torch.rand(shape) < 0.1).float(), variants, rounds))
    print(write("binary", rows))


def _row(shape: tuple[int, ...], target: Tensor, variants: dict[str, Loss], rounds: int) -> dict[str, Any]:
    torch.set_num_threads(1)
    logits = torch.randn(shape, requires_grad=True)
    found = in_turn({name: functools.partial(_step, loss, logits, target) for name, loss in variants.items()}, rounds)
    told = ", ".join(f"{name} {t['median_ms']:.3g} ms (x{t['ratio']:.2f})" for name, t in found.items())
    print(f"{list(shape)}: {told}", flush=True)
    return {"shape": list(shape), "dtype": "float32", "variants": found}


def _step(loss: Loss, logits: Tensor, target: Tensor) -> None:
    logits.grad = None
    loss(logits, target).backward()
