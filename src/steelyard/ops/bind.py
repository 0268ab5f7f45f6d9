"""A Recipe bound to a link: its tables as torch factors, checked once.

Row and column factors stay apart (see steelyard.table); only a caller's own [C, C] table is dense.
"""

import dataclasses
import functools
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..curves import Curve, links, sides
from ..recipe import COMBINE, Recipe
from ..table import Rows, Smooth, Table, is_live

LINKS = ("softmax", "sigmoid")


class Parts(NamedTuple):
    """Factors of one table: row [R], column [C], full [R, C]; None where there is none. A scalar is a row of one."""

    row: Tensor | None = None
    column: Tensor | None = None
    full: Tensor | None = None

    def map(self, function: Callable[[Tensor], Tensor]) -> "Parts":
        return Parts(*(None if p is None else function(p) for p in self))

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
    """What an op needs of a Recipe. `width` is the number of logits per item the tables are for, or None if any."""

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


def bind(recipe: Recipe, link: str) -> Bound:
    """Check that `recipe` makes sense under `link` and lay its tables out.

    softmax   tables [C|1, C|1]; margin per label; rows [C, C]
    sigmoid   tables [2|1, K|1] with row 1 = "is"; an exclusive recipe of two classes is brought to the one logit
              z = z1 - z0 first (offset O[:,1] - O[:,0], margin and weight per label, scale equal in both columns)
    ValueError naming what does not fit.
    """
    if link not in LINKS:
        raise ValueError(f"bind: link must be one of {', '.join(LINKS)}, got {link!r}.")
    if link not in links(recipe.curve):
        raise ValueError(f"CrossEntropy: {recipe.curve!r} is for the sigmoid link only; use BinaryCrossEntropy.")
    parts = {f: None if (t := getattr(recipe, f)) is None else _parts(t) for f in COMBINE}
    target = _target(recipe.target)
    if link == "softmax":
        width = _check_softmax(recipe, parts)
    elif recipe.kind == "exclusive":
        parts, target, width = _two_class(recipe, parts, target)
    else:
        width = _check_sigmoid(recipe, parts)
    yes, no = sides(recipe.curve)
    return Bound(
        link, **parts, target=target, yes=yes, no=no, norm="count" if recipe.norm is None else recipe.norm, width=width
    )


def _parts(table: Table) -> Parts:
    combine = torch.mul if table.operation == "multiply" else torch.add
    found: dict[str, Tensor] = {}
    for factor in table.factors:
        rows, columns = factor.shape
        name = "full" if rows > 1 and columns > 1 else "column" if columns > 1 else "row"
        values = factor.values if is_live(factor.values) else torch.from_numpy(np.array(factor.values))
        values = values if name == "full" else values.reshape(-1)
        found[name] = combine(found[name], values) if name in found else values
    return Parts(**found)


def _target(target: Smooth | Rows | None) -> Target | None:
    if isinstance(target, Smooth):
        toward = None if target.toward is None else torch.from_numpy(target.toward.copy())
        return Target(amount=torch.from_numpy(np.atleast_1d(target.amount).copy()), toward=toward)
    if isinstance(target, Rows):
        return Target(rows=target.values if is_live(target.values) else torch.from_numpy(target.numpy().copy()))
    return None


def _sizes(recipe: Recipe) -> tuple[set[int], set[int]]:
    """Label rows and class columns other than 1 that the recipe's tables have."""
    shapes = [t.shape for f in COMBINE if (t := getattr(recipe, f)) is not None]
    if isinstance(recipe.target, Rows):
        shapes.append(recipe.target.numpy().shape)
    if isinstance(recipe.target, Smooth):
        shapes.append((recipe.target.amount.size, 1 if recipe.target.toward is None else recipe.target.toward.size))
    return {r for r, _ in shapes if r > 1}, {c for _, c in shapes if c > 1}


def _check_softmax(recipe: Recipe, parts: dict[str, Parts | None]) -> int | None:
    if recipe.kind == "multilabel":
        raise ValueError("CrossEntropy: the recipe was made from multilabel counts; use BinaryCrossEntropy.")
    margin = parts["margin"]
    if margin is not None and (margin.column is not None or margin.full is not None):
        raise ValueError("CrossEntropy: margin must be one number per label [C]; off the label it does nothing.")
    rows, columns = _sizes(recipe)
    sizes = rows | columns | (set() if recipe.classes is None else {len(recipe.classes)})
    if len(sizes) > 1:
        raise ValueError(f"CrossEntropy: the tables are for different numbers of classes: {sorted(sizes)}.")
    return next(iter(sizes), None)


def _check_sigmoid(recipe: Recipe, parts: dict[str, Parts | None]) -> int | None:
    rows, columns = _sizes(recipe)
    if rows - {2}:
        raise ValueError(
            f"BinaryCrossEntropy: a table has {max(rows)} label rows; a yes-or-no loss has two (is not, is)."
            " Weights per class are a row: write [[w_1, ..., w_K]]."
        )
    sizes = columns | (set() if recipe.classes is None or recipe.kind is None else {len(recipe.classes)})
    if len(sizes) > 1:
        raise ValueError(f"BinaryCrossEntropy: the tables are for different numbers of classes: {sorted(sizes)}.")
    return next(iter(sizes), None)


def _two_class(
    recipe: Recipe, parts: dict[str, Parts | None], target: Target | None
) -> tuple[dict[str, Parts | None], Target | None, int]:
    """An exclusive recipe on the one logit z = z1 - z0."""
    rows, columns = _sizes(recipe)
    labels = max(rows | columns | ({len(recipe.classes)} if recipe.classes is not None else {2}))
    if labels != 2:
        raise ValueError(
            f"BinaryCrossEntropy: the recipe is for {labels} exclusive classes; use CrossEntropy, or count"
            ' yes and no per class with kind="multilabel".'
        )
    scale, offset, margin, weight = (parts[f] for f in COMBINE)
    if scale is not None and (scale.column is not None or scale.full is not None):
        dense = _dense(scale, torch.mul)
        if not bool(torch.all(dense[:, 0] == dense[:, 1])):
            raise ValueError(
                "BinaryCrossEntropy: a scale per class acts on two logits and is not a function of the one logit"
                " z = z1 - z0; use label_temperature, or CrossEntropy with two outputs."
            )
        scale = Parts(row=dense[:, 0])
    if offset is not None:
        dense = _dense(offset, torch.add)
        offset = Parts(row=dense[:, 1] - dense[:, 0])
    if weight is not None and (weight.column is not None or weight.full is not None):
        # W[y, c] with a hard or smoothed target: exact only where both columns of a label agree, or the target is hard
        dense = _dense(weight, torch.mul)
        if target is not None and not bool(torch.all(dense[:, 0] == dense[:, 1])):
            raise ValueError(
                "BinaryCrossEntropy: weights that differ by class inside the sum do not fit one logit when the target"
                " is smoothed; give one weight per label."
            )
        weight = Parts(row=torch.diagonal(dense).clone())
    if target is not None:
        if target.rows is not None:
            target = Target(rows=target.rows[:, 1:2])
        elif target.toward is not None:
            target = Target(amount=target.amount, toward=target.toward[1:2])
    return {"scale": scale, "offset": offset, "margin": margin, "weight": weight}, target, 1


def _dense(parts: Parts, combine: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """[2, 2]"""
    views = [
        v
        for v in (
            None if parts.row is None else parts.row[:, None],
            None if parts.column is None else parts.column[None, :],
            parts.full,
        )
        if v is not None
    ]
    return functools.reduce(combine, views).expand(2, 2)
