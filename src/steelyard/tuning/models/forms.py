"""The one form of the losses, evaluated for many models at once: every model has its own tables, all share the rows.

Targets are hard labels, so within one label a loss is one curve of one log-probability, and all else about it is affine:

    a = log P(label)      l = W g(a)      v = -dg/da >= 0      u = k z + b, which can be done to the coefficients instead of to the rows

    sigmoid   u = -+ (S z + O -+ margin), large where the row is wrong      dl/du = W v q            q = 1 - exp(a) = s(u)
    softmax   u = z + O[y] - margin at the label                            dl/du = W v (p - e_y)

The curvature is W (v p q - dv/da q^2), or its matrix in softmax. Where the loss is not convex (focal loss at small probabilities)
max(-dv/da, 0) keeps it positive, so that Newton's direction descends from wherever it starts.
"""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ...calibrate import posterior
from ...curves import Curve, Focal, Log
from ...ops.bind import Bound, Parts, bind
from ...recipe import Recipe


class Form(Protocol):
    """A batch of losses. Arrays of rows are [models, C, rows]; W is left to the caller except in `value` and `slopes`."""

    @property
    def weight(self) -> Tensor:
        """[models, labels]"""
        ...

    @property
    def ends(self) -> tuple[int, ...]:
        """[labels + 1]: where each label's rows start, if they are sorted by label."""
        ...

    @property
    def width(self) -> int: ...

    @property
    def models(self) -> int: ...

    @property
    def convex(self) -> bool: ...

    def take(self, keep: Tensor) -> "Form": ...

    def chain(self, label: int) -> Tensor:
        """k [models]"""
        ...

    def shift(self, label: int) -> Tensor:
        """b [models, C]"""
        ...

    def by_label(self, labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """k [labels, models], b [labels, models, C] and W [labels, models]"""
        ...

    def loss(self, label: int, u: Tensor, times: Tensor | None = None) -> Tensor:
        """Summed over rows, which count `times` [rows], in float64: [models]."""
        ...

    def slope(self, label: int, u: Tensor) -> Tensor:
        """dl/du, shaped like u and perhaps written into it."""
        ...

    def bend(self, label: int, u: Tensor, exact: bool = False) -> Tensor:
        """The curvature in u, [models, C (C + 1) / 2, rows] in the order (0,0), (0,1), ..., (1,1), ...; the second
        derivative itself if `exact`, which may be negative."""
        ...

    def value(self, z: Tensor, times: Tensor | None = None) -> Tensor:
        """[models, C, rows] of all rows, sorted by label -> [models], the sum over rows, which count `times` [rows]."""
        ...

    def slopes(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """dl/dz, shaped like z, and the curvature in z as in `bend`; rows as in `value`."""
        ...


@dataclasses.dataclass(frozen=True)
class Sigmoid:
    """One logit per row. Tables are [models, 2], row 1 = "is"; `ends` [3] says where each label's rows start."""

    ends: tuple[int, ...]
    scale: Tensor
    offset: Tensor
    weight: Tensor
    curves: tuple[Curve, Curve]  # (is not, is)
    width: int = 1

    @classmethod
    def of(cls, recipes: Sequence[Recipe], ends: Sequence[int]) -> "Sigmoid":
        """The recipes must share their curve."""
        bounds = [_bound(r, "sigmoid") for r in recipes]
        ones = torch.ones(2, dtype=torch.float64)
        scale = torch.stack([_by_label(b.scale, ones) for b in bounds])
        weight = torch.stack([_by_label(b.weight, ones) for b in bounds])
        offset = torch.stack([_by_label(b.offset, 0 * ones) for b in bounds])
        margin = torch.stack([_by_label(b.margin, 0 * ones) for b in bounds])
        sign = torch.tensor([1.0, -1.0], dtype=torch.float64)  # lowers z for "is", raises it for "is not"
        return cls(tuple(ends), scale, offset + sign * margin, weight, (bounds[0].no, bounds[0].yes))

    @property
    def models(self) -> int:
        return len(self.weight)

    @property
    def convex(self) -> bool:
        no, yes = self.curves  # asked for at every step
        return isinstance(no, Log) and isinstance(yes, Log)

    def take(self, keep: Tensor) -> "Sigmoid":
        return dataclasses.replace(self, scale=self.scale[keep], offset=self.offset[keep], weight=self.weight[keep])

    def chain(self, label: int) -> Tensor:
        return self.scale[:, 0] if label == 0 else -self.scale[:, 1]

    def shift(self, label: int) -> Tensor:
        return self.offset[:, :1] if label == 0 else -self.offset[:, 1:]

    def by_label(self, labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        sign = torch.tensor([1.0, -1.0], dtype=torch.float64)[labels, None]
        return sign * self.scale.T[labels], (sign * self.offset.T[labels])[..., None], self.weight.T[labels]

    def loss(self, label: int, u: Tensor, times: Tensor | None = None) -> Tensor:
        curve = self.curves[label]
        each = F.softplus(u) if isinstance(curve, Log) else curve.value(F.logsigmoid(-u), torch.sigmoid(u))
        if times is not None:
            each = each * times
        return each.sum(dim=(1, 2), dtype=torch.float64)

    def slope(self, label: int, u: Tensor) -> Tensor:
        curve = self.curves[label]
        if isinstance(curve, Log):
            return u.sigmoid_()
        q = torch.sigmoid(u)
        return curve.slope(F.logsigmoid(-u), q).neg_().mul_(q)

    def bend(self, label: int, u: Tensor, exact: bool = False) -> Tensor:
        curve, q = self.curves[label], torch.sigmoid(u)
        if isinstance(curve, Log):
            return torch.addcmul(q, q, q, value=-1)
        if exact and isinstance(curve, Focal):
            return _focal_bend(u, q, curve.gamma)
        v, change = steepness(curve, F.logsigmoid(-u), exact)
        return v * (q - q * q) + change * q * q

    def value(self, z: Tensor, times: Tensor | None = None) -> Tensor:
        return _value(self, self.ends, z, times)

    def slopes(self, z: Tensor) -> tuple[Tensor, Tensor]:
        return _slopes(self, self.ends, z)

    def log_odds(self, z: Tensor) -> Tensor:
        """Undo: log eta / (1 - eta) with eta = l0' / (l0' - l1'), for z [models, rows] at any rows."""
        logs = []
        for label, curve in enumerate(self.curves):
            u = self.chain(label)[:, None] * z + self.shift(label)
            log = (self.weight * self.scale)[:, label, None].log() + F.logsigmoid(u)
            if not isinstance(curve, Log):
                log += (-curve.slope(F.logsigmoid(-u), torch.sigmoid(u))).log()
            logs.append(log)
        return logs[0] - logs[1]


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
        bounds = [_bound(r, "softmax") for r in recipes]
        classes = len(ends) - 1
        ones = torch.ones(classes, dtype=torch.float64)
        weight = torch.stack([_by_label(b.weight, ones) for b in bounds])
        margin = torch.stack([_by_label(b.margin, 0 * ones) for b in bounds])
        nothing = torch.zeros(classes, classes, dtype=torch.float64)
        offset = torch.stack([nothing if b.offset is None else b.offset.dense(classes, classes) for b in bounds])
        return cls(tuple(ends), offset - torch.diag_embed(margin), weight, bounds[0].yes, classes)

    @property
    def models(self) -> int:
        return len(self.weight)

    @property
    def convex(self) -> bool:
        return isinstance(self.curve, Log)

    def take(self, keep: Tensor) -> "Softmax":
        return dataclasses.replace(self, offset=self.offset[keep], weight=self.weight[keep])

    def chain(self, label: int) -> Tensor:
        return torch.ones_like(self.weight[:, label])

    def shift(self, label: int) -> Tensor:
        return self.offset[:, label]

    def by_label(self, labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        weight = self.weight.T[labels]
        return torch.ones_like(weight), self.offset.transpose(0, 1)[labels], weight

    def loss(self, label: int, u: Tensor, times: Tensor | None = None) -> Tensor:
        a = F.log_softmax(u, dim=1)[:, label]
        each = self.curve.value(a, -a.expm1())
        if times is not None:
            each = each * times
        return each.sum(dim=-1, dtype=torch.float64)

    def slope(self, label: int, u: Tensor) -> Tensor:
        if isinstance(self.curve, Log):
            p = torch.softmax(u, dim=1)
            p[:, label] -= 1
            return p
        a = F.log_softmax(u, dim=1)
        v = -self.curve.slope(a[:, label], -a[:, label].expm1())
        away = a.exp()
        away[:, label] -= 1
        return away.mul_(v[:, None])

    def bend(self, label: int, u: Tensor, exact: bool = False) -> Tensor:
        cells = torch.triu_indices(self.width, self.width).T.tolist()
        second = u.new_empty(len(u), len(cells), u.shape[-1])
        logp = F.log_softmax(u, dim=1)
        p = logp.exp()
        v, change = (None, None) if isinstance(self.curve, Log) else steepness(self.curve, logp[:, label], exact)
        steep = p if v is None else p * v[:, None]  # second = v (diag p - p p^T) + change (p - e_y) (p - e_y)^T
        for k, (i, j) in enumerate(cells):
            torch.mul(p[:, j], steep[:, i], out=second[:, k]).neg_()
            if i == j:
                second[:, k] += steep[:, i]
        if change is not None:
            p[:, label] -= 1
            bent = change[:, None] * p
            for k, (i, j) in enumerate(cells):
                second[:, k].addcmul_(bent[:, i], p[:, j])
        return second

    def value(self, z: Tensor, times: Tensor | None = None) -> Tensor:
        return _value(self, self.ends, z, times)

    def slopes(self, z: Tensor) -> tuple[Tensor, Tensor]:
        return _slopes(self, self.ends, z)


def _value(form: Form, ends: Sequence[int], z: Tensor, times: Tensor | None) -> Tensor:
    by_label = [
        form.weight[:, y] * form.loss(y, u, None if times is None else times[rows])
        for y, rows, u in _by_rows(form, ends, z)
    ]
    return torch.stack(by_label).sum(dim=0)


def _slopes(form: Form, ends: Sequence[int], z: Tensor) -> tuple[Tensor, Tensor]:
    first, second = torch.empty_like(z), z.new_empty(len(z), form.width * (form.width + 1) // 2, z.shape[-1])
    for label, rows, u in _by_rows(form, ends, z):
        chain, weight = form.chain(label)[:, None, None], form.weight[:, label, None, None]
        second[:, :, rows] = weight * chain.square() * form.bend(label, u)
        first[:, :, rows] = weight * chain * form.slope(label, u)
    return first, second


def _by_rows(form: Form, ends: Sequence[int], z: Tensor) -> Iterator[tuple[int, slice, Tensor]]:
    for label in range(len(ends) - 1):
        rows = slice(ends[label], ends[label + 1])
        yield label, rows, form.chain(label)[:, None, None] * z[:, :, rows] + form.shift(label)[:, :, None]


def _focal_bend(u: Tensor, q: Tensor, gamma: float) -> Tensor:
    """The second derivative of q^gamma s by u, with s = log(1 + e^u), s' = q and q' = q p."""
    s, p = F.softplus(u), torch.sigmoid(-u)
    each = q * (1 + 2 * gamma) + gamma * s * (gamma * p - q)
    return each.mul_(p).mul_(torch.exp(gamma * (u - s)))


def steepness(curve: Curve, logp: Tensor, exact: bool = False) -> tuple[Tensor, Tensor]:
    """v = -dg/da and -dv/da, the second by differentiating the curve's own slope, and not below 0 unless `exact`."""
    with torch.enable_grad():
        a = logp.detach().requires_grad_()
        v = -curve.slope(a, -a.expm1())
        (change,) = torch.autograd.grad(v.sum(), a) if v.requires_grad else (torch.zeros_like(a),)
    change = change.neg().masked_fill_(change.isnan(), 0.0)  # 1 - p below the normal numbers, whose square underflows
    return v.detach(), change if exact else change.clamp(min=0)


def refusal(recipe: Recipe, classes: int) -> str:
    """Why no form carries the recipe, or ""."""
    try:
        bound = bind(recipe, "sigmoid" if classes == 2 else "softmax")
    except ValueError as error:
        return str(error)
    return _refusal(bound)


def _refusal(bound: Bound) -> str:
    if bound.target is not None:
        return (
            "smooths its targets; away from the optimum its undone scores leave [0, 1] and cannot be compared on one"
            " scale. Leave the smoothing out of the arms."
        )
    if bound.link.exclusive and bound.scale is not None:
        return "scales the logits, which a linear model's own scale undoes."
    # softmax has a use for an offset per class, and on hard labels for a weight per class
    tables = (bound.scale, bound.offset, bound.margin, bound.weight) if not bound.link.exclusive else (bound.margin,)
    if any(t is not None and t.column is not None and t.column.numel() > 1 for t in tables):
        return "has a table with one number per class; the linear model needs one number per label."
    return ""


def _bound(recipe: Recipe, link: str) -> Bound:
    bound = bind(recipe, link)
    if reason := _refusal(bound):
        raise ValueError(f"tune: {_name(recipe)} {reason}")
    return bound


def _name(recipe: Recipe) -> str:
    return " × ".join(recipe.source) or "a recipe"


def _by_label(parts: Parts | None, absent: Tensor) -> Tensor:
    """What the table says about the labelled class, as one number per label."""
    return absent if parts is None else parts.diagonal(len(absent)).detach().double()


def undo(logits: np.ndarray, recipe: Recipe, classes: int) -> np.ndarray:
    """Logits of one arm -> log-odds (two classes) or log-probabilities [..., C] of the posterior they stand for.

    Two classes: log(l0' / -l1'), kept in logarithms so that ranks survive where probabilities round to 0 or 1.
    """
    logits = np.ascontiguousarray(logits, dtype=np.float64)
    if classes == 2:
        form = Sigmoid.of([recipe], (0, 0, 0))
        return form.log_odds(torch.from_numpy(logits.reshape(1, -1))).numpy().reshape(logits.shape)
    p = np.asarray(posterior(logits.reshape(-1, classes), recipe, link="softmax"))
    with np.errstate(divide="ignore"):
        return np.log(p).reshape(logits.shape)
