"""From unreduced terms to one number, and what that number is divided by."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ..link import link_for
from ..ops import Bound, Terms, bind, reference
from ..ops.shapes import Call, align
from ..recipe import Recipe
from ..rule.protocol import Rule, as_recipe, over_ranks, world_size

REDUCTIONS = ("none", "mean", "sum")
COUNTED = ("count", "mass")  # norms that depend on the data


def reduce(terms: Terms, norm: str | float, reduction: str, normalizer: float | Tensor | None = None) -> Tensor:
    """`none`: the losses; `sum`: their sum; `mean`: the sum divided by Z, and 0 where Z is 0.

    Z is `normalizer` where given, else by `norm`: "count" (not ignored, call weight not 0), "mass" (sum of s W[y,y]),
    "sum" (1), or the number itself.
    """
    if reduction == "none":
        return terms.loss
    total = terms.loss.sum()
    if reduction == "sum":
        return total
    if normalizer is None and norm == "sum":
        return total
    return divided(total, reference.denominator(terms, norm) if normalizer is None else normalizer)


def divided(total: Tensor, z: float | Tensor) -> Tensor:
    """total / z, and 0 with zero gradient where z is 0."""
    if not isinstance(z, Tensor):
        return total / z if z else total * 0.0
    z = z.to(total)
    empty = z == 0
    return torch.where(empty, 0.0, total / torch.where(empty, 1.0, z))


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
    0-d float64 tensor on the target's device.

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
        nothing = torch.zeros((), dtype=torch.float64, device=device)
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
    elif getattr(subject, "class_dim", None) is None:
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


def own_mass(target: Tensor, bound: Bound, weight: Any, ignore_index: int, axis: int) -> Tensor:
    """Count or mass of one micro-batch, float64."""
    soft, softmax = target.is_floating_point(), bound.link.exclusive
    if softmax and target.dim() == int(soft):  # logits [C]: one item without a batch axis
        target, weight = target.unsqueeze(0), weight.unsqueeze(0) if isinstance(weight, Tensor) else weight
    wide = bound.link.wide(target)
    size = target.shape[axis] if wide and target.dim() > 1 else bound.width or 1
    shape = bound.link.items(target.shape, axis) if wide else list(target.shape)
    zeros = torch.zeros((), dtype=torch.float64, device=target.device)
    weight = align("global_mass", weight, shape, zeros, singleton=axis if softmax else None)
    if wide and target.dim() > 1:
        target = target.movedim(axis, 1)
        weight = weight if softmax or weight is None else weight.movedim(axis, 1)
    labels = reference.read(zeros, target, bound.link, weight, ignore_index)
    if bound.norm == "count":
        return labels.valid.sum().double()
    bound = bound.to(zeros, torch.float64)
    try:
        if softmax:
            own = reference.own_weight(labels, bound, zeros.expand(1, size))
        else:
            own = reference.sigmoid_mass(labels, bound, zeros.expand(target.shape))
    except IndexError:
        raise ValueError(
            f"global_mass: a target is outside the {bound.width} classes of the recipe and is not"
            f" ignore_index={ignore_index}."
        ) from None
    return torch.where(labels.valid, own if labels.s is None else own * labels.s, 0.0).sum()


def own_divisor(given: Call, bound: Bound, ignore_index: int) -> Tensor | None:
    """Z of one call by the caller's weights, where its norm has one: what a rule weighs is known only once there are
    logits, so a Z that holds for shards cannot depend on it."""
    return own_mass(given.target, bound, given.weight, ignore_index, 1) if bound.norm in COUNTED else None
