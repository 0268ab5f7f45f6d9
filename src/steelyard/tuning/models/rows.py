"""The rows of one training part as Newton's method passes over them: by label, in pieces that stay in the cache."""

import dataclasses
import functools
import itertools
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from . import passes
from .forms import Form

SMALL = 10_000  # rows; from here on they are kept in float32 only
TINY = 2**14  # numbers; below it float32 saves nothing
PIECE = 2**20  # bytes of one [models, C, rows of the piece] array: what the second-level cache holds
OUTER = 2**20  # numbers, likewise, in the outer products of rows,
WIDE = 48  # columns; from here on a matrix product per model is cheaper than the outer products that all models share
KEPT = 2**23  # which are kept between Hessians if there are no more of them than this
SAMPLE = 4000  # rows of a label that may stand for all of them in a Hessian, and at least PER of them
PER = 60  # for each column; of more than two classes, whose Hessians cost by their pairs, one in SHARE of both
SHARE = 10
GRAM = 2**20  # numbers of X that are multiplied with each other at once
ALIKE = 0.25  # the relative error that their second moments may have, as the Hessian is wrong by as much


@dataclasses.dataclass(frozen=True)
class Part:
    """Rows start..stop share their label, and each stands for `times` rows."""

    label: int
    start: int
    stop: int
    times: float = 1.0


@dataclasses.dataclass(frozen=True)
class Rows:
    """X [rows, p], the intercept's ones last; `own` [rows] is how much each row counts beside its part's `times`, or None."""

    X: Tensor
    parts: tuple[Part, ...]
    own: Tensor | None = None

    @classmethod
    def of(cls, X: np.ndarray, order: np.ndarray, ends: Sequence[int], weights: np.ndarray | None = None) -> "Rows":
        """X [rows, p] without the ones; `order` sorts it by label, `ends` [C + 1] says where each label's rows start."""
        out = torch.empty(len(order), X.shape[1] + 1, dtype=torch.float64 if len(order) < SMALL else torch.float32)
        out[:, -1] = 1
        parts = [Part(label, a, b) for label, (a, b) in enumerate(itertools.pairwise(ends)) if a < b]
        for part in parts:  # one after the other: a sorted copy in float64 would double the memory
            out[part.start : part.stop, :-1] = torch.from_numpy(X[order[part.start : part.stop]])
        return cls(out, tuple(parts), None if weights is None else torch.from_numpy(weights[order]).to(out.dtype))

    @functools.cached_property
    def count(self) -> float:
        """How many rows they stand for."""
        if self.own is not None:
            return sum(part.times * float(self.own[part.start : part.stop].double().sum()) for part in self.parts)
        return sum(part.times * (part.stop - part.start) for part in self.parts)

    @property
    def width(self) -> int:
        return self.X.shape[1]

    @functools.cached_property
    def sample(self) -> "Rows":
        """Fewer rows with nearly the same second moments, or all where there is no such sample."""
        kept, parts, at = [], [], 0
        for part in self.parts:
            own = None if self.own is None else self.own[part.start : part.stop]
            least = max(SAMPLE, PER * self.width) // (1 if len(self.parts) < 3 else SHARE)
            for which, times in thin(self.X[part.start : part.stop], least, own):
                kept.append(part.start + which)
                parts.append(Part(part.label, at, at := at + len(which), part.times * times))
        if at == self.X.shape[0]:
            return self
        rows = torch.cat(kept)
        return Rows(self.X[rows], tuple(parts), None if self.own is None else self.own[rows])

    @functools.cached_property
    def tables(self) -> dict[torch.dtype, passes.Table]:
        """By what passes run in; where there is none, the one of float64 serves."""
        bounds = torch.tensor([(part.label, part.start, part.stop) for part in self.parts])
        shares = torch.tensor([part.times / self.count for part in self.parts], dtype=torch.float64)
        full = passes.Table(self.X, self.own, bounds, shares)
        own = None if self.own is None else self.own.to(self.rough)
        return {torch.float64: full, self.rough: dataclasses.replace(full, X=self.light, own=own, made=[])}

    @property
    def rough(self) -> torch.dtype:
        """What passes may run in that need a few digits only."""
        return self.X.dtype if self.X.numel() < TINY else torch.float32

    @functools.cached_property
    def light(self) -> Tensor:
        return self.X.to(self.rough)

    def gradient(self, form: Form, theta: Tensor, dtype: torch.dtype) -> Tensor:
        """Of the mean loss, [models, C, p] in float64; the rows' share of it is computed in dtype."""
        if passes.gamma(form) is not None:
            return centred(
                passes.run(self.tables.get(dtype, self.tables[torch.float64]), form, theta, dtype, valued=False)[1]
            )
        out = torch.zeros_like(theta)
        for part in self.parts:
            sums = torch.zeros_like(theta)
            for X, u, own in self._pieces(form, theta, part, dtype):
                slope = form.slope(part.label, u)
                slope = slope if own is None else slope.mul_(own)
                sums += (slope.flatten(0, 1) @ X).view(theta.shape)
            out += (self._scale(form, part) * form.chain(part.label))[:, None, None] * sums
        return centred(out)

    def value(self, form: Form, theta: Tensor, dtype: torch.dtype) -> Tensor:
        """The mean loss, [models]."""
        out = theta.new_zeros(form.models)
        for part in self.parts:
            for _, u, own in self._pieces(form, theta, part, dtype):
                out += self._scale(form, part) * form.loss(part.label, u, own)
        return out

    def both(self, form: Form, theta: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        """The mean loss and its gradient."""
        if passes.gamma(form) is not None:
            table = self.tables.get(dtype, self.tables[torch.float64])
            value, gradient = passes.run(table, form, theta, dtype, valued=True)
            return value, centred(gradient)
        return self.value(form, theta, dtype), self.gradient(form, theta, dtype)

    def curvatures(self, form: Form, theta: Tensor, exact: bool = False) -> Iterator[tuple[slice, Tensor]]:
        """Of the mean loss in the logits, piece by piece: [models, C (C + 1) / 2, rows]."""
        for part in self.parts:
            scale = (self._scale(form, part) * form.chain(part.label).square()).to(self.rough)[:, None, None]
            at = part.start
            for X, u, own in self._pieces(form, theta, part, self.rough):
                bent = form.bend(part.label, u, exact).mul_(scale)
                yield slice(at, at := at + X.shape[0]), bent if own is None else bent.mul_(own)

    def hessian(self, form: Form, theta: Tensor, exact: bool = False) -> Tensor:
        """Of the mean loss, [models, C, p, C, p] in float64."""
        models, C, p = theta.shape
        if p >= WIDE:
            return self._one_by_one(form, theta, exact)
        if self.shared(form):
            return passes.hessian(self.tables[self.rough], form, theta, self.rough, exact)
        cells, step = C * (C + 1) // 2, max(64, OUTER // (p * (p + 1) // 2))
        sums = theta.new_zeros(models * cells, p * (p + 1) // 2)
        for rows, pairs in self.curvatures(form, theta, exact):
            for at in range(0, pairs.shape[-1], step):
                some = pairs.flatten(0, 1)[:, at : at + step]
                sums += some @ self._outer(rows.start + at, some.shape[1]).T
        square = sums.index_select(1, triangle(p).flatten()).view(models, cells, p, p)
        return square.index_select(1, triangle(C).flatten()).view(models, C, C, p, p).transpose(2, 3)

    def shared(self, form: Form) -> bool:
        """Whether the core makes Hessians of this form, from products of the columns that all models share."""
        return self.width < WIDE and passes.BENT and passes.gamma(form) is not None

    def _one_by_one(self, form: Form, theta: Tensor, exact: bool) -> Tensor:
        models, C, p = theta.shape
        sums = theta.new_zeros(models, C, C, p, p)
        step = max(256, GRAM // p)
        for model in range(models):
            one = torch.tensor([model])
            pairs = torch.cat([some[0] for _, some in self.curvatures(form.take(one), theta[one], exact)], dim=1)
            for k, (i, j) in enumerate(torch.triu_indices(C, C).T.tolist()):
                for at in range(0, len(self.light), step):
                    sums[model, i, j] += _gram(self.light[at : at + step], pairs[k, at : at + step])
        for i, j in torch.triu_indices(C, C, 1).T.tolist():
            sums[:, j, i] = sums[:, i, j]
        return sums.transpose(2, 3)

    def _outer(self, start: int, rows: int) -> Tensor:
        """x_i x_i^T of these rows, [p (p + 1) / 2, rows]."""
        if self._kept is not None:
            return self._kept[:, start : start + rows]
        return products(self.light[start : start + rows])

    @functools.cached_property
    def _kept(self) -> Tensor | None:
        return products(self.light) if self.X.shape[0] * self.width * (self.width + 1) // 2 <= KEPT else None

    def _scale(self, form: Form, part: Part) -> Tensor:
        return form.weight[:, part.label] * (part.times / self.count)

    def _pieces(
        self, form: Form, theta: Tensor, part: Part, dtype: torch.dtype
    ) -> Iterator[tuple[Tensor, Tensor, Tensor | None]]:
        """X, u [models, C, rows] and the rows' own weights of one piece after the other. The next one overwrites u."""
        models, C, p = theta.shape
        turned = form.chain(part.label)[:, None, None] * theta
        turned[:, :, -1] += form.shift(part.label)
        flat = turned.view(-1, p).to(dtype)
        source = self.light if dtype == self.rough else self.X
        size = max(256, PIECE // (flat.itemsize * (models * C + p)))
        buffer = flat.new_empty(models * C * min(size, part.stop - part.start))
        for start in range(part.start, part.stop, size):
            X = source[start : min(start + size, part.stop)].to(dtype)
            u = buffer[: models * C * X.shape[0]].view(models * C, -1)
            torch.mm(flat, X.T, out=u)
            own = None if self.own is None else self.own[start : start + X.shape[0]].to(dtype)
            yield X, u.view(models, C, -1), own


def _gram(X: Tensor, times: Tensor) -> Tensor:
    """X^T diag(times) X. Of numbers of one sign it is a matrix by its own transpose, half the work to numpy: one for each sign."""
    less = times < 0
    if not bool(less.any()):
        return _square(X, times)
    if bool(less.all()):
        return _square(X, -times).neg_()
    return _square(X, times.clamp(min=0)) - _square(X[less], -times[less])


def _square(X: Tensor, times: Tensor) -> Tensor:
    root = (X * times.sqrt()[:, None]).numpy()
    return torch.from_numpy(root.T @ root)


def thin(X: Tensor, least: int, own: Tensor | None = None) -> list[tuple[Tensor, float]]:
    """Numbers of some of the rows, and how many rows each of them stands for: evenly spaced ones, if need be beside the rows that
    alone hold much of a column's second moment (rare levels, heavy tails, heavy weights)."""
    rows = X.shape[0]
    if 2 * least > rows:
        return [(torch.arange(rows), 1.0)]
    X = X if own is None else X * own.sqrt()[:, None]
    moments = _moments(X)

    def alike(values: Tensor) -> bool:
        return bool(((values - moments).abs() <= ALIKE * moments).all())

    light = _spread(rows, least)
    if alike(_moments(X[light])):
        return [(light, rows / least)]
    weight = 1 / moments.clamp(min=torch.finfo(X.dtype).tiny)
    heaviest = (X.square() @ weight).argsort(descending=True)
    while 2 * least <= rows:
        alone = least // 2
        heavy, rest = heaviest[:alone], heaviest[alone:].sort().values
        light = rest[_spread(rows - alone, least - alone)]
        if alike((alone * _moments(X[heavy]) + (rows - alone) * _moments(X[light])) / rows):
            return [(heavy, 1.0), (light, (rows - alone) / (least - alone))]
        least *= 2
    return [(torch.arange(rows), 1.0)]


def _spread(rows: int, count: int) -> Tensor:
    return torch.linspace(0, rows - 1, count).long()


def _moments(X: Tensor) -> Tensor:
    """The mean square of every column."""
    return torch.linalg.vector_norm(X, dim=0).square() / X.shape[0]


def centred(d: Tensor) -> Tensor:
    """[models, C, p] without what all classes have in common, to which softmax is blind: in a gradient it is rounding."""
    return d - d.mean(dim=1, keepdim=True) if d.shape[1] > 1 else d


def triangle(size: int) -> Tensor:
    """[size, size]: where (i, j) stands among the pairs (0, 0), (0, 1), ..., (1, 1), ..."""
    at = torch.empty(size, size, dtype=torch.long)
    i, j = torch.triu_indices(size, size)
    at[i, j] = at[j, i] = torch.arange(len(i))
    return at


def products(X: Tensor) -> Tensor:
    """[p (p + 1) / 2, rows]: x_i * x_j for j >= i."""
    rows, p = X.shape
    columns, at = X.T.contiguous(), 0
    out = X.new_empty(p * (p + 1) // 2, rows)
    for i in range(p):
        torch.mul(columns[i:], columns[i], out=out[at : at + p - i])
        at += p - i
    return out
