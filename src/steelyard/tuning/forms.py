"""The one form of the losses, evaluated for many models at once: every model has its own tables, all share the rows.

A batch is [models, logits per row, rows]. Targets are hard labels, so a row's loss is one curve of one log-probability:

    a = log P(label)      l = W g(a)      v = -dg/da >= 0

    sigmoid   u = S z + O -+ margin (one logit)      dl/du = -+ W v q                        q = 1 - exp(a)
    softmax   u = z + O[y] - margin at the label     dl/du = W v (p - e_y)

The curvature used is W (v p q + max(-dv/da, 0) q^2), or its matrix in softmax: exact where the loss is convex and
positive where it is not (focal loss at small probabilities), so that Newton's direction always descends.
"""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

from ..curves import Curve, Log
from ..ops.bind import Bound, Parts, bind
from ..recipe import Recipe


class Form(Protocol):
    """A batch of losses over the same rows."""

    width: int

    @property
    def models(self) -> int: ...

    def take(self, keep: Tensor) -> "Form": ...

    def value(self, z: Tensor) -> Tensor:
        """[models, C, rows] -> [models], the sum over rows."""
        ...

    def slopes(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """dl/dz, shaped like z, and the curvature [models, C (C + 1) / 2, rows] in the order (0,0), (0,1), ..., (1,1), ..."""
        ...


@dataclasses.dataclass(frozen=True)
class Sigmoid:
    """One logit per row. Tables are [models, 2], row 1 = "is"; `labels` [rows] holds 0 or 1."""

    labels: Tensor
    scale: Tensor
    offset: Tensor
    weight: Tensor
    curves: tuple[Curve, Curve]  # (is, is not)
    width: int = 1

    @classmethod
    def of(cls, recipes: Sequence[Recipe], labels: Tensor) -> "Sigmoid":
        bounds = [hard(bind(r, "sigmoid"), r) for r in recipes]
        ones = torch.ones(2, dtype=torch.float64)
        scale = torch.stack([_by_label(b.scale, torch.mul, ones) for b in bounds])
        weight = torch.stack([_by_label(b.weight, torch.mul, ones) for b in bounds])
        offset = torch.stack([_by_label(b.offset, torch.add, 0 * ones) for b in bounds])
        margin = torch.stack([_by_label(b.margin, torch.add, 0 * ones) for b in bounds])
        sign = torch.tensor([1.0, -1.0], dtype=torch.float64)  # lowers z for "is", raises it for "is not"
        return cls(labels, scale, offset + sign * margin, weight, (bounds[0].yes, bounds[0].no))

    @property
    def models(self) -> int:
        return len(self.weight)

    def take(self, keep: Tensor) -> "Sigmoid":
        return dataclasses.replace(self, scale=self.scale[keep], offset=self.offset[keep], weight=self.weight[keep])

    def value(self, z: Tensor) -> Tensor:
        u, _, weight = self._u(z[:, 0])
        sign = 2.0 * self.labels - 1
        if self._is_log:
            return (weight * F.softplus(-sign * u)).sum(dim=-1)
        logp, q = F.logsigmoid(sign * u), torch.sigmoid(-sign * u)
        return (weight * self._by_curve(lambda curve: curve.value(logp, q))).sum(dim=-1)

    def slopes(self, z: Tensor) -> tuple[Tensor, Tensor]:
        u, scale, weight = self._u(z[:, 0])
        if self._is_log:
            p = torch.sigmoid(u)
            first, second = p - self.labels, p * (1 - p)
        else:
            sign = 2.0 * self.labels - 1
            logp, q = F.logsigmoid(sign * u), torch.sigmoid(-sign * u)
            v, bend = (torch.where(self.labels > 0, a, b) for a, b in zip(*(steepness(c, logp) for c in self.curves)))
            first, second = -sign * v * q, v * q * (1 - q) + bend * q * q
        return (weight * scale * first)[:, None], (weight * scale * scale * second)[:, None]

    def log_odds(self, z: Tensor) -> Tensor:
        """Undo: log eta / (1 - eta) with eta = l0' / (l0' - l1'), for z [models, rows] at any rows."""
        logs = []
        for label, sign in ((0, -1.0), (1, 1.0)):
            u = self.scale[:, label, None] * z + self.offset[:, label, None]
            logp, logq = F.logsigmoid(sign * u), F.logsigmoid(-sign * u)
            v = -self.curves[1 - label].slope(logp, torch.sigmoid(-sign * u))
            logs.append((self.weight * self.scale)[:, label, None].log() + v.log() + logq)
        return logs[0] - logs[1]

    @property
    def _is_log(self) -> bool:
        return all(isinstance(c, Log) for c in self.curves)

    def _u(self, z: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        scale, offset, weight = (t[:, self.labels] for t in (self.scale, self.offset, self.weight))
        return scale * z + offset, scale, weight

    def _by_curve(self, function: Callable[[Curve], Tensor]) -> Tensor:
        yes, no = self.curves
        return function(yes) if yes is no else torch.where(self.labels > 0, function(yes), function(no))


@dataclasses.dataclass(frozen=True)
class Softmax:
    """C logits per row. weight [models, C] by label; offset [models, C, C] as [label, class], with the margin in it."""

    labels: Tensor
    offset: Tensor
    weight: Tensor
    curve: Curve
    width: int

    @classmethod
    def of(cls, recipes: Sequence[Recipe], labels: Tensor, classes: int) -> "Softmax":
        bounds = [hard(bind(r, "softmax"), r) for r in recipes]
        for bound, recipe in zip(bounds, recipes, strict=True):
            if bound.scale is not None:
                raise ValueError(f"tune: {_name(recipe)} scales the logits, which a linear model's own scale undoes.")
        ones = torch.ones(classes, dtype=torch.float64)
        weight = torch.stack([_by_label(b.weight, torch.mul, ones, diagonal=True) for b in bounds])
        margin = torch.stack([_by_label(b.margin, torch.add, 0 * ones) for b in bounds])
        offset = torch.stack([_dense_offset(b.offset, classes) for b in bounds])
        return cls(labels, offset - torch.diag_embed(margin), weight, bounds[0].yes, classes)

    @property
    def models(self) -> int:
        return len(self.weight)

    def take(self, keep: Tensor) -> "Softmax":
        return dataclasses.replace(self, offset=self.offset[keep], weight=self.weight[keep])

    def value(self, z: Tensor) -> Tensor:
        logp = self._log_softmax(z)
        a = self._of_label(logp)
        return (self.weight[:, self.labels] * self.curve.value(a, -a.expm1())).sum(dim=-1)

    def slopes(self, z: Tensor) -> tuple[Tensor, Tensor]:
        logp = self._log_softmax(z)
        p, a = logp.exp(), self._of_label(logp)
        weight = self.weight[:, self.labels]
        if isinstance(self.curve, Log):
            v, bend = weight, None
        else:
            v, bend = (weight * t for t in steepness(self.curve, a))
        away = p.clone()  # p - e_y
        away.scatter_add_(1, self.labels.expand(len(p), 1, -1), -torch.ones_like(p[:, :1]))
        rows, columns = torch.triu_indices(self.width, self.width)
        pairs = -v[:, None] * p[:, rows] * p[:, columns]
        pairs[:, rows == columns] += v[:, None] * p
        if bend is not None:
            pairs += bend[:, None] * away[:, rows] * away[:, columns]
        return v[:, None] * away, pairs

    def _log_softmax(self, z: Tensor) -> Tensor:
        return F.log_softmax(z + self.offset[:, self.labels].transpose(1, 2), dim=1)

    def _of_label(self, logp: Tensor) -> Tensor:
        return logp.gather(1, self.labels.expand(len(logp), 1, -1))[:, 0]


def steepness(curve: Curve, logp: Tensor) -> tuple[Tensor, Tensor]:
    """v = -dg/da and max(-dv/da, 0), the second by differentiating the curve's own slope."""
    with torch.enable_grad():
        a = logp.detach().requires_grad_()
        v = -curve.slope(a, -a.expm1())
        (change,) = torch.autograd.grad(v.sum(), a) if v.requires_grad else (torch.zeros_like(a),)
    return v.detach(), (-change).clamp(min=0)


def hard(bound: Bound, recipe: Recipe) -> Bound:
    if bound.target is not None:
        raise ValueError(
            f"tune: {_name(recipe)} smooths its targets; away from the optimum its undone scores leave [0, 1] and"
            " cannot be compared on one scale. Leave the smoothing out of the arms."
        )
    return bound


def _name(recipe: Recipe) -> str:
    return " × ".join(recipe.source) or "a recipe"


def _by_label(parts: Parts | None, combine: Callable, start: Tensor, *, diagonal: bool = False) -> Tensor:
    out = start
    for name, part in () if parts is None else parts._asdict().items():
        if part is None:
            continue
        if name == "full":
            part = torch.diagonal(part)
        elif name == "column" and not diagonal and part.numel() > 1:
            raise ValueError("tune: the linear engine needs tables with one number per label.")
        out = combine(out, part.detach().double())
    return out


def _dense_offset(parts: Parts | None, classes: int) -> Tensor:
    out = torch.zeros(classes, classes, dtype=torch.float64)
    if parts is None:
        return out
    out = out + (0 if parts.row is None else parts.row[:, None]) + (0 if parts.column is None else parts.column[None])
    return out + (0 if parts.full is None else parts.full)
