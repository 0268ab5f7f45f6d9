"""The tables of a Recipe: factors that broadcast to [label value, class] and are never multiplied out.

A per-label vector times a per-class vector is C + C numbers; written out it would be C x C (128k x 128k for a language
model). So a Table keeps its factors, in an order that does not depend on how they were mixed.
"""

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from .given import unnamed


def is_live(values: Any) -> bool:
    """A tensor that is being learned: kept by reference, never copied."""
    return bool(getattr(values, "requires_grad", False))


def as_numpy(values: Any) -> np.ndarray:
    """float64 numpy, from a number, list, array or tensor (any device).

    ValueError for a Series or DataFrame with names: they say whose a number is, and would be lost here.
    """
    if not unnamed(values):
        raise ValueError(
            f"numbers by name, {', '.join(map(str, list(values.index)[:5]))}, go by their names where classes are known, and are not"
            " taken by place; give .to_numpy() in the order of the classes."
        )
    return as_rows(values)


def as_rows(values: Any) -> np.ndarray:
    """The same of numbers by row, whose names, if they have any, are those of the rows."""
    if hasattr(values, "detach"):
        values = values.detach().cpu().double().numpy()
    return np.asarray(values, dtype=np.float64)


def plain(values: np.ndarray) -> Any:
    """Nested lists that JSON can hold: -inf becomes the string "-inf"."""
    if values.ndim:
        return [plain(v) for v in values]
    number = float(values)
    return number if math.isfinite(number) else str(number)


def unplain(data: Any) -> np.ndarray:
    return np.array([unplain(d) for d in data]) if isinstance(data, list) else np.asarray(data, dtype=np.float64)


@dataclass(frozen=True, eq=False)
class Factor:
    """One [R or 1, C or 1] piece of a table and the call it came from."""

    values: Any  # float64 numpy [R|1, C|1], or a live tensor of any shape up to 2-D
    source: str = ""

    @functools.cached_property
    def shape(self) -> tuple[int, int]:
        s = tuple(self.values.shape)
        return (1, 1) if not s else (s[0], 1) if len(s) == 1 else s  # type: ignore[return-value]

    def numpy(self) -> np.ndarray:
        return as_numpy(self.values).reshape(self.shape)

    @property
    def order(self) -> tuple:
        """A sort key by value, so that any order of mixing gives the same bits."""
        return (self.shape, is_live(self.values), self.numpy().tobytes())


@dataclass(frozen=True, eq=False, repr=False)
class Table:
    """Factors that combine by `operation`: "multiply" (scale, weight) or "add" (offset, margin)."""

    operation: str
    factors: tuple[Factor, ...] = field(default=())

    @classmethod
    def of(cls, name: str, values: Any, source: Sequence[str] = ()) -> Self:
        """From a number, a per-label vector [R], or a 2-D table that broadcasts."""
        if not is_live(values):
            try:
                values = as_numpy(values)
            except (TypeError, ValueError):
                raise ValueError(f"Recipe: {name} must be numbers, got {values!r}.") from None
            values = values.reshape(-1, 1) if values.ndim == 1 else values.reshape(1, 1) if values.ndim == 0 else values
            values = values.copy()
            values.setflags(write=False)
        if len(values.shape) > 2 or 0 in values.shape:
            raise ValueError(
                f"Recipe: {name} has shape {list(values.shape)}; a table is [label value, class], a vector is per label."
                " Weights per sample or pixel belong to the call: loss(logits, target, weight=...)."
            )
        operation = "add" if name in ("offset", "margin") else "multiply"
        return cls(operation, (Factor(values, " × ".join(source)),))

    def join(self, other: "Table") -> "Table":
        """Both, with the factors in an order that does not depend on which came first."""
        joined = Table(self.operation, tuple(sorted((*self.factors, *other.factors), key=lambda f: f.order)))
        try:
            _ = joined.shape
        except ValueError:
            a, b = list(self.shape), list(other.shape)
            raise ValueError(
                f"mix: tables of shape {a} and {b} do not broadcast; they are for different data."
            ) from None
        return joined

    def named(self, source: str) -> "Table":
        return Table(self.operation, tuple(Factor(f.values, source) for f in self.factors))

    @property
    def shape(self) -> tuple[int, int]:
        if len(self.factors) == 1:  # a rule's tables are laid out anew in every step
            return self.factors[0].shape
        return np.broadcast_shapes(*(f.shape for f in self.factors))  # type: ignore[return-value]

    @property
    def live(self) -> bool:
        return any(is_live(f.values) for f in self.factors)

    def by_shape(self) -> dict[tuple[int, int], np.ndarray]:
        """The product (or sum) of the factors of each shape."""
        combine = np.multiply if self.operation == "multiply" else np.add
        out: dict[tuple[int, int], np.ndarray] = {}
        for f in self.factors:
            out[f.shape] = combine(out[f.shape], f.numpy()) if f.shape in out else f.numpy()
        return out

    def numpy(self) -> np.ndarray:
        """The whole table, float64, in the smallest shape that holds it: [R|1, C|1]."""
        combine = np.multiply if self.operation == "multiply" else np.add
        return functools.reduce(combine, self.by_shape().values())

    def diagonal(self, size: int) -> np.ndarray:
        """[size]: the entry of each label's own class, without building [size, size]."""
        combine = np.multiply if self.operation == "multiply" else np.add
        parts = [
            np.diagonal(t) if min(shape) > 1 else np.broadcast_to(t.reshape(-1), (size,))
            for shape, t in self.by_shape().items()
        ]
        return functools.reduce(combine, parts).copy()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self.numpy() if dtype is None else self.numpy().astype(dtype)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Table):
            return NotImplemented
        mine, theirs = self.by_shape(), other.by_shape()
        return (
            self.operation == other.operation
            and mine.keys() == theirs.keys()
            and all(np.array_equal(mine[s], theirs[s]) for s in mine)
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        sign = " × " if self.operation == "multiply" else " + "
        return sign.join(_brief(f.numpy()) + (f" {f.source}" if f.source else "") for f in self.factors)

    def to_data(self) -> list[dict[str, Any]]:
        return [{"values": plain(f.numpy()), "source": f.source} for f in self.factors]

    @classmethod
    def from_data(cls, name: str, data: list[dict[str, Any]]) -> Self:
        parts = [cls.of(name, unplain(d["values"]), (d["source"],) if d["source"] else ()) for d in data]
        return functools.reduce(lambda a, b: a.join(b), parts)  # type: ignore[arg-type,return-value]


@dataclass(frozen=True, eq=False)
class Smooth:
    """What a label asks for, smoothed: T[y,c] = (1 - e_y) [c = y] + e_y v_c.

    amount  e in [0, 1]: a number, or one per label [C]
    toward  v [C], summing to 1; None is uniform. Sigmoid: v[k] is the probability of "is", None is 1/2
    """

    amount: Any
    toward: Any = None

    def __post_init__(self) -> None:
        amount = as_numpy(self.amount)
        if amount.ndim > 1 or not bool(np.all((amount >= 0) & (amount <= 1))):
            raise ValueError(
                f"Recipe: a smoothing amount must be in [0, 1], one number or one per label, got {amount}."
            )
        object.__setattr__(self, "amount", amount)
        if self.toward is not None:
            toward = as_numpy(self.toward)
            if toward.ndim != 1 or not bool(np.all((toward >= 0) & (toward <= 1))):
                raise ValueError(f"Recipe: smoothing goes toward one probability per class, got {toward}.")
            object.__setattr__(self, "toward", toward)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Smooth)
            and np.array_equal(self.amount, other.amount)
            and (self.toward is None) == (other.toward is None)
            and (self.toward is None or np.array_equal(self.toward, other.toward))
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        toward = "uniform" if self.toward is None else _brief(self.toward)
        return f"smooth by {_brief(self.amount)} toward {toward}"

    def rows(self, size: int) -> np.ndarray:
        """[C, C]: the softmax target rows written out."""
        amount = np.broadcast_to(self.amount, (size,))[:, None]
        toward = np.full(size, 1 / size) if self.toward is None else self.toward
        return (1 - amount) * np.eye(size) + amount * toward

    def to_data(self) -> dict[str, Any]:
        return {"amount": plain(self.amount), "toward": None if self.toward is None else plain(self.toward)}


@dataclass(frozen=True, eq=False)
class Rows:
    """Target rows written out: softmax [C, C] summing to 1, sigmoid [2, K|1] with the probability of "is"."""

    values: Any

    def __post_init__(self) -> None:
        array = as_numpy(self.values)
        if array.ndim != 2 or not bool(np.all((array >= 0) & (array <= 1))):
            raise ValueError(
                f"Recipe: target rows must be a 2-D table of probabilities, got shape {list(array.shape)}."
            )
        if array.shape[0] == array.shape[1] and not np.allclose(array.sum(axis=1), 1, atol=1e-6):
            worst = int(np.argmax(np.abs(array.sum(axis=1) - 1)))
            if array.shape[0] != 2:
                raise ValueError(f"Recipe: target row {worst} sums to {array[worst].sum():g}; every row must sum to 1.")
        if not is_live(self.values):
            object.__setattr__(self, "values", array)

    def numpy(self) -> np.ndarray:
        return as_numpy(self.values)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Rows) and np.array_equal(self.numpy(), other.numpy())

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"rows {_brief(self.numpy())}"

    def to_data(self) -> dict[str, Any]:
        return {"rows": plain(self.numpy())}


def _brief(values: np.ndarray) -> str:
    flat = values.reshape(-1)
    shown = ", ".join(f"{v:.4g}" for v in flat[:6]) + (", …" if len(flat) > 6 else "")
    if values.ndim == 0 or flat.size == 1:
        return shown
    shape = "" if values.ndim == 1 or values.shape[1] == 1 else f" {list(values.shape)}"
    return f"[{shown}]{shape}"
