"""Our losses against what people use: forward and backward, time and memory, in turn in one process.

ratio      of the first variant's time to this one's, round by round
extra_mib  memory of one step beyond the logits and target, their gradient included
Shapes, types and threads that are not asked for stay in the results as they are.
"consumed" gradients take the memory of the logits; "copy" is torch's copy of the logits, the floor of such a step
"""

import argparse
import functools
import time
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

import steelyard as sy

from . import peers
from .measure import in_turn, peak, together, write
from .peers import Loss

CE_SHAPES = [(128, 10), (65536, 10), (16384, 1000), (4096, 32000), (8, 19, 256, 256), (2, 3, 96, 96, 96)]
BINARY_SHAPES = [(128, 10), (65536, 80), (10_000_000,)]
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}
IGNORED = 255


def ce(arguments: Sequence[str]) -> None:
    _program("ce", arguments, CE_SHAPES, _ce)


def binary(arguments: Sequence[str]) -> None:
    _program("binary", arguments, BINARY_SHAPES, _binary)


def _program(
    name: str,
    arguments: Sequence[str],
    shapes: list[tuple[int, ...]],
    variants: Callable[[tuple[int, ...], torch.dtype], tuple[Tensor, dict[str, dict[str, Any]]]],
) -> None:
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks {name}", description=__doc__)
    parser.add_argument("--rounds", type=int, default=11, help="how often each variant runs, in turn")
    parser.add_argument("--threads", default="1,2", help="of torch, with commas; CPU time for one, wall time for more")
    parser.add_argument("--dtypes", default=",".join(DTYPES))
    parser.add_argument("--shapes", default="", help="such as 65536x10,8x19x256x256; default: all")
    options = parser.parse_args(arguments)
    wanted = {tuple(map(int, s.split("x"))) for s in options.shapes.split(",") if s}
    rows, path = [], None
    for threads in map(int, options.threads.split(",")):
        for shape in shapes:
            for dtype in options.dtypes.split(","):
                if wanted and shape not in wanted:
                    continue
                torch.manual_seed(0)
                torch.set_num_threads(threads)
                target, groups = variants(shape, DTYPES[dtype])
                for group, losses in groups.items():
                    found = _measured(shape, DTYPES[dtype], target, losses, options.rounds, threads)
                    rows.append(
                        {"shape": list(shape), "dtype": dtype, "threads": threads, "group": group, "variants": found}
                    )
                    told = ", ".join(f"{n} {t['median_ms']:.3g} ms x{t['ratio']:.2f}" for n, t in found.items())
                    print(f"{'x'.join(map(str, shape))} {dtype} {threads} threads, {group}: {told}", flush=True)
                    whole = together(name, rows, "shape", "dtype", "threads", "group")
                    path = write(name, whole, sets=_sets(), peers=peers.versions())  # at once: a run takes long
    print(path)


def _sets() -> list[str]:
    """Instruction sets of the native kernels here, best last; empty without them."""
    from steelyard.ops import native

    return list(native._native.sets()) if native.available() else []


def _ce(shape: tuple[int, ...], dtype: torch.dtype) -> tuple[Tensor, dict[str, dict[str, Any]]]:
    """Class weights and smoothing over F.cross_entropy with the same; every field of a recipe over class weights alone."""
    size = shape[1]
    target = torch.randint(0, size, (shape[0], *shape[2:]))
    target.view(-1)[::50] = IGNORED if size > IGNORED else -100
    ignore = IGNORED if size > IGNORED else -100
    weight = torch.rand(size) + 0.5
    eager = functools.partial(F.cross_entropy, weight=weight.to(dtype), label_smoothing=0.1, ignore_index=ignore)
    ours = sy.CrossEntropyLoss(weight=weight, label_smoothing=0.1, ignore_index=ignore)
    weights = sy.fixed(weight=weight)
    eating = sy.CrossEntropy(sy.mix(weights, sy.smooth(0.1)), ignore_index=ignore, consume_logits=True)
    full = sy.CrossEntropy(
        sy.mix(
            sy.fixed(weight=weight, offset=[torch.randn(size).tolist()], scale=torch.rand(size) + 0.5),
            sy.smooth(0.1),
            sy.focal(),
        ),
        ignore_index=ignore,
    )
    no_curve = sy.CrossEntropy(
        sy.mix(
            sy.fixed(weight=weight, offset=[torch.randn(size).tolist()], scale=torch.rand(size) + 0.5), sy.smooth(0.1)
        ),
        ignore_index=ignore,
    )
    pixels = torch.rand(target.shape) + 0.5
    plain = sy.CrossEntropy(weights, ignore_index=ignore)
    return target, {
        "weights and smoothing": {
            "eager": eager,
            "compile": peers.compiled(eager),
            "steelyard": ours,
            "steelyard consumed": eating,
            "copy": None,
        },
        "every field": {
            "class weights": plain,
            "and offset, scale, smoothing, pixels": lambda x, y: no_curve(x, y, weight=pixels),
            "and focal": lambda x, y: full(x, y, weight=pixels),
        },
    }


def _binary(shape: tuple[int, ...], dtype: torch.dtype) -> tuple[Tensor, dict[str, dict[str, Any]]]:
    target = (torch.rand(shape) < 0.1).to(dtype)
    positive = torch.full(shape[1:2], 9.0).to(dtype) if len(shape) > 1 else torch.tensor(9.0, dtype=dtype)
    bce = functools.partial(F.binary_cross_entropy_with_logits, pos_weight=positive)
    recipe = sy.Recipe(weight=[0.75, 0.25], curve=sy.curves.Focal(2.0))
    labels = target.to(torch.uint8)
    focal, asymmetric = sy.BinaryCrossEntropy(recipe), sy.BinaryCrossEntropy(sy.asymmetric(gamma_pos=1.0))
    return target, {
        "pos_weight": {
            "eager": bce,
            "compile": peers.compiled(bce),
            "steelyard": sy.BCEWithLogitsLoss(pos_weight=positive.float()),
            "copy": None,
        },
        "focal": {
            "eager": peers.focal,
            "compile": peers.compiled(peers.focal),
            **peers.packages("focal"),
            "steelyard": focal,
            "steelyard, uint8 labels": lambda x, _: focal(x, labels),
        },
        "asymmetric": {
            "eager": peers.asymmetric,
            "compile": peers.compiled(peers.asymmetric),
            **peers.packages("asymmetric"),
            "steelyard": asymmetric,
            "steelyard, uint8 labels": lambda x, _: asymmetric(x, labels),
        },
    }


def _measured(
    shape: tuple[int, ...],
    dtype: torch.dtype,
    target: Tensor,
    losses: dict[str, Loss | None],
    rounds: int,
    threads: int,
) -> dict[str, dict[str, Any]]:
    logits = torch.randn(shape).to(dtype)
    leaf, out = logits.clone().requires_grad_(), torch.empty_like(logits)
    steps: dict[str, Callable[[], object]] = {}
    for name, loss in losses.items():
        if loss is None:
            steps[name] = functools.partial(out.copy_, logits)
        elif getattr(loss, "consume_logits", False):
            steps[name] = functools.partial(_eat, loss, leaf, out, target)
        else:
            steps[name] = functools.partial(_step, loss, leaf, target)
    found = in_turn(steps, rounds, clock=time.process_time if threads == 1 else time.perf_counter)
    for name, step in steps.items():
        found[name]["extra_mib"] = peak(step, lambda: setattr(leaf, "grad", None))
    return found


def _step(loss: Loss, logits: Tensor, target: Tensor) -> None:
    loss(logits, target).backward()
    logits.grad = None  # here, so that each variant pays for its own


class _Held(torch.autograd.Function):
    """What a model computed, in memory that is used again: the logits of a step that consumes them."""

    @staticmethod
    def forward(ctx: Any, leaf: Tensor, held: Tensor) -> Tensor:
        return held.detach()

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> tuple[None, None]:  # type: ignore[override]
        return None, None


def _eat(loss: Loss, leaf: Tensor, held: Tensor, target: Tensor) -> None:
    loss(_Held.apply(leaf, held), target).backward()
