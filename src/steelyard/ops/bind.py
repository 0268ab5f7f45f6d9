"""A Recipe bound to a link: checked once, then laid out as tensors as often as its numbers change."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..curves import links, sides
from ..link import Link, link_of
from ..recipe import COMBINE, Recipe
from ..table import Rows, Smooth, Table
from .bound import Bound, Parts, Product, Target, Total
from .factors import Tables, factors
from .tables import inherit


def bind(recipe: Recipe, link: str | Link) -> Bound:
    """Check that `recipe` makes sense under `link` and lay its tables out.

    softmax   tables [C|1, C|1]; margin per label; rows [C, C]
    sigmoid   tables [2|1, K|1] with row 1 = "is"; an exclusive recipe of two classes is brought to the one logit
              z = z1 - z0 first (offset O[:,1] - O[:,0], margin and weight per label, scale equal in both columns)
    ValueError naming what does not fit.
    """
    link = link_of(link)
    if link.name not in links(recipe.curve):
        raise ValueError(f"CrossEntropy: {recipe.curve!r} is for the sigmoid link only; use BinaryCrossEntropy.")
    if link.exclusive:
        _check_softmax(recipe)
    elif recipe.kind == "exclusive":
        _check_two_class(recipe)
    else:
        _check_sigmoid(recipe)
    return lay_out(recipe, link, factors(recipe))


def lay_out(recipe: Recipe, link: str | Link, tables: Tables) -> Bound:
    """The Bound of a recipe that was checked before, its `factors` holding `tables`: differentiable, looks at no value."""
    link = link_of(link)
    parts = {f: None if (t := getattr(recipe, f)) is None else _parts(t, tables[f]) for f in COMBINE}
    target = _target(recipe.target, tables)
    rows, columns = _sizes(recipe)
    named = set() if recipe.classes is None else {len(recipe.classes)}
    if link.exclusive:
        width = max(rows | columns | named, default=None)
    elif recipe.kind == "exclusive":
        (parts, target), width = _one_logit(parts, target), 1
    else:
        width = max(columns | (set() if recipe.kind is None else named), default=None)
    yes, no = sides(recipe.curve)
    norm = "count" if recipe.norm is None else recipe.norm
    return Bound(link, **parts, target=target, yes=yes, no=no, norm=norm, width=width)


def again(before: Bound, recipe: Recipe, tables: Tables) -> Bound | None:
    """`lay_out`, faster, of the recipe and link that `before` was laid out from; None where a table is of several factors or becomes
    another on the way. What does not depend on the numbers stays with it."""
    if recipe.target is not None or (recipe.kind == "exclusive" and not before.link.exclusive):
        return None
    changed: dict[str, Any] = {}
    tensors = []
    for field, numbers in tables.items():
        if len(numbers) != 1:
            return None
        parts: Parts = getattr(before, field)
        part = "full" if parts.full is not None else "row" if parts.column is None else "column"
        values = numbers[0] if part == "full" else numbers[0].reshape(-1)
        tensors.append(values)
        changed[field] = type(parts)(**{part: values})
    made = object.__new__(Bound)  # what __init__ would look at is as it was
    made.__dict__.update(before.__dict__, **changed, cache={})
    inherit(made, before, tuple(tensors))
    return made


def _parts(table: Table, numbers: Sequence[Tensor]) -> Parts:
    kind = Product if table.operation == "multiply" else Total
    parts: dict[str, Tensor] = {}
    for factor, values in zip(table.factors, numbers, strict=True):
        rows, columns = factor.shape
        part = "full" if rows > 1 and columns > 1 else "column" if columns > 1 else "row"
        values = values if part == "full" else values.reshape(-1)
        parts[part] = kind.combine(parts[part], values) if part in parts else values
    return kind(**parts)


def _target(target: Smooth | Rows | None, tables: Tables) -> Target | None:
    if isinstance(target, Smooth):
        toward = None if target.toward is None else torch.from_numpy(target.toward.copy())
        return Target(amount=torch.from_numpy(np.atleast_1d(target.amount).copy()), toward=toward)
    return Target(rows=tables["target"][0]) if isinstance(target, Rows) else None


def _sizes(recipe: Recipe) -> tuple[set[int], set[int]]:
    """Label rows and class columns other than 1 that the recipe's tables have."""
    shapes = [t.shape for f in COMBINE if (t := getattr(recipe, f)) is not None]
    if isinstance(recipe.target, Rows):
        shapes.append(recipe.target.numpy().shape)
    if isinstance(recipe.target, Smooth):
        shapes.append((recipe.target.amount.size, 1 if recipe.target.toward is None else recipe.target.toward.size))
    return {r for r, _ in shapes if r > 1}, {c for _, c in shapes if c > 1}


def _check_softmax(recipe: Recipe) -> None:
    if recipe.kind == "multilabel":
        raise ValueError("CrossEntropy: the recipe was made from multilabel counts; use BinaryCrossEntropy.")
    if recipe.margin is not None and recipe.margin.shape[1] > 1:
        raise ValueError("CrossEntropy: margin must be one number per label [C]; off the label it does nothing.")
    if isinstance(recipe.target, Smooth) and recipe.target.toward is not None:
        total = recipe.target.toward.sum()
        if not np.isclose(total, 1, rtol=0, atol=1e-6):
            raise ValueError(f"CrossEntropy: smoothing goes toward shares that sum to {total:g}; they must sum to 1.")
    rows, columns = _sizes(recipe)
    sizes = rows | columns | (set() if recipe.classes is None else {len(recipe.classes)})
    if len(sizes) > 1:
        raise ValueError(f"CrossEntropy: the tables are for different numbers of classes: {sorted(sizes)}.")


def _check_sigmoid(recipe: Recipe) -> None:
    rows, columns = _sizes(recipe)
    if rows - {2}:
        raise ValueError(
            f"BinaryCrossEntropy: a table has {max(rows)} label rows; a yes-or-no loss has two (is not, is)."
            " Weights per class are a row: write [[w_1, ..., w_K]]."
        )
    sizes = columns | (set() if recipe.classes is None or recipe.kind is None else {len(recipe.classes)})
    if len(sizes) > 1:
        raise ValueError(f"BinaryCrossEntropy: the tables are for different numbers of classes: {sorted(sizes)}.")


def _check_two_class(recipe: Recipe) -> None:
    rows, columns = _sizes(recipe)
    labels = max(rows | columns | ({len(recipe.classes)} if recipe.classes is not None else {2}))
    if labels != 2:
        raise ValueError(
            f"BinaryCrossEntropy: the recipe is for {labels} exclusive classes; use CrossEntropy, or count"
            ' yes and no per class with kind="multilabel".'
        )
    if _differs_by_class(recipe.scale):
        raise ValueError(
            "BinaryCrossEntropy: a scale per class acts on two logits and is not a function of the one logit"
            " z = z1 - z0; use label_temperature, or CrossEntropy with two outputs."
        )
    if recipe.target is not None and _differs_by_class(recipe.weight):
        raise ValueError(
            "BinaryCrossEntropy: weights that differ by class inside the sum do not fit one logit when the target"
            " is smoothed; give one weight per label."
        )


def _differs_by_class(table: Table | None) -> bool:
    """Whether the two columns differ, or will once they are learned."""
    if table is None or table.shape[1] == 1:
        return False
    values = table.numpy()
    return table.live or not np.array_equal(values[:, 0], values[:, 1])


def _one_logit(parts: dict[str, Parts | None], target: Target | None) -> tuple[dict[str, Parts | None], Target | None]:
    """The tables of two exclusive classes for the one logit z = z1 - z0."""
    scale, offset, margin, weight = (parts[f] for f in COMBINE)
    if scale is not None and (scale.column is not None or scale.full is not None):
        scale = Product(row=scale.dense(2)[:, 0].clone())  # memory of its own: a checkpoint is copied into it
    if offset is not None:
        dense = offset.dense(2, 2)
        offset = Total(row=dense[:, 1] - dense[:, 0])
    if weight is not None and (weight.column is not None or weight.full is not None):
        weight = Product(row=weight.diagonal(2).clone())
    if target is not None and target.rows is not None:
        target = Target(rows=target.rows[:, 1:2])
    elif target is not None and target.toward is not None:
        target = Target(amount=target.amount, toward=target.toward[1:2])
    return {"scale": scale, "offset": offset, "margin": margin, "weight": weight}, target
