"""What an op needs of a Recipe: its tables as torch factors.

Row and column factors stay apart (see steelyard.table); only a caller's own [C, C] table is dense.
"""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ..curves import Curve
from ..link import Link
from .factors import FIELDS, Tables


class _Parts(NamedTuple):
    row: Tensor | None = None
    column: Tensor | None = None
    full: Tensor | None = None


class Parts(_Parts):
    """Factors of one table: row [R], column [C], full [R, C]; None where there is none. A scalar is a row of one."""

    combine: Callable[[Tensor, Tensor], Tensor]

    @property
    def by_label(self) -> bool:
        """Whether the entries differ from label to label."""
        return self.full is not None or (self.row is not None and self.row.numel() > 1)

    def dense(self, rows: int, columns: int = -1) -> Tensor:
        """[rows, columns] written out; -1: as many columns as there are."""
        row = None if self.row is None else self.row.unsqueeze(1)
        column = None if self.column is None else self.column.unsqueeze(0)
        return self.joined(row, column, self.full).expand(rows, columns)

    def diagonal(self, size: int) -> Tensor:
        """[size]: the entry of each label's own class."""
        return self.joined(self.row, self.column, None if self.full is None else self.full.diagonal()).expand(size)

    def joined(self, *views: Tensor | None) -> Tensor:
        """What the factors are together, from a view of each; None where there is none."""
        return functools.reduce(self.combine, [v for v in views if v is not None])


class Product(Parts):
    """Of scale and weight."""

    combine = staticmethod(torch.mul)


class Total(Parts):
    """Of offset and margin."""

    combine = staticmethod(torch.add)


class Target(NamedTuple):
    """T of the one form: `rows` [R, C] written out, or smoothing by `amount` [R] toward `toward` [C] (None: uniform)."""

    rows: Tensor | None = None
    amount: Tensor | None = None
    toward: Tensor | None = None


KINDS: dict[str, Callable[..., Any]] = {
    "scale": Product,
    "offset": Total,
    "margin": Total,
    "weight": Product,
    "target": Target,
}


@dataclasses.dataclass(frozen=True)
class Bound:
    """What an op needs of a Recipe.

    width  the number of logits per item the tables are for, or None if any
    cache  what backends made of the tables; a copy makes it anew
    """

    link: Link
    scale: Parts | None
    offset: Parts | None
    margin: Parts | None
    weight: Parts | None
    target: Target | None
    yes: Curve
    no: Curve
    norm: str | float
    width: int | None
    cache: dict[str, Any] = dataclasses.field(default_factory=dict, init=False, compare=False, repr=False)

    def __reduce__(self) -> tuple[Any, ...]:
        return Bound, tuple(getattr(self, f.name) for f in dataclasses.fields(self) if f.name != "cache")

    def tables(self) -> Tables:
        """What there is of every field's parts, in their order."""
        fields = [(f, getattr(self, f)) for f in FIELDS]  # torch.compile reads no := in there
        return {f: tuple([t for t in parts if t is not None]) for f, parts in fields if parts is not None}

    def with_tables(self, tables: Tables) -> "Bound":
        """The same structure holding other numbers."""
        changed = {}
        for field, numbers in tables.items():
            parts, left = getattr(self, field), list(numbers)
            changed[field] = type(parts)(*[None if t is None else left.pop(0) for t in parts])
        return dataclasses.replace(self, **changed)

    def map(self, change: Callable[[Tensor], Tensor]) -> "Bound":
        """The same with every tensor changed."""
        changed = {}
        for field in FIELDS:
            parts = getattr(self, field)
            changed[field] = None if parts is None else type(parts)(*[None if t is None else change(t) for t in parts])
        return Bound(self.link, **changed, yes=self.yes, no=self.no, norm=self.norm, width=self.width)

    def to(self, like: Tensor, dtype: torch.dtype) -> "Bound":
        """On the device of `like`, in `dtype`."""
        return self.map(lambda t: t.to(like.device, dtype))

    @property
    def label_dependent(self) -> bool:
        """Whether the adjusted logits depend on the label (scale or offset by label, or a margin)."""
        by_label = any(p is not None and p.by_label for p in (self.scale, self.offset))
        return by_label or self.margin is not None

    @property
    def tensors(self) -> list[Tensor]:
        """All of them."""
        return [t for numbers in self.tables().values() for t in numbers]

    @property
    def live(self) -> bool:
        return any(t.requires_grad for t in self.tensors)
