"""One optimiser step over several micro-batches and ranks, as if it were one batch on one machine."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ..link import link_for
from ..ops import Bound, bind
from ..ops.widest import widest
from ..recipe import Recipe
from ..rule.protocol import Rule, as_recipe, over_ranks, world_size
from .modules import RecipeLoss
from .reduction import COUNTED, own_mass


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
        if each.in_step:
            raise ValueError("accumulate: this loss is in another `accumulate` already; open one per optimiser step.")
    shared = global_masses(losses, target, weight, -100, group, averaged)
    learning = dict.fromkeys(each.rule for each in losses if each.rule is not None and each.training)
    with _statistics_over(group, [*learning]):
        before = [(m, dict(m._buffers)) for rule in learning for m in rule.modules()]
        try:
            with contextlib.ExitStack() as steps:
                for each, z in zip(losses, shared, strict=True):
                    steps.enter_context(each.step_over(z))
                yield
        except BaseException:
            for module, buffers in before:  # a rule replaces its buffers, so what they were is still there
                module._buffers.clear()
                module._buffers.update(buffers)
            raise
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


def global_mass(
    target: Tensor | Sequence[Tensor],
    recipe_or_loss: Any,
    *,
    weight: Any = None,
    ignore_index: int = -100,
    group: Any = None,
    averaged: bool = False,
) -> Tensor:
    """Z of one optimiser step, summed over its micro-batches and over all ranks: pass it as `normalizer=`.

    target    as for the loss, or a list: all micro-batches of the step; an empty list where this rank has none
    weight    call weights alike, or None
    averaged  True under DDP and FSDP, which average gradients over ranks: Z is divided by the world size

    Z is the count or the mass, by the recipe's norm; given a loss, its current recipe, ignore_index and class_dim are
    used. Losses and gradients of ranks and micro-batches then add up to the single-process value, so do not divide by
    the number of micro-batches again. Every rank of the group has to call it: one all-reduce of one number. Returns a
    0-d float64 tensor on the target's device (float32 where that has no float64).

    ValueError for the mass of weights that are learned: its derivative is that of the whole step, which no shard knows.
    """
    return global_masses([recipe_or_loss], target, weight, ignore_index, group, averaged)[0]


def global_masses(
    subjects: Sequence[Any], target: Any, weight: Any, ignore_index: int, group: Any, averaged: bool
) -> list[Tensor]:
    """`global_mass` of several losses of the same targets, in one all-reduce."""
    targets = [target] if isinstance(target, Tensor) else list(target)
    weights = [weight] if isinstance(target, Tensor) else [None] * len(targets) if weight is None else list(weight)
    if len(weights) != len(targets):
        raise ValueError(f"global_mass: {len(targets)} targets but {len(weights)} weights; give one per micro-batch.")
    for each in targets:
        if not isinstance(each, Tensor):
            raise ValueError(f"global_mass: target must be a tensor or a list of them, got {type(each).__name__}.")
    made = [_bound(subject, ignore_index) for subject in subjects]
    device = targets[0].device if targets else _device(subjects, group)
    with torch.no_grad():
        nothing = torch.zeros((), dtype=widest(device), device=device)
        sums = [
            sum((own_mass(t, bound, w, ignore, axis) for t, w in zip(targets, weights, strict=True)), start=nothing)
            if bound.norm in COUNTED
            else torch.full_like(nothing, 1.0 if bound.norm == "sum" else float(bound.norm))
            for bound, ignore, axis in made
        ]
        total = torch.stack(sums)
        counted = [bound.norm in COUNTED for bound, _, _ in made]
        if any(counted):
            # NCCL moves tensors of its own device only
            moved = total.cuda() if device.type == "cpu" and _backend(group) == "nccl" else total
            reduced = over_ranks(moved, group).to(device)
            total = torch.where(torch.tensor(counted, device=device), reduced, total) if not all(counted) else reduced
        return list((total / world_size(group) if averaged else total).unbind())


def _bound(subject: Any, ignore_index: int) -> tuple[Bound, int, int]:
    """(bound, ignore_index, class_dim) of a loss, a rule or a recipe."""
    recipe = as_recipe(subject)
    if isinstance(recipe, Recipe):
        link = subject.link if isinstance(subject, Rule) and recipe.kind != "multilabel" else link_for(recipe.kind)
        bound, axis = bind(recipe, link), 1
    elif not isinstance(subject, RecipeLoss):
        raise TypeError(
            f"global_mass: takes a Recipe, a rule, CrossEntropy or BinaryCrossEntropy, got {type(subject).__name__}."
            " For a Sum, whose losses each divide by their own, use sy.accumulate(loss, targets)."
        )
    else:
        bound, ignore_index, axis = subject.bound(), subject.ignore_index, subject.class_dim
    if (
        bound.norm == "mass"
        and bound.weight is not None
        and any(t is not None and t.requires_grad for t in bound.weight)
    ):
        raise ValueError(
            "global_mass: the weights are learned and the loss divides by their mass, whose derivative is that of the"
            ' whole step and known to no shard. Divide by the count: norm="count".'
        )
    return bound, ignore_index, axis


def _backend(group: Any) -> str:
    dist = torch.distributed
    return dist.get_backend(group) if dist.is_available() and dist.is_initialized() else ""


def _device(subjects: Sequence[Any], group: Any) -> torch.device:
    """Where the numbers of a rank without any target are."""
    tensors = [t for s in subjects if isinstance(s, torch.nn.Module) for t in (*s.parameters(), *s.buffers())]
    if tensors:
        return tensors[0].device
    on_gpu = torch.cuda.is_available() and _backend(group) not in ("", "gloo", "mpi")
    return torch.device("cuda", torch.cuda.current_device()) if on_gpu else torch.device("cpu")
