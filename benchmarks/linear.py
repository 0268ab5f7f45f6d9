"""LinearCrossEntropy against the layer and the loss apart, and torch's own: forward and backward, time and memory, one thread.

Class weights without smoothing, with which torch's own makes all logits.
"""

import argparse
import functools
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

import steelyard as sy

from .measure import in_turn, peak, together, write

TOKENS, HIDDEN, CLASSES = 4096, 512, 32000
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def linear(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks linear", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--dtypes", default=",".join(DTYPES), help="the others stay in the results as they are")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    rows = []
    for dtype in options.dtypes.split(","):
        torch.manual_seed(0)
        hidden = torch.randn(TOKENS, HIDDEN).to(DTYPES[dtype]).requires_grad_()
        matrix = (torch.randn(CLASSES, HIDDEN) / HIDDEN**0.5).to(DTYPES[dtype]).requires_grad_()
        target, weight = torch.randint(0, CLASSES, (TOKENS,)), torch.rand(CLASSES) + 0.5
        steps = {
            name: functools.partial(_step, loss, hidden, matrix, target)
            for name, loss in _variants(weight, dtype).items()
        }
        steps["the three products alone"] = functools.partial(_products, hidden, matrix)
        found = in_turn(steps, options.rounds)
        for name, step in steps.items():
            found[name]["extra_mib"] = peak(step, functools.partial(_drop, hidden, matrix))
        shape = [TOKENS, CLASSES]
        rows.append({"shape": shape, "dtype": dtype, "threads": 1, "group": f"hidden {HIDDEN}", "variants": found})
        told = ", ".join(
            f"{n} {t['median_ms']:.0f} ms x{t['ratio']:.2f} {t['extra_mib']:.0f} MiB" for n, t in found.items()
        )
        print(f"{shape} {dtype}: {told}", flush=True)
    print(write("linear", together("linear", rows, "shape", "dtype", "group")))


def _variants(weight: Tensor, dtype: str) -> dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]]:
    ours = sy.LinearCrossEntropy(sy.Recipe(weight=weight.tolist(), norm="mass"))
    narrow = weight.to(DTYPES[dtype])
    found: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
        "eager": lambda h, w, y: F.cross_entropy(h @ w.t(), y, weight=narrow),
        "steelyard": lambda h, w, y: ours(h, w, y),
    }
    if hasattr(F, "linear_cross_entropy"):
        options: Any = getattr(torch.nn, "LinearCrossEntropyOptions", None)
        chunked = None if options is None else options()
        found["torch.linear_cross_entropy"] = lambda h, w, y: F.linear_cross_entropy(
            h, w, y, weight=narrow, options=chunked
        )
    return found


def _drop(*leaves: Tensor) -> None:
    for leaf in leaves:
        leaf.grad = None


def _step(loss: Callable[[Tensor, Tensor, Tensor], Tensor], hidden: Tensor, matrix: Tensor, target: Tensor) -> None:
    _drop(hidden, matrix)
    loss(hidden, matrix, target).backward()


def _products(hidden: Tensor, matrix: Tensor) -> None:
    """In chunks of 256 rows, so that nothing as large as all logits is made."""
    with torch.no_grad():
        out = torch.zeros_like(matrix)
        for h in hidden.split(256):
            z = h @ matrix.t()
            torch.mm(z, matrix)
            out.addmm_(z.t(), h)
