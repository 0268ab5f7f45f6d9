"""What an op needs of a Recipe: its tables as torch factors.

Row and column factors stay apart (see steelyard.table); only a caller's own [C, C] table is dense.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ..curves import Curve


class Parts(NamedTuple):
    """Factors of one table: row [R], column [C], full [R, C]; None where there is none. A scalar is a row of one."""

    row: Tensor | None = None
    column: Tensor | None = None
    full: Tensor | None = None

    @property
    def by_label(self) -> bool:
        """Whether the entries differ from label to label."""
        return self.full is not None or (self.row is not None and self.row.numel() > 1)


class Target(NamedTuple):
    """T of the one form: `rows` [R, C] written out, or smoothing by `amount` [R] toward `toward` [C] (None: uniform)."""

    rows: Tensor | None = None
    amount: Tensor | None = None
    toward: Tensor | None = None


@dataclasses.dataclass(frozen=True)
class Bound:
    """What an op needs of a Recipe.

    width  the number of logits per item the tables are for, or None if any
    cache  what backends made of the tables; a copy makes it anew
    """

    link: str
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

    def tensors(self) -> dict[str, Tensor]:
        """Every tensor under a flat name such as "weight_row", for buffers and parameters."""
        fields = ("scale", "offset", "margin", "weight", "target")
        named = {f: getattr(self, f) for f in fields if getattr(self, f) is not None}
        return {f"{f}_{n}": t for f, parts in named.items() for n, t in parts._asdict().items() if t is not None}

    def with_tensors(self, tensors: Mapping[str, Tensor]) -> "Bound":
        """The same structure holding other numbers."""
        changed = {}
        for f in ("scale", "offset", "margin", "weight", "target"):
            parts = getattr(self, f)
            if parts is not None:
                changed[f] = type(parts)(
                    *(None if t is None else tensors[f"{f}_{n}"] for n, t in parts._asdict().items())
                )
        return dataclasses.replace(self, **changed)

    def to(self, like: Tensor, dtype: torch.dtype) -> "Bound":
        """On the device of `like`, in `dtype`."""
        return self.with_tensors({n: t.to(like.device, dtype) for n, t in self.tensors().items()})

    @property
    def label_dependent(self) -> bool:
        """Whether the adjusted logits depend on the label (scale or offset by label, or a margin)."""
        by_label = any(p is not None and p.by_label for p in (self.scale, self.offset))
        return by_label or self.margin is not None

    @property
    def live(self) -> bool:
        return any(t.requires_grad for t in self.tensors().values())
