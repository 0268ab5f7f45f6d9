"""The one form over arrays of any library that has NumPy's names (jax.numpy, keras.ops); the derivatives are that library's.

As ops/reference.py, with the class axis last, where these libraries have it. The tables are those of `bind` and the curves the
registered ones, which see an array through `AsTensor`; nothing is defined anew.
"""

import dataclasses
import math
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from ..curves import Curve
from .as_tensor import AsTensor
from .bound import Bound, Parts
from .reference import LIKELY

Array: TypeAlias = Any


@dataclasses.dataclass(frozen=True)
class Library:
    """What an array library calls what NumPy has no name for.

    np            where, exp, log, log1p, expm1, sum, max, take, take_along_axis, isfinite, maximum, minimum, ones_like
    one_hot       (labels, classes, dtype) -> [..., classes]
    still         no derivative goes through it
    as_array      (NumPy array, dtype) -> an array
    cast          (array, dtype) -> an array
    dtype         its name: "float32"
    """

    name: str
    np: Any
    log_sigmoid: Callable[[Array], Array]
    sigmoid: Callable[[Array], Array]
    one_hot: Callable[[Array, int, str], Array]
    still: Callable[[Array], Array]
    as_array: Callable[[Any, str], Array]
    cast: Callable[[Array, str], Array]
    dtype: Callable[[Array], str]


class Terms(NamedTuple):
    """As reference.Terms, without lse: loss and mass [...] (sigmoid [..., K]), 0 where ignored; valid is 0 or 1 in their type."""

    loss: Array
    mass: Array
    valid: Array


def terms(
    of: Library, logits: Array, target: Array, bound: Bound, weight: Array | None, ignore_index: int | None, soft: bool
) -> Terms:
    """Of logits [..., C]; target labels [...] (sigmoid [..., K]) or, `soft`, probabilities like the logits."""
    if bound.live:
        raise ValueError(
            f"CrossEntropy: tables that are being learned are torch's, and {of.name} cannot reach them; train them in torch, and"
            " give the recipe with the numbers they have come to."
        )
    dtype = "float64" if of.dtype(logits) == "float64" else "float32"
    z = of.cast(logits, dtype)
    exclusive = bound.link.exclusive
    y = t = None
    if soft:
        t = of.cast(target, dtype)
        valid = of.np.ones_like(t[..., 0] if exclusive else t)
    else:
        y = of.cast(target, "int32")
        if ignore_index is None:
            valid = of.cast(of.np.ones_like(y), dtype)
        else:
            valid = of.cast(y != ignore_index, dtype)
            y = of.np.where(y != ignore_index, y, 0)
    if weight is not None:
        weight = of.cast(weight, dtype)
        valid = valid * of.cast(weight != 0, dtype)
    z = of.np.where(valid[..., None] > 0 if exclusive else valid > 0, z, 0.0)
    form = _Form(of, bound, dtype)
    loss, own = (form.softmax if exclusive else form.sigmoid)(z, y, t)
    s = valid if weight is None else of.np.where(valid > 0, weight, 0.0)
    return Terms(of.np.where(valid > 0, loss, 0.0) * s, own * s, valid)


def reduce(of: Library, found: Terms, norm: str | float, reduction: str) -> Array:
    """As losses/reduction.py: of nothing valid the mean is 0."""
    if reduction == "none":
        return found.loss
    total = of.np.sum(found.loss)
    if reduction == "sum" or norm == "sum":
        return total
    if not isinstance(norm, str):
        return total / float(norm)
    whole = of.np.sum(found.valid if norm == "count" else found.mass)
    return of.np.where(whole > 0, total / of.np.where(whole > 0, whole, 1.0), 0.0)


@dataclasses.dataclass(frozen=True)
class _Form:
    of: Library
    bound: Bound
    dtype: str

    def numbers(self, tensor: Any) -> Array:
        return self.of.as_array(tensor.detach().cpu().numpy(), self.dtype)

    # -- softmax

    def softmax(self, z: Array, y: Array | None, t: Array | None) -> tuple[Array, Array]:
        """(loss, W[y, y]), before the call's weight and what is ignored."""
        size, np, bound = z.shape[-1], self.of.np, self.bound
        if y is None and bound.label_dependent:
            raise ValueError(
                "CrossEntropy: soft targets cannot be combined with a scale, offset or margin that depends on the label; for mixup"
                " write lam * loss(z, a) + (1 - lam) * loss(z, b)."
            )
        hot = t if y is None else self.of.one_hot(y, size, self.dtype)
        logp = self._log_softmax(self._adjusted(z, y, hot))
        diagonal = None if bound.weight is None else self.numbers(bound.weight.diagonal(size))
        own = np.sum(hot if diagonal is None else hot * diagonal, axis=-1)
        if y is not None and bound.target is None:
            at = np.take_along_axis(logp, y[..., None], axis=-1)[..., 0]
            return self._penalty(own, bound.yes, at, -np.expm1(at)), own
        labelled, others = self._coefficients(hot, size)
        q = -np.expm1(logp)
        loss = np.sum(self._penalty(labelled, bound.yes, logp, q), axis=-1)
        if others is not None:
            loss = loss + np.sum(self._penalty(others, bound.no, logp, q), axis=-1)
        return loss, own

    def _adjusted(self, z: Array, y: Array | None, hot: Array) -> Array:
        u, bound = z, self.bound
        if bound.scale is not None:
            u = self._gathered(bound.scale, y) * u
        if bound.offset is not None:
            u = u + self._gathered(bound.offset, y)
        if bound.margin is not None and bound.margin.row is not None and y is not None:
            margin = self.numbers(bound.margin.row)
            u = u - hot * (margin if len(margin) == 1 else self.of.np.take(margin, y, axis=0)[..., None])
        return u

    def _gathered(self, parts: Parts, y: Array | None) -> Array:
        """The table's rows for labels y, broadcastable to [..., C]."""
        views = []
        if parts.row is not None:
            row = self.numbers(parts.row)
            views.append(row if len(row) == 1 else self.of.np.take(row, y, axis=0)[..., None])
        if parts.column is not None:
            views.append(self.numbers(parts.column))
        if parts.full is not None:
            views.append(self.of.np.take(self.numbers(parts.full), y, axis=0))
        return self._joined(parts, views)

    @staticmethod
    def _joined(parts: Parts, views: list[Array]) -> Array:
        product = getattr(type(parts), "__name__", "") == "Product"
        out = views[0]
        for view in views[1:]:
            out = out * view if product else out + view
        return out

    def _log_softmax(self, u: Array) -> Array:
        """As reference.log_softmax: exact to rounding where one class has nearly everything."""
        np = self.of.np
        highest = self.of.still(
            np.max(u, axis=-1, keepdims=True, initial=-math.inf)
        )  # Keras has none of an empty batch
        rough = u - highest - np.log(np.sum(np.exp(u - highest), axis=-1, keepdims=True))
        likely = rough > LIKELY
        others = np.sum(np.where(likely, 0.0, np.exp(rough)), axis=-1, keepdims=True)
        top = np.log1p(np.where(others < 0.75, -others, 0.0))
        return np.where(likely, top, rough)

    def _coefficients(self, t: Array, size: int) -> tuple[Array, Array | None]:
        """W T for the labelled class and for the others; see reference.coefficients."""
        weight, target = self.bound.weight, self.bound.target
        own = np.ones(size) if weight is None else _numpy(weight.diagonal(size))
        if target is None:
            return t * self.of.as_array(own, self.dtype), None
        if target.rows is not None or (weight is not None and weight.full is not None):
            dense = _rows(target, size) * (1.0 if weight is None else _numpy(weight.dense(size, size)))
            off = self.of.as_array(dense - np.diag(np.diagonal(dense)), self.dtype)
            return t * self.of.as_array(np.diagonal(dense).copy(), self.dtype), self.of.np.matmul(t, off)
        amount = np.broadcast_to(_numpy(target.amount), (size,))
        toward = np.full(size, 1 / size) if target.toward is None else _numpy(target.toward)
        row = np.ones(size) if weight is None or weight.row is None else np.broadcast_to(_numpy(weight.row), (size,))
        column = np.ones(size) if weight is None or weight.column is None else _numpy(weight.column)
        share = t * self.of.as_array(row * amount, self.dtype)
        rest = self.of.np.sum(share, axis=-1, keepdims=True) - share
        asked = self.of.as_array(own * (1 - amount + amount * toward), self.dtype)
        return t * asked, rest * self.of.as_array(column * toward, self.dtype)

    # -- sigmoid

    def sigmoid(self, z: Array, y: Array | None, t: Array | None) -> tuple[Array, Array]:
        """(loss, W of the label), of every logit."""
        ones = self.of.np.ones_like(z)
        share = self.of.cast(y == 1, self.dtype) if t is None else t
        shares = (1 - share, share)
        weight = self.bound.weight
        own = ones if weight is None else sum(s * self._entry(weight, label) for label, s in enumerate(shares)) * ones
        loss: Any = 0.0
        for label, s in enumerate(shares):
            u, (a, b) = z, self._asked(label, z.shape[-1])
            if self.bound.scale is not None:
                u = self._entry(self.bound.scale, label) * u
            if self.bound.offset is not None:
                u = u + self._entry(self.bound.offset, label)
            if self.bound.margin is not None:
                u = u - (2 * label - 1) * self._entry(self.bound.margin, label)
            if weight is not None:
                a, b = self._entry(weight, label) * a, self._entry(weight, label) * b
            # what a label has no share in must not be looked at: its logit may be infinite
            u = self.of.np.where(s == 0, 0.0, u)
            p, q = self.of.sigmoid(u), self.of.sigmoid(-u)
            loss = loss + self._penalty(s * a, self.bound.yes, self.of.log_sigmoid(u), q)
            loss = loss + self._penalty(s * b, self.bound.no, self.of.log_sigmoid(-u), p)
        return loss * ones, own

    def _entry(self, parts: Parts, label: int) -> Array:
        """The table's entries for one label value, broadcastable to [..., K]."""
        views = []
        if parts.row is not None:
            views.append(self.numbers(parts.row)[label if len(parts.row) > 1 else 0])
        if parts.column is not None:
            views.append(self.numbers(parts.column))
        if parts.full is not None:
            views.append(self.numbers(parts.full)[label])
        return self._joined(parts, views)

    def _asked(self, label: int, size: int) -> tuple[Array, Array]:
        """(T, 1 - T): what the label asks of "is" and of "is not"."""
        target = self.bound.target
        if target is None:
            yes = np.full(1, float(label))
        elif target.rows is not None:
            yes = _numpy(target.rows)[label if len(target.rows) > 1 else 0]
        else:
            assert target.amount is not None
            amount = _numpy(target.amount)[label if target.amount.numel() > 1 else 0]
            toward = np.full(1, 0.5) if target.toward is None else _numpy(target.toward)
            yes = (1 - amount) * label + amount * toward
        return self.of.as_array(yes, self.dtype), self.of.as_array(1 - yes, self.dtype)

    # -- both

    def _penalty(self, coefficient: Array, curve: Curve, logp: Array, q: Array) -> Array:
        """coefficient * g(log p), with 0 * inf = 0 in value and derivative."""
        np = self.of.np
        absent = (coefficient == 0) & ~np.isfinite(logp)
        logp = np.where(absent, 0.0, logp)
        q = np.where(absent, 0.0, np.where(np.exp(logp) == 0, 1.0, q))  # see reference.still
        try:
            value: Any = curve.value(AsTensor(logp, np), AsTensor(q, np))  # type: ignore[arg-type]
        except AttributeError as error:
            raise TypeError(
                f"CrossEntropy: {curve!r} is written for torch and asks an array of {self.of.name} for what it has not ({error});"
                " write its value with exp, log, log1p, expm1, square, clamp, masked_fill and arithmetic."
            ) from None
        return coefficient * value.array


def _numpy(tensor: Any) -> np.ndarray:
    return tensor.detach().cpu().numpy()


def _rows(target: Any, size: int) -> np.ndarray:
    """T [C, C] written out."""
    if target.rows is not None:
        return _numpy(target.rows)
    amount = np.broadcast_to(_numpy(target.amount), (size,))[:, None]
    toward = np.full(size, 1 / size) if target.toward is None else _numpy(target.toward)
    return (1 - amount) * np.eye(size) + amount * toward
