"""Equalization loss v2: each yes-or-no output is weighed until its positives pull as hard as its negatives push."""

import math
from collections.abc import Sequence
from typing import Annotated, Any

import torch
from torch import Tensor

from ..link import Link
from ..ops.beside import Beside, Told
from ..ops.factors import Tables
from ..options import In
from ..recipe import Recipe
from ..rule.protocol import CHECKED_FIRST, Rule
from ..rule.small import small


class Equalized(Rule):
    """Sigmoid weights per class from the gradient that its positives and negatives got so far.

        g_k = sum over steps and items of W_1k |sigma - 1| [is]  /  the same with W_0k sigma [is not]
        f_k = 1 / (1 + exp(-gamma (g_k - mu)))
        W   = f_k where it is not,  1 + alpha (1 - f_k) where it is

    classes   how many, or their names; 1: one ratio for all logits
    gamma     > 0, how sharp the change is;  mu, the ratio where f is 1/2;  alpha >= 0, how much positives can gain

    Everything is 1 before the first step, and for a class without any negative gradient. A target between 0 and 1
    counts as that much of an "is". The sums reach back to the start of training. Other tables (in Mixed) and call
    weights do not enter them, except that weight 0 is ignored. The mean weight is not 1, so the loss is another size
    than plain.

    Differs from the authors' code: there the last output tells object from background with weight 1 always; here give
    such an output a loss of its own. There the sum is divided by the items, here by the logits: pass `normalizer=`.
    ValueError for CrossEntropy and for options outside their domain.

    Source: Tan et al. 2021, arXiv:2012.08548, section 3.3.

    >>> import steelyard as sy
    >>> loss = sy.BinaryCrossEntropy(sy.adaptive.Equalized(2))
    >>> y = torch.tensor([[1, 1], [1, 0], [1, 0], [0, 0]])
    >>> _ = loss(torch.zeros(4, 2), y)  # gradients 0.5 each: ratios 3 and 1/3
    >>> loss.recipe.weight.numpy().round(2).tolist()
    [[1.0, 0.0], [1.0, 4.99]]
    """

    warns_from = CHECKED_FIRST
    gradients: Tensor
    weight: Tensor

    def __init__(
        self,
        classes: int | Sequence[str],
        *,
        gamma: Annotated[float, In(0.0, math.inf, open_low=True)] = 12.0,
        mu: Annotated[float, In(-math.inf, math.inf)] = 0.8,
        alpha: Annotated[float, In(0.0, math.inf)] = 4.0,
    ):
        super().__init__()
        names = None if isinstance(classes, int) else tuple(str(c) for c in classes)
        size = int(classes) if isinstance(classes, int) else len(names or ())
        if size < 1 or isinstance(classes, (bool, str)):
            raise ValueError(f"Equalized: takes the number of classes (1 or more) or their names, got {classes!r}.")
        self.gamma, self.mu, self.alpha, self.size = float(gamma), float(mu), float(alpha), size
        zeros = torch.zeros(2, size, dtype=torch.float64)
        self.register_buffer("gradients", zeros)  # row 1 = "is"
        self.register_buffer("pending", zeros.clone())
        self.register_buffer("weight", self._weights())
        source = (f"equalized(gamma={gamma:g}, mu={mu:g}, alpha={alpha:g})",)
        self._structure = Recipe(weight=self.weight, classes=names, kind="multilabel", source=source)

    @property
    def ratio(self) -> Tensor:
        """g [K]; infinite where no negative had a gradient yet."""
        negative, positive = self.gradients
        some = negative > 0
        return torch.where(some, positive / torch.where(some, negative, 1.0), math.inf)

    def _weights(self) -> Tensor:
        return small(self._weighed, self.gradients)[0]

    def _weighed(self, xp: Any, gradients: Any) -> tuple[Any]:
        negative, positive = gradients[0], gradients[1]
        some = negative > 0
        ratio = xp.where(some, positive / xp.where(some, negative, 1.0), math.inf)
        f = 1 / (1 + xp.exp(-self.gamma * (ratio - self.mu)))
        return (xp.stack([f, 1 + self.alpha * (1 - f)]),)

    def emit(self) -> tuple[Recipe, Tables]:
        return self._structure, {"weight": (self.weight,)}

    def observe(self, logits: Tensor, target: Tensor) -> Tensor:
        z, y, valid, *_ = self.read(logits, target)
        z, y, valid = (t.reshape(-1, self.size) for t in (z, y, valid))
        size = torch.stack([(1 - y) * z.sigmoid(), y * (-z).sigmoid()])  # |sigma - y|, kept exact near 0
        return self.weight * size.masked_fill(~valid, 0.0).sum(dim=1, dtype=self.weight.dtype)

    def beside(self) -> Beside:
        return Beside("missed")

    def gather(self, told: Told) -> Tensor:
        missed = told.sums()[2:]
        return self.weight * (missed if missed.shape[1] == self.size else missed.sum(dim=1, keepdim=True))

    def learn(self, sums: Tensor) -> None:
        self.replace(gradients=self.gradients + sums)
        self.replace(weight=self._weights())

    def serve(self, link: Link, ignore_index: int) -> None:
        if link.exclusive:
            raise ValueError("Equalized: weighs the two outcomes of each class; with CrossEntropy use Seesaw.")

    def warnings(self) -> dict[str, str]:
        f = self.weight[0]
        if not bool((self.gradients.sum(dim=0) > 0).any()):
            return {"nothing": "no gradient was seen yet (all ignored?), so all weights are 1."}
        if bool((f < 0.01).all()):
            return {
                "off": "the negatives of every class weigh less than 0.01, so next to nothing pushes the outputs down; lower mu or gamma"
                " (one output per item and rare positives: use pos_neg)."
            }
        if bool((f > 0.99).all()):
            return {
                "plain": "every class counts as balanced, so all weights are 1 as in the plain loss; raise mu, or leave it out."
            }
        return {}

    def extra_repr(self) -> str:
        return f"classes={self.size}, gamma={self.gamma:g}, mu={self.mu:g}, alpha={self.alpha:g}"
