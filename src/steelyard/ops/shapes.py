"""Shapes of one call: checked with words, brought to [N, C, *space] by views.

Sizes are compared with == and never with `in`: under torch.compile they are symbols, which `in` does not recognise.
"""

from typing import Any, NamedTuple

import torch
from torch import Tensor

from ..link import Link
from .bound import Bound


class Call(NamedTuple):
    """Arguments in the layout of the ops, and how to bring an unreduced result back."""

    logits: Tensor
    target: Tensor
    weight: Tensor | None
    class_dim: int
    batched: bool

    def restore(self, unreduced: Tensor, link: Link) -> Tensor:
        if not link.exclusive and unreduced.dim() > 1:
            unreduced = unreduced.movedim(1, self.class_dim)
        return unreduced if self.batched else unreduced.squeeze(0)


def arrange(name: str, logits: Tensor, target: Any, weight: Any, bound: Bound, class_dim: int) -> Call:
    """Check the shapes of a call and move the class axis to position 1. Values are not looked at."""
    if not isinstance(logits, Tensor) or not logits.is_floating_point():
        got = logits.dtype if isinstance(logits, Tensor) else type(logits).__name__
        raise ValueError(f"{name}: logits must be a floating-point tensor, got {got}.")
    if not isinstance(target, Tensor):
        raise ValueError(f"{name}: target must be a tensor, got {type(target).__name__}.")
    if target.is_complex():
        raise ValueError(f"{name}: target must be labels (integers) or probabilities (floats), got {target.dtype}.")
    softmax = bound.link.exclusive
    soft = target.is_floating_point()
    batched = True
    needs_classes = softmax or (bound.width or 1) > 1
    if needs_classes and logits.dim() == 0:
        raise ValueError(f"{name}: logits need a class axis, got shape [].")
    if needs_classes and logits.dim() < 2:
        logits, target, batched = logits.unsqueeze(0), target.unsqueeze(0), False
        weight = weight.unsqueeze(0) if isinstance(weight, Tensor) else weight
    axis = _axis(name, class_dim, logits.dim()) if batched else 1
    if softmax:
        _check_softmax(name, logits, target, axis, soft)
    else:
        same_shape(name, logits, target)
    unreduced = bound.link.items(logits.shape, axis)
    weight = align(name, weight, unreduced, logits, singleton=axis if softmax else None)
    if logits.dim() > 1:
        width = logits.shape[axis]
        if bound.width is not None and bound.width != width and (softmax or bound.width != 1):
            raise ValueError(
                f"{name}: the recipe is for {bound.width} classes but the logits have {width} on axis {axis}"
                f" (shape {list(logits.shape)}); class_dim= names the class axis."
            )
        if axis != 1:  # a view that is not needed costs as much as a small loss
            logits = logits.movedim(axis, 1)
            target = target.movedim(axis, 1) if bound.link.wide(target) else target
            weight = weight.movedim(axis, 1) if weight is not None and not softmax else weight
    return Call(logits, target, weight, axis, batched)


def _axis(name: str, class_dim: int, dims: int) -> int:
    if dims < 2:
        return 0
    if not -dims <= class_dim < dims or class_dim % dims == 0:
        raise ValueError(f"{name}: class_dim={class_dim} is not an axis after the batch axis of {dims}-D logits.")
    return class_dim % dims


def _check_softmax(name: str, logits: Tensor, target: Tensor, axis: int, soft: bool) -> None:
    shape, given = list(logits.shape), list(target.shape)
    labels = shape[:axis] + shape[axis + 1 :]
    if soft:
        if given == shape:
            return
        if given == labels or _one_channel(given, labels, axis):
            cast = "target.long()" if given == labels else f"target.squeeze({axis}).long()"
            raise ValueError(
                f"{name}: float targets are probabilities like the logits {shape}, got {target.dtype} {given}."
                f" If they are labels, pass {cast}."
            )
        raise ValueError(f"{name}: probabilities must have the logits' shape {shape}, got {given}.")
    if shape[axis] == 1 and len(shape) > 1 and (given == labels or given == shape):  # noqa: SIM109
        raise ValueError(
            f"{name}: the logits {shape} have one class, so there is nothing to tell apart. For a yes-or-no output use"
            f" BinaryCrossEntropy(recipe)(logits.squeeze({axis}), target)."
        )
    if given != labels:
        hint = f" Drop the channel: target.squeeze({axis})." if _one_channel(given, labels, axis) else ""
        hint = hint or (" One-hot targets are probabilities: pass target.float()." if given == shape else "")
        raise ValueError(f"{name}: logits {shape} need labels of shape {labels}, got {given}.{hint}")


def same_shape(name: str, logits: Tensor, target: Tensor) -> None:
    """Sigmoid: one target per logit."""
    shape, given = list(logits.shape), list(target.shape)
    if shape == given:
        return
    hint = ""
    if len(shape) == len(given) + 1 and shape[:1] + shape[2:] == given and shape[1] == 1:
        hint = " Drop the class axis: logits.squeeze(1)."
    elif len(given) == len(shape) + 1 and given[:1] + given[2:] == shape and given[1] == 1:
        hint = " Drop the class axis: target.squeeze(1)."
    elif len(shape) == len(given) + 1 and shape[:1] + shape[2:] == given:
        hint = f" For labels 0..{shape[1] - 1} of exclusive classes use CrossEntropy."
    raise ValueError(f"{name}: target must have the logits' shape {shape}, got {given}.{hint}")


def _one_channel(given: list[int], labels: list[int], axis: int) -> bool:
    return len(given) == len(labels) + 1 and given[axis] == 1 and given[:axis] + given[axis + 1 :] == labels


def align(name: str, weight: Any, unreduced: list[int], logits: Tensor, *, singleton: int | None) -> Tensor | None:
    """A call weight, aligned from the left and expanded to the unreduced loss.

    [N], [N, 1, 1], [N, *space], [N, K] (sigmoid); softmax also takes [N, 1, *space]. What fits only from the right
    is an error, because a [W] vector on [N, H, W] is nearly always meant for the batch.
    """
    if weight is None:
        return None
    if not isinstance(weight, Tensor):
        weight = torch.as_tensor(weight, dtype=torch.float32 if logits.dtype != torch.float64 else torch.float64)
    weight = weight.to(logits.device)
    if singleton is not None and weight.dim() == len(unreduced) + 1 and weight.shape[singleton] == 1:
        weight = weight.squeeze(singleton)
    padded = list(weight.shape) + [1] * (len(unreduced) - weight.dim())
    if len(padded) != len(unreduced) or not all(w == 1 or w == u for w, u in zip(padded, unreduced, strict=True)):
        raise ValueError(
            f"{name}: weight {list(weight.shape)} does not fit the unreduced loss {unreduced} from the left;"
            " write one weight per item [N], or per element. Weights per class belong to the recipe."
        )
    return weight.reshape(padded).expand(unreduced)
