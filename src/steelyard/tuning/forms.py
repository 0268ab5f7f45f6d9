"""The one form of the losses, evaluated for many models at once: every model has its own tables, all share the rows.

A batch is [models, logits per row, rows]. Targets are hard labels, so a row's loss is one curve of one log-probability:

    a = log P(label)      l = W g(a)      v = -dg/da >= 0

    sigmoid   u = S z + O -+ margin (one logit)      dl/du = -+ W v q                        q = 1 - exp(a)
    softmax   u = z + O[y] - margin at the label     dl/du = W v (p - e_y)

The curvature used is W (v p q + max(-dv/da, 0) q^2), or its matrix in softmax: exact where the loss is convex and
positive where it is not (focal loss at small probabilities), so that Newton's direction always descends.
"""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

from ..curves import Curve, Log
from ..ops.bind import Bound, Parts, bind
from ..recipe import Recipe


class Form(Protocol):
    """A batch of losses over the same rows, which are sorted by label: `ends` [C + 1] says where each label starts."""

    @property
    def ends(self) -> tuple[int, ...]: ...

    @property
    def width(self) -> int: ...

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
    """One logit per row. Tables are [models, 2], row 1 = "is"."""

    ends: tuple[int, ...]
    scale: Tensor
    offset: Tensor
    weight: Tensor
    curves: tuple[Curve, Curve]  # (is not, is)
    width: int = 1

    @classmethod
    def of(cls, recipes: Sequence[Recipe], ends: Sequence[int]) -> "Sigmoid":
        """The recipes must share their curve."""
        bounds = [_hard(bind(r, "sigmoid"), r) for r in recipes]
        ones = torch.ones(2, dtype=torch.float64)
        scale = torch.stack([_by_label(b.scale, torch.mul, ones) for b in bounds])
        weight = torch.stack([_by_label(b.weight, torch.mul, ones) for b in bounds])
        offset = torch.stack([_by_label(b.offset, torch.add, 0 * ones) for b in bounds])
        margin = torch.stack([_by_label(b.margin, torch.add, 0 * ones) for b in bounds])
        sign = torch.tensor([1.0, -1.0], dtype=torch.float64)  # lowers z for "is", raises it for "is not"
        return cls(tuple(ends), scale, offset + sign * margin, weight, (bounds[0].no, bounds[0].yes))

    @property
    def models(self) -> int:
        return len(self.weight)

    def take(self, keep: Tensor) -> "Sigmoid":
        return dataclasses.replace(self, scale=self.scale[keep], offset=self.offset[keep], weight=self.weight[keep])

    def value(self, z: Tensor) -> Tensor:
        total = z.new_zeros(self.models)
        for label, sign, curve, u in self._by_label(z):
            if isinstance(curve, Log):
                each = F.softplus(u.mul_(-sign))
            else:
                each = curve.value(F.logsigmoid(sign * u), torch.sigmoid(-sign * u))
            total += self.weight[:, label] * each.sum(dim=-1)
        return total

    def slopes(self, z: Tensor) -> tuple[Tensor, Tensor]:
        first, second = torch.empty_like(z), torch.empty_like(z)
        for label, sign, curve, u in self._by_label(z):
            rows = slice(self.ends[label], self.ends[label + 1])
            q = torch.sigmoid(-sign * u)
            scale, weight = self.scale[:, label, None], self.weight[:, label, None]
            if isinstance(curve, Log):
                first[:, 0, rows] = (-sign * weight * scale) * q
                second[:, 0, rows] = (weight * scale * scale) * (q - q * q)
            else:
                v, bend = steepness(curve, F.logsigmoid(sign * u))
                first[:, 0, rows] = (-sign * weight * scale) * v * q
                second[:, 0, rows] = (weight * scale * scale) * (v * q * (1 - q) + bend * q * q)
        return first, second

    def log_odds(self, z: Tensor) -> Tensor:
        """Undo: log eta / (1 - eta) with eta = l0' / (l0' - l1'), for z [models, rows] at any rows."""
        logs = []
        for label, sign in ((0, -1.0), (1, 1.0)):
            u = self.scale[:, label, None] * z + self.offset[:, label, None]
            v = -self.curves[label].slope(F.logsigmoid(sign * u), torch.sigmoid(-sign * u))
            logs.append((self.weight * self.scale)[:, label, None].log() + v.log() + F.logsigmoid(-sign * u))
        return logs[0] - logs[1]

    def _by_label(self, z: Tensor) -> Iterator[tuple[int, float, Curve, Tensor]]:
        for label, sign in ((0, -1.0), (1, 1.0)):
            rows = z[:, 0, self.ends[label] : self.ends[label + 1]]
            u = torch.addcmul(self.offset[:, label, None], self.scale[:, label, None], rows)
            yield label, sign, self.curves[label], u


@dataclasses.dataclass(frozen=True)
class Softmax:
    """C logits per row. weight [models, C] by label; offset [models, C, C] as [label, class], with the margin in it."""

    ends: tuple[int, ...]
    offset: Tensor
    weight: Tensor
    curve: Curve
    width: int

    @classmethod
    def of(cls, recipes: Sequence[Recipe], ends: Sequence[int]) -> "Softmax":
        """The recipes must share their curve."""
        bounds = [_hard(bind(r, "softmax"), r) for r in recipes]
        for bound, recipe in zip(bounds, recipes, strict=True):
            if bound.scale is not None:
                raise ValueError(f"tune: {_name(recipe)} scales the logits, which a linear model's own scale undoes.")
        classes = len(ends) - 1
        ones = torch.ones(classes, dtype=torch.float64)
        weight = torch.stack([_by_label(b.weight, torch.mul, ones, diagonal=True) for b in bounds])
        margin = torch.stack([_by_label(b.margin, torch.add, 0 * ones) for b in bounds])
        offset = torch.stack([_dense_offset(b.offset, classes) for b in bounds])
        return cls(tuple(ends), offset - torch.diag_embed(margin), weight, bounds[0].yes, classes)

    @property
    def models(self) -> int:
        return len(self.weight)

    def take(self, keep: Tensor) -> "Softmax":
        return dataclasses.replace(self, offset=self.offset[keep], weight=self.weight[keep])

    def value(self, z: Tensor) -> Tensor:
        total = z.new_zeros(self.models)
        for label, _, logp in self._by_label(z):
            a = logp[:, label]
            total += self.weight[:, label] * self.curve.value(a, -a.expm1()).sum(dim=-1)
        return total

    def slopes(self, z: Tensor) -> tuple[Tensor, Tensor]:
        cells = torch.triu_indices(self.width, self.width).T.tolist()
        first, second = torch.empty_like(z), z.new_empty(len(z), len(cells), z.shape[-1])
        for label, rows, logp in self._by_label(z):
            p, weight = logp.exp(), self.weight[:, label, None]
            v, bend = (1.0, None) if isinstance(self.curve, Log) else steepness(self.curve, logp[:, label])
            steep = weight * v
            away = steep[:, None] * p  # W v p, and then W v (p - e_y)
            for k, (i, j) in enumerate(cells):
                torch.mul(p[:, j], away[:, i], out=second[:, k, rows]).neg_()
                if i == j:
                    second[:, k, rows] += away[:, i]
            away[:, label] -= steep
            first[:, :, rows] = away
            if bend is not None:
                p[:, label] -= 1
                bent = (weight * bend)[:, None] * p
                for k, (i, j) in enumerate(cells):
                    second[:, k, rows].addcmul_(bent[:, i], p[:, j])
        return first, second

    def _by_label(self, z: Tensor) -> Iterator[tuple[int, slice, Tensor]]:
        for label in range(self.width):
            rows = slice(self.ends[label], self.ends[label + 1])
            yield label, rows, F.log_softmax(z[:, :, rows] + self.offset[:, label, :, None], dim=1)


def steepness(curve: Curve, logp: Tensor) -> tuple[Tensor, Tensor]:
    """v = -dg/da and max(-dv/da, 0), the second by differentiating the curve's own slope."""
    with torch.enable_grad():
        a = logp.detach().requires_grad_()
        v = -curve.slope(a, -a.expm1())
        (change,) = torch.autograd.grad(v.sum(), a) if v.requires_grad else (torch.zeros_like(a),)
    return v.detach(), (-change).clamp(min=0)


def _hard(bound: Bound, recipe: Recipe) -> Bound:
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
