"""What each confusion costs, learned."""

import math
from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
import torch
from torch import Tensor

from ..counts import Counts
from ..ops.factors import Tables
from ..options import In
from ..recipe import Recipe
from ..rule.protocol import PATIENCE, Rule, over_ranks
from ..table import as_numpy
from .learned import refuse

WAYS = ("confusion", "bilevel")


class LearnedCosts(Rule):
    """A matrix of costs xi inside the log, learned from what is confused on held-out data.

        u_c = z_c + log xi[y,c]        xi[y,y] = 1        1/bound <= xi <= bound

    xi[y,c] > 1 gives a wrong class c a head start on the rows of y, so the loss pushes z_c further down there.
    Multiplying a row of xi by a number does nothing in a softmax; the diagonal of 1 is what makes the rest mean
    something. For predictions take the plain logits.

    how="confusion"  `update(matrix)` after each validation, matrix[y,c] = how often c was answered where y is true:

                         r[y,c] = (matrix[y,c] + prior r_mean) / (n_y + prior)      r_mean: the mean of matrix[y,c] / n_y over y != c
                         log xi <- momentum log xi + (1 - momentum) strength log(r / r_mean), cut to +-log bound

                     At a fixed point log xi[y,c] = strength log(r[y,c] / r_mean) with r the confusion of the net that
                     this xi trains: what is still confused more than the mean costs more. Equal confusion everywhere
                     gives xi = 1, and so does none
    how="bilevel"    log xi are buffers that training never touches; adaptive.Bilevel moves them by the loss on held-out
                     data

    classes   how many, their names, or Counts
    strength  > 0; 1 makes a pair that is confused k times as often as the mean cost k times as much
    momentum  of the old costs, in [0, 1)
    prior     rows at the mean rate that each class has on top of its own, >= 0: few validation rows then move little
    bound     > 1

    ValueError for how="descent" and the like, with the reason, and for options outside these ranges.

    Source: after Khan et al. 2018, arXiv:1508.03422 (CoSen), whose loss has this form. The update is our reconstruction
    in their spirit, not their algorithm: theirs aims at a matrix made of class shares, class separability and
    validation confusion.

    >>> rule = LearnedCosts(2, momentum=0.0, prior=0.0)
    >>> rule.update([[98, 2], [8, 2]])  # the rare class is missed at 80 %, the common one at 2 %; the mean is 41 %
    >>> [[round(c, 2) for c in row] for row in rule.costs.tolist()]
    [[1.0, 0.1], [1.95, 1.0]]
    """

    reads_logits = False
    log_costs: Tensor
    updates: Tensor
    off_diagonal: Tensor

    def __init__(
        self,
        classes: int | Sequence[Any] | Counts,
        *,
        how: str = "confusion",
        strength: Annotated[float, In(0.0, math.inf, open_low=True)] = 1.0,
        momentum: Annotated[float, In(0.0, 1.0, open_high=True)] = 0.5,
        prior: Annotated[float, In(0.0, math.inf)] = 10.0,
        bound: Annotated[float, In(1.0, math.inf, open_low=True)] = 10.0,
    ):
        super().__init__()
        if how not in WAYS:
            refuse("LearnedCosts", how, WAYS)
        named = classes.classes if isinstance(classes, Counts) else None if isinstance(classes, int) else classes
        names = None if named is None else tuple(str(c) for c in named)
        size = int(classes) if names is None else len(names)  # type: ignore[arg-type]
        if size < 2:
            raise ValueError(f"LearnedCosts: classes must be at least 2, their number or names, got {classes!r}.")
        self.how, self.strength, self.momentum = how, float(strength), float(momentum)
        self.prior, self.bound = float(prior), float(bound)
        self.register_buffer("off_diagonal", 1 - torch.eye(size, dtype=torch.float64))
        self.register_buffer("log_costs", torch.zeros(size, size, dtype=torch.float64))
        self.register_buffer("updates", torch.tensor(0))
        if how == "bilevel":
            self.held = ("log_costs",)
        self._structure = Recipe(
            offset=np.zeros((size, size)), classes=names, kind="exclusive", source=(f"costs({how})",)
        )

    @property
    def costs(self) -> Tensor:
        """xi [C, C], float64: row y, column c."""
        return (self.log_costs * self.off_diagonal).exp()

    def emit(self) -> tuple[Recipe, Tables]:
        return self._structure, {"offset": (self.log_costs * self.off_diagonal,)}

    def update(self, confusion: Any) -> None:
        """Take counts[y, c] of held-out rows of class y that were answered c, [C, C]; summed over ranks, so each gives
        its own.

        ValueError for other shapes, and numbers that are negative or not finite.
        """
        if self.how != "confusion":
            raise ValueError(
                f'LearnedCosts: how={self.how!r} is moved by adaptive.Bilevel; update() is for how="confusion".'
            )
        size = len(self.log_costs)
        try:
            counts = as_numpy(confusion)
        except (TypeError, ValueError):
            raise ValueError(
                f"LearnedCosts: a confusion matrix is counts [{size}, {size}], got {confusion!r}."
            ) from None
        if counts.shape != (size, size) or not np.isfinite(counts).all() or (counts < 0).any():
            raise ValueError(
                f"LearnedCosts: a confusion matrix is counts >= 0 of shape [{size}, {size}], rows the true classes; got"
                f" shape {list(counts.shape)}{'' if counts.shape != (size, size) else ' with values outside that'}."
            )
        m = over_ranks(torch.tensor(counts).to(self.log_costs), self.group)
        rows = m.sum(dim=1, keepdim=True)
        off, there = self.off_diagonal, rows > 0
        mean = (m * off / torch.where(there, rows, 1.0)).sum() / (off * there).sum().clamp(min=1)
        weighed = rows + self.prior
        rate = torch.where(weighed > 0, (m + self.prior * mean) / torch.where(weighed > 0, weighed, 1.0), mean)
        limit = math.log(self.bound)
        ratio = torch.where(mean > 0, rate / torch.where(mean > 0, mean, 1.0), 1.0)
        aim = (self.strength * torch.where(there, ratio, 1.0).log()).clamp(-limit, limit)  # a rate of 0 is at the bound
        self.log_costs = (self.momentum * self.log_costs + (1 - self.momentum) * aim) * off
        self.updates = self.updates + 1
        self.driver.record()

    def move(self, name: str, value: Tensor) -> None:
        limit = math.log(self.bound)
        super().move(name, value.clamp(-limit, limit) * self.off_diagonal)
        self.updates = self.updates + 1

    def warnings(self) -> dict[str, str]:
        if int(self.updates) == 0 and self.driver.steps < PATIENCE:
            return {}
        if int(self.updates) == 0:
            cure = (
                "call rule.update(confusion matrix) after each validation"
                if self.how == "confusion"
                else "call adaptive.Bilevel(model, loss).step(train, held_out) every few steps"
            )
            return {"unmoved": f"all costs are still 1 after {self.driver.steps} steps: {cure}."}
        at_bound = int((self.log_costs.abs() >= math.log(self.bound) * (1 - 1e-9)).sum())
        entries = self.log_costs.numel() - len(self.log_costs)
        if 2 * at_bound <= entries:
            return {}
        return {
            "bound": f"{at_bound} of {entries} costs are at the bound of {self.bound:g}: the held-out data may be too few for so many"
            " numbers. Lower strength, raise prior, or raise bound if that is meant."
        }

    def watched(self) -> dict[str, Tensor]:
        return {"costs": self.costs} if len(self.log_costs) <= 16 else {"largest cost": self.costs.max()}

    def extra_repr(self) -> str:
        return f"{len(self.log_costs)} classes, {self.how}"
