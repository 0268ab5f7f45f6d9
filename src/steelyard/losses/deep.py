"""DeepSupervision: one loss at every resolution of a network that answers at several."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ..given import unwrapped
from ..ops.widest import widest
from .modules import RecipeLoss


class DeepSupervision(nn.Module):
    """L = sum_l a_l loss(logits_l, target_l), the level of full resolution first.

    DeepSupervision(Sum(ce=ce, dice=dice), weights=[4 / 7, 2 / 7, 1 / 7])([z1, z2, z4], y)

    loss     a callable (logits, target) -> scalar: a steelyard loss, a Sum, a Region, or one of somebody else
    weights  a_l, one per level; a level of weight 0 is not computed

    logits   a list of [N, C, *space_l]; a single tensor, as networks give in evaluation, is the loss at full resolution alone
    target   a list alike, or the target of full resolution, which is brought to each level by nearest neighbour, labels and
             probabilities alike
    weight   the call weight of a steelyard loss: one per item [N], or a map, brought to each level like the target
    normalizer   a list of Z, one per level: levels hold different numbers of pixels, so no single one serves

    Each level divides by what it holds itself, so coarse levels count as much as their weight says. ValueError for lists of different
    lengths, and inside `accumulate`, which knows the pixels of full resolution only.
    """

    def __init__(self, loss: Callable[..., Tensor], weights: Sequence[float]):
        super().__init__()
        if not callable(loss):
            raise TypeError(f"DeepSupervision: takes a callable (logits, target) -> scalar, got {type(loss).__name__}.")
        factors = [float(w) for w in unwrapped(weights)]
        if not factors or not all(abs(w) < math.inf for w in factors):
            raise ValueError(f"DeepSupervision: weights must be finite numbers, one per level, got {factors}.")
        self.loss, self.weights = loss, tuple(factors)

    def forward(self, logits: Any, target: Any, *, weight: Any = None, normalizer: Any = None) -> Tensor:
        if isinstance(logits, Tensor):
            first = target[0] if isinstance(target, (list, tuple)) else target
            return self._one(logits, first, weight, normalizer)
        self._check(logits, target, normalizer)
        parts = []
        for level, (factor, z) in enumerate(zip(self.weights, logits, strict=True)):
            if factor == 0:
                continue
            y = target[level] if isinstance(target, (list, tuple)) else nearest(target, z)
            w = weight[level] if isinstance(weight, (list, tuple)) else nearest(weight, z)
            parts.append(factor * self._one(z, y, w, None if normalizer is None else normalizer[level]))
        first, *rest = parts or [logits[0].sum() * 0.0]
        return sum(rest, start=first)

    __call__: Callable[..., Tensor]  # nn.Module says Any

    def _one(self, logits: Tensor, target: Tensor, weight: Any, normalizer: Any) -> Tensor:
        call = {"weight": weight, "normalizer": normalizer}
        return self.loss(logits, target, **{k: v for k, v in call.items() if v is not None})

    def _check(self, logits: Sequence[Tensor], target: Any, normalizer: Any) -> None:
        levels = len(self.weights)
        for name, those in (("logits", logits), ("targets", target), ("normalizers", normalizer)):
            if isinstance(those, (list, tuple)) and len(those) != levels:
                raise ValueError(f"DeepSupervision: {levels} weights but {len(those)} {name}; give one per level.")
        if normalizer is not None and not isinstance(normalizer, (list, tuple)):
            raise ValueError(
                "DeepSupervision: normalizer must be a list, one per level; their numbers of pixels differ."
            )
        if any(m.in_step for m in self.modules() if isinstance(m, RecipeLoss)):
            raise ValueError(
                "DeepSupervision: `accumulate` knows the pixels of full resolution only, and coarser levels hold fewer. Pass"
                " normalizer=[global_mass([nearest(y, z) for each micro-batch], loss) for each level] instead."
            )

    def extra_repr(self) -> str:
        return "weights=" + ", ".join(f"{w:g}" for w in self.weights)


def nearest(values: Any, like: Tensor) -> Any:
    """`values` [N, *space] or [N, C, *space] at the resolution of logits [N, C, *space']: of each new pixel the middle one of the old.
    What has no space ([N], None, numbers) stays as it is."""
    space = like.shape[2:]
    if not isinstance(values, Tensor) or values.dim() < 1 + len(space):
        return values
    for axis, size in enumerate(space, start=values.dim() - len(space)):
        old = values.shape[axis]
        if old not in (1, size):
            middle = (torch.arange(size, device=values.device, dtype=widest(values.device)) + 0.5) * (old / size)
            values = values.index_select(axis, middle.long().clamp_(max=old - 1))
    return values
