"""One optimiser step over several micro-batches and ranks, as if it were one batch on one machine."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

from torch import Tensor, nn

from ..rule.protocol import Rule
from .modules import RecipeLoss
from .reduction import global_masses


@contextlib.contextmanager
def accumulate(
    loss: nn.Module,
    target: Tensor | Sequence[Tensor],
    *,
    weight: Any = None,
    group: Any = None,
    averaged: bool = False,
) -> Iterator[None]:
    """Inside, every mean of `loss` divides by what the whole step holds, and adaptive rules stand still.

        with sy.accumulate(loss, [y for _, y in batches]):
            for x, y in batches:
                loss(model(x), y).backward()
        optimizer.step()

    loss      CrossEntropy, BinaryCrossEntropy, LinearCrossEntropy, or a module that holds some, such as Sum
    target    all targets of this rank's step, as for the loss: a tensor or a list of micro-batches, which may be empty;
              weight alike
    group     the process group, of the statistics of rules too unless they name their own; None is all ranks
    averaged  True under DDP and FSDP, which average gradients over ranks

    Losses and gradients of micro-batches and ranks add up to those of one process with one batch; do not divide by the
    number of micro-batches again. What rules observed inside takes effect at the end, summed over ranks; after an
    exception it is forgotten. Costs one all-reduce of one number per loss, all in one message. Losses of other targets
    each get their own `accumulate`, in one `with`. Terms of a Sum that are not ours keep their own mean. Call `advance`
    before, not inside.

    ValueError for a loss without any of ours, for reduction other than "mean", inside another `accumulate` of the same
    loss, and as in `global_mass`.
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
    shared = global_masses(losses, target, weight, -100, group, averaged)
    learning = dict.fromkeys(each.rule for each in losses if each.rule is not None and each.training)
    with _statistics_over(group, [*learning]):
        before = [(m, dict(m._buffers)) for rule in learning for m in rule.modules()]
        try:
            for each, z in zip(losses, shared, strict=True):
                each._shared = z
            yield
        except BaseException:
            for module, buffers in before:  # a rule replaces its buffers, so what they were is still there
                module._buffers.clear()
                module._buffers.update(buffers)
            raise
        finally:
            for each in losses:
                each._shared = None
        for rule in learning:
            rule.driver.settle()


@contextlib.contextmanager
def _statistics_over(group: Any, rules: Sequence[Rule]) -> Iterator[None]:
    """The rules, and those inside them, sum over `group` unless they have a group of their own."""
    those = [m for rule in rules for m in rule.modules() if isinstance(m, Rule) and m.group is None]
    try:
        for rule in those:
            rule.group = group
        yield
    finally:
        for rule in those:
            rule.group = None
