"""From unreduced terms to one number, and what that number is divided by."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from .ops import Bound, Terms, bind, reference
from .ops.shapes import Call, align
from .recipe import Recipe
from .rule import as_recipe

REDUCTIONS = ("none", "mean", "sum")


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
    z = reference.denominator(terms, norm) if normalizer is None else normalizer
    if not isinstance(z, Tensor):
        return total / z if z else total * 0.0
    z = z.to(total)
    empty = z == 0
    return torch.where(empty, 0.0, total / torch.where(empty, 1.0, z))


def global_mass(
    target: Tensor | Sequence[Tensor],
    recipe_or_loss: Any,
    *,
    weight: Tensor | Sequence[Tensor | None] | None = None,
    ignore_index: int = -100,
    group: Any = None,
    averaged: bool = False,
) -> Tensor:
    """Z of one optimiser step, summed over its micro-batches and over all ranks: pass it as `normalizer=`.

    target    as for the loss, or a list: all micro-batches of the step
    weight    call weights alike, or None
    averaged  True under DDP and FSDP, which average gradients over ranks: Z is divided by the world size

    Z is the count or the mass, by the recipe's norm; given a loss, its current recipe, ignore_index and class_dim are
    used. Losses and gradients of ranks and micro-batches then add up to the single-process value, so do not divide by
    the number of micro-batches again. Returns a 0-d float64 tensor on the target's device.
    """
    recipe_or_loss = as_recipe(recipe_or_loss)
    if isinstance(recipe_or_loss, Recipe):
        bound, axis = bind(recipe_or_loss, "sigmoid" if recipe_or_loss.kind == "multilabel" else "softmax"), 1
    else:
        bound, ignore_index, axis = recipe_or_loss.bound(), recipe_or_loss.ignore_index, recipe_or_loss.class_dim
    targets = [target] if isinstance(target, Tensor) else list(target)
    weights: list[Tensor | None] = [weight] if isinstance(weight, Tensor) else list(weight or [None] * len(targets))
    if len(weights) != len(targets):
        raise ValueError(f"global_mass: {len(targets)} targets but {len(weights)} weights; give one per micro-batch.")
    parts = [_one(t, bound, w, ignore_index, axis) for t, w in zip(targets, weights, strict=True)]
    total = torch.stack(parts).sum()
    if bound.norm not in ("count", "mass"):
        total = torch.ones_like(total) * (1.0 if bound.norm == "sum" else float(bound.norm))
    world = 1
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        world = torch.distributed.get_world_size(group)
        if bound.norm in ("count", "mass"):
            torch.distributed.all_reduce(total, group=group)
    return total / world if averaged else total


def _one(target: Tensor, bound: Bound, weight: Any, ignore_index: int, axis: int) -> Tensor:
    """Count or mass of one micro-batch, float64."""
    with torch.no_grad():
        soft, softmax = target.is_floating_point(), bound.link == "softmax"
        wide = soft or not softmax  # whether the target has the class axis
        size = target.shape[axis] if wide and target.dim() > 1 else bound.width or 1
        shape = list(target.shape)
        if softmax and wide:
            del shape[axis]
        zeros = torch.zeros((), dtype=torch.float64, device=target.device)
        weight = align("global_mass", weight, shape, zeros, singleton=axis if softmax else None)
        if wide and target.dim() > 1:
            target = target.movedim(axis, 1)
            weight = weight if softmax or weight is None else weight.movedim(axis, 1)
        labels = reference.read(zeros, target, bound.link, weight, ignore_index)
        if bound.norm == "count":
            return labels.valid.sum().double()
        bound = bound.to(zeros, torch.float64)
        if softmax:
            own = reference.own_weight(labels, bound, zeros.expand(1, size))
        else:
            own = reference.sigmoid_mass(labels, bound, zeros.expand(target.shape))
        return reference.finish(own, own, own, labels).mass.sum()


def penalized(
    penalty: Tensor,
    call: Call,
    bound: Bound,
    ignore_index: int,
    reduction: str,
    normalizer: float | Tensor | None,
) -> Tensor:
    """A term that every item's loss has on top, reduced as the losses are: shards and micro-batches of a step that share
    their normalizer then add up to one penalty. A table [label value, class] is looked up by each item's label.
    """
    if penalty.dim() == 2:
        return _by_label(penalty, call, bound, ignore_index, reduction, normalizer)
    if reduction == "none":
        return penalty
    norm = bound.norm if bound.norm in ("count", "mass") else "count"
    own = _one(call.target, dataclasses.replace(bound, norm=norm), call.weight, ignore_index, 1)
    if reduction == "sum" or (normalizer is None and bound.norm == "sum"):
        return penalty * own
    if normalizer is None and bound.norm == norm:
        return penalty * (own > 0)
    z = float(bound.norm) if normalizer is None else normalizer
    if isinstance(z, Tensor):
        z = z.to(own)
        return penalty * torch.where(z == 0, 0.0, own / torch.where(z == 0, 1.0, z))
    return penalty * own / z if z else penalty * 0.0


def _by_label(
    table: Tensor,
    call: Call,
    bound: Bound,
    ignore_index: int,
    reduction: str,
    normalizer: float | Tensor | None,
) -> Tensor:
    """`penalized` for a table [C, 1] (softmax), [2, 1] or [2, K] (sigmoid): a soft target has the expectation over labels."""
    labels = reference.read(table, call.target, bound.link, call.weight, ignore_index)
    if bound.link == "sigmoid":
        yes = labels.t if labels.y is None else labels.y
        assert yes is not None
        no_row, yes_row = (row.reshape(1, -1, *[1] * (yes.dim() - 2)) if yes.dim() > 1 else row for row in table)
        items = no_row + yes * (yes_row - no_row)
    elif labels.y is None:
        assert labels.t is not None
        items = torch.tensordot(labels.t.movedim(1, -1), table[:, 0].to(labels.t.dtype), dims=1)
    else:
        items = table[:, 0][labels.y]
    items = torch.where(labels.valid, items, 0.0)
    if reduction == "none":
        return call.restore(items, bound.link)
    total = items.sum()
    if reduction == "sum" or (normalizer is None and bound.norm == "sum"):
        return total
    if normalizer is None:
        counted = bound.norm in ("count", "mass")
        normalizer = _one(call.target, bound, call.weight, ignore_index, 1) if counted else float(bound.norm)
    if not isinstance(normalizer, Tensor):
        return total / normalizer if normalizer else total * 0.0
    z = normalizer.to(total)
    return torch.where(z == 0, 0.0, total / torch.where(z == 0, 1.0, z))
