"""From unreduced terms to one number, and what that number is divided by."""

from typing import Any

import torch
from torch import Tensor

from ..ops import Bound, Terms, reference
from ..ops.shapes import Call, align
from ..ops.widest import widest
from .region import whole_labels

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


def own_mass(target: Tensor, bound: Bound, weight: Any, ignore_index: int, axis: int) -> Tensor:
    """Count or mass of one micro-batch, in the widest float of the device."""
    softmax = bound.link.exclusive
    if softmax and axis == 1 and target.dim() > 2 and target.shape[1] == 1 and bound.width != 1:
        target = whole_labels("global_mass", target.squeeze(1))  # labels [N, 1, *space], as a Sum takes them
    soft = target.is_floating_point()
    if softmax and target.dim() == int(soft):  # logits [C]: one item without a batch axis
        target, weight = target.unsqueeze(0), weight.unsqueeze(0) if isinstance(weight, Tensor) else weight
    wide = bound.link.wide(target)
    size = target.shape[axis] if wide and target.dim() > 1 else bound.width or 1
    shape = bound.link.items(target.shape, axis) if wide else list(target.shape)
    if wide and bound.width is not None and (softmax or bound.width != 1):
        held = target.shape[axis if target.dim() > 1 else -1] if target.dim() else 1
        if held != bound.width:
            what = "probabilities" if softmax else "yes-or-no targets"
            raise ValueError(
                f"global_mass: the recipe is for {bound.width} classes but the {what} {list(target.shape)} have {held}; pass them as the"
                " loss gets them, with the classes on the axis that class_dim names (1 for a recipe)."
            )
    zeros = torch.zeros((), dtype=widest(target.device), device=target.device)
    weight = align("global_mass", weight, shape, zeros, singleton=axis if softmax else None)
    if wide and target.dim() > 1:
        target = target.movedim(axis, 1)
        weight = weight if softmax or weight is None else weight.movedim(axis, 1)
    labels = reference.read(zeros, target, bound.link, weight, ignore_index)
    if bound.norm == "count":
        return labels.valid.sum().to(zeros.dtype)
    bound = bound.to(zeros, zeros.dtype)
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
