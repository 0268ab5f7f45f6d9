"""The one form at hard labels, for rows in any order: what trains models other than the linear one.

    u = S[y,c] z_c + O[y,c] (margin in O)      a = log P_y(u)      l = W_y g(a)      v = -dg/da >= 0      e = p - onehot(y)

    dl/dz_c = S W v e_c        curvature = S^2 W (v p_c (1 - p_c) + max(-dv/da, 0) e_c^2)

One logit for two classes (P = sigmoid), else C (P = softmax). The curvature is the diagonal of the Hessian: exact where the
curve is convex in log p (cross-entropy and weights, offsets, scales, margins of it), an upper bound that stays positive elsewhere.
"""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ...curves import Curve, Log
from ...explain.constant import optimum
from ...ops.bind import Bound, Parts, bind
from ...recipe import Recipe
from ..threads import own_warnings
from .forms import steepness, undo


@dataclasses.dataclass(frozen=True)
class Pointwise:
    """The losses of arms that share their curve. Tables [arms, label, logit], weight [arms, label]."""

    scale: Tensor | None
    offset: Tensor | None
    weight: Tensor
    curves: tuple[Curve, Curve]  # of label 0 and of the others

    @classmethod
    def of(cls, recipes: Sequence[Recipe], classes: int, dtype: torch.dtype = torch.float64) -> "Pointwise":
        """ValueError for tables that do not fit; recipes that `refusal` names must not come here."""
        link = "sigmoid" if classes == 2 else "softmax"
        bounds = [bind(r, link) for r in recipes]
        width = 1 if classes == 2 else classes
        # lowers the labelled logit; one logit speaks for label 1 and against label 0
        side = torch.tensor([[1.0], [-1.0]]) if classes == 2 else -torch.eye(classes)
        shape = (classes, width)
        scale = [_table(b.scale, 1.0, shape) for b in bounds]
        margin = [side * _table(b.margin, 0.0, (classes, 1)) for b in bounds]
        offset = [_table(b.offset, 0.0, shape) + m for b, m in zip(bounds, margin, strict=True)]
        weight = [_own(b, classes) for b in bounds]
        curves = (bounds[0].no if classes == 2 else bounds[0].yes), bounds[0].yes
        scales, offsets, weights = (torch.stack(t).to(dtype) for t in (scale, offset, weight))
        return cls(
            scales if bool((scales != 1).any()) else None, offsets if bool(offsets.any()) else None, weights, curves
        )

    def gradient(self, z: Tensor, y: Tensor) -> Tensor:
        """dl/dz [arms, rows, logits] of each row's own loss, for z alike and labels y [rows]."""
        a, e = self._read(z, y)
        steep = self.weight[:, y]
        if not self._plain:
            steep = steep * -self._by_label(y, lambda curve: curve.slope(a, -a.expm1()))
        e = e * steep[..., None]
        return e if self.scale is None else e.mul_(self.scale[:, y])

    def slopes(self, z: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """dl/dz and the curvature, both shaped like z."""
        a, e = self._read(z, y)
        weight = self.weight[:, y][..., None]
        if self._plain:
            first, second = weight * e, weight * e.abs() * (1 - e.abs())
        else:
            v, bend = (self._by_label(y, lambda curve, i=i: steepness(curve, a)[i])[..., None] for i in (0, 1))
            first, second = weight * v * e, weight * (v * e.abs() * (1 - e.abs()) + bend * e.square())
        if self.scale is None:
            return first, second
        scale = self.scale[:, y]
        return scale * first, scale.square() * second

    @property
    def _plain(self) -> bool:
        return all(isinstance(curve, Log) for curve in self.curves)

    def _read(self, z: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """a [arms, rows] and e [arms, rows, logits]; e at the label is -(1 - p), without cancellation."""
        u = z if self.scale is None else z * self.scale[:, y]
        u = u if self.offset is None else u + self.offset[:, y]
        if u.shape[-1] == 1:
            sign = 1 - 2 * y.to(u.dtype)
            wrong = u[..., 0] * sign
            return -F.softplus(wrong), (torch.sigmoid(wrong) * sign)[..., None]
        logp = F.log_softmax(u, dim=-1)
        at = y.expand(len(u), -1)[..., None]
        a = logp.gather(-1, at)
        return a[..., 0], logp.exp_().scatter_(-1, at, a.expm1())

    def _by_label(self, y: Tensor, of: Callable[[Curve], Tensor]) -> Tensor:
        first, other = self.curves
        return of(other) if first == other else torch.where(y == 0, of(first), of(other))


def refusal(recipe: Recipe, classes: int) -> str:
    """Why models cannot be trained with the recipe and compared by their undone scores, or ""."""
    if recipe.target is not None:
        return "it smooths its targets; away from the optimum its undone scores leave [0, 1] and cannot be compared on one scale"
    ladder = np.linspace(-5, 5, 11) if classes == 2 else np.eye(classes)[:2]
    try:
        with own_warnings() as heard:
            seen = undo(ladder, recipe, classes)
    except ValueError as error:
        return str(error)
    if heard:  # such as a margin on scaled logits, whose undo needs what no training reaches
        return heard[0].partition(": ")[2]
    if not np.isfinite(seen).all() or (classes == 2 and not (np.diff(seen) > 0).all()):
        return (
            "its loss does not tell every probability from every other (a weight of 0, or a stretch where its curve is flat),"
            " so its scores cannot be undone"
        )
    return ""


def constant(recipe: Recipe, prior: np.ndarray) -> np.ndarray:
    """The logits [C] (two classes: [1]) that suit the recipe best without features, where training starts.

    So every arm starts by undone scores from the class shares, and none gains by a better start than another's.
    """
    prior = np.maximum(prior, 1e-9)  # a class that the training part lacks
    prior = prior / prior.sum()
    if len(prior) == 2:
        return np.array([_undone_to(float(np.log(prior[1] / prior[0])), recipe)])
    return _undone_to_shares(prior, recipe)


def _undone_to(log_odds: float, recipe: Recipe) -> float:
    """The logit whose undo is `log_odds`: the undo rises with the logit, so ladders close in on it."""
    low, high = -100.0, 100.0
    for _ in range(5):
        ladder = np.linspace(low, high, 1001)
        at = int(np.clip(np.searchsorted(undo(ladder, recipe, 2), log_odds), 1, 1000))
        low, high = ladder[at - 1], ladder[at]
    return float(high)


def _undone_to_shares(prior: np.ndarray, recipe: Recipe) -> np.ndarray:
    """The logits whose undo is `prior`: by what is missing, in shorter steps where that goes too far."""
    z, step, last = np.log(prior), 1.0, np.inf
    for _ in range(100):
        missing = np.log(prior) - undo(z[None], recipe, len(z))[0]
        size = float(np.abs(missing).max())
        if size < 1e-6:
            return z
        if not np.isfinite(size):
            break
        step, last = (step if size < last else step / 2), size
        z = z + step * missing
    logits = optimum(bind(recipe, "softmax"), torch.from_numpy(prior))  # thorough, and a thousand times slower
    return np.log(prior) if logits is None else logits.detach().numpy()


def same_curve(recipes: Sequence[Recipe]) -> list[list[int]]:
    """The numbers of the recipes, those with one curve together."""
    groups: dict[object, list[int]] = {}
    for i, recipe in enumerate(recipes):
        groups.setdefault(repr(recipe.curve or Log()), []).append(i)
    return list(groups.values())


def _table(parts: Parts | None, absent: float, shape: tuple[int, int]) -> Tensor:
    """Written out as [label, logit]; `absent` where nothing is set."""
    if parts is None:
        return torch.full(shape, absent, dtype=torch.float64)
    return parts.dense(*shape).detach().double()


def _own(bound: Bound, classes: int) -> Tensor:
    """W[y,y], [C]"""
    if not bound.link.exclusive:
        return _table(bound.weight, 1.0, (classes, 1))[:, 0]
    return _table(bound.weight, 1.0, (classes, classes)).diagonal()
