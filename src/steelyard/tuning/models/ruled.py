"""Rules as arms: what is trained with one, step by step, and how its scores come back to plain scale.

A rule's recipe changes while training goes on. Scores after so many epochs are undone by the recipe that stood then; that leaves
out rules whose weights or logits depend on the call, as no recipe says them.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...losses.modules import CrossEntropy
from ...ops.bind import bind
from ...recipe import Recipe
from ...rule.protocol import Rule
from .forms import undo
from .model import Fitted
from .pointwise import refusal


def by_the_call(rule: Rule) -> str:
    """Why scores that were trained with the rule cannot be undone by its recipe, or ""."""
    kind = type(rule)
    if kind.weigh is not Rule.weigh or kind.adjust is not Rule.adjust:
        return "it weighs or adjusts each call by its logits, which no recipe says, so its scores cannot be undone and compared"
    return ""


def undone(logits: np.ndarray, recipe: Recipe, classes: int, name: str) -> np.ndarray:
    """`undo`; ValueError, with the name of the rule, where its recipe does not determine the posterior."""
    if why := refusal(recipe, classes):
        raise ValueError(f"tune: the rule {name} stands at a recipe whose scores cannot be undone: {why}.")
    return undo(logits, recipe, classes)


@dataclasses.dataclass(frozen=True)
class Ruled:
    """One arm's models at every setting, and the recipes that stood then: `logits` are on plain scale already."""

    fitted: Fitted
    recipes: tuple[Recipe, ...]
    classes: int
    name: str

    @property
    def converged(self) -> np.ndarray:
        return self.fitted.converged

    def logits(self, X: Any) -> np.ndarray:
        raw = self.fitted.logits(X)
        each = [undone(raw[0, s], recipe, self.classes, self.name) for s, recipe in enumerate(self.recipes)]
        return np.stack(each)[None]

    def arrays(self) -> dict[str, np.ndarray]:
        return {}

    def describe(self, arm: int, setting: int, names: Sequence[str]) -> dict[str, Any]:
        return {}


class Steps:
    """The loss of a network whose logits are given: slopes for it, and what the rule itself learns, by Adam at the same rate.

    shares  of the classes in the training part [C]: an epoch's weights have mean 1 over them, as every arm's
    """

    def __init__(self, rule: Rule, shares: np.ndarray, rate: float):
        self.rule, self.classes = rule, len(shares)
        self.shares = torch.from_numpy(shares)
        self.loss = CrossEntropy(rule, reduction="sum")
        free = list(rule.parameters())
        self.optimiser = torch.optim.Adam(free, lr=rate) if free else None
        self.mass = 1.0

    def begin(self, epoch: int) -> None:
        """An epoch, counted from 0."""
        self.loss.advance(epoch=epoch)
        bound = bind(self.rule.recipe(), "softmax")
        own = (
            torch.ones(self.classes)
            if bound.weight is None
            else bound.weight.dense(self.classes, self.classes).diagonal()
        )
        self.mass = max(float((own.double() * self.shares).sum()), 1e-12)

    def slope(self, z: Tensor, y: Tensor, times: Tensor | None) -> Tensor:
        """dl/dz of the mean loss over the rows, shaped like z [1, rows, logits]; `times` [rows] multiply the rows' losses."""
        logits = z[0].detach().requires_grad_()
        both = torch.cat([torch.zeros_like(logits), logits], dim=1) if logits.shape[1] == 1 else logits
        if self.optimiser is not None:
            self.optimiser.zero_grad(set_to_none=True)
        total = self.loss(both, y) if times is None else self.loss(both, y, weight=times)
        (total / (len(y) * self.mass)).backward()
        if self.optimiser is not None:
            self.optimiser.step()
        assert logits.grad is not None
        return logits.grad[None]
