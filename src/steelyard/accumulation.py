"""One optimiser step over several micro-batches and ranks, as if it were one batch on one machine."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

from torch import Tensor, nn

from .losses import RecipeLoss
from .reduce import global_mass


@contextlib.contextmanager
def accumulate(
    loss: nn.Module,
    target: Tensor | Sequence[Tensor],
    *,
    weight: Tensor | Sequence[Tensor | None] | None = None,
    group: Any = None,
    averaged: bool = False,
) -> Iterator[None]:
    """Inside, every mean of `loss` divides by what the whole step holds, and adaptive rules stand still.

        with sy.accumulate(loss, [y for _, y in batches]):
            for x, y in batches:
                loss(model(x), y).backward()
        optimizer.step()

    loss      CrossEntropy, BinaryCrossEntropy, LinearCrossEntropy, or a module that holds some, such as Sum
    target    all targets of this rank's step, as for the loss: a tensor or a list of micro-batches; weight alike
    group     the process group; None is all ranks
    averaged  True under DDP and FSDP, which average gradients over ranks

    Losses and gradients of micro-batches and ranks add up to those of one process with one batch; do not divide by the number of
    micro-batches again. What rules observed inside takes effect at the end, summed over ranks. Costs one all-reduce of one
    number per loss. Terms of a Sum that are not ours keep their own mean. ValueError for a loss without any of ours, for
    reduction other than "mean", and inside another `accumulate` of the same loss.
    """
    losses = [m for m in loss.modules() if isinstance(m, RecipeLoss)]
    if not losses:
        raise ValueError(f"accumulate: {type(loss).__name__} holds no steelyard loss; pass CrossEntropy or its kin.")
    for each in losses:
        if each.reduction != "mean":
            raise ValueError(
                f"accumulate: the loss has reduction={each.reduction!r}; only a mean is divided by anything."
            )
        if each._shared is not None:
            raise ValueError("accumulate: this loss is in another `accumulate` already; open one per optimiser step.")
    try:
        for each in losses:
            each._shared = global_mass(target, each, weight=weight, group=group, averaged=averaged)
        yield
        for each in losses:
            if each.rule is not None and each.training:
                each.rule.settle()
    finally:
        for each in losses:
            each._shared = None
