"""The recipe that a module's numbers say, which a checkpoint may have brought in the place of those that it was made of."""

import dataclasses
from typing import Any

import torch
from torch import Tensor

from ..link import Link
from ..recipe import COMBINE, Recipe
from ..table import Factor, Rows, Smooth, Table, as_numpy
from .bind import bind
from .bound import Parts, Target
from .factors import Tables, factors

SOURCE = "loaded"  # what a table was made by is no longer true of its numbers


def recipe_of(recipe: Recipe, link: Link, held: Tables, *, by_factor: bool) -> Recipe:
    """`recipe` with the numbers that a module `held` of it, and the same object where these are its own, but for rounding to another
    dtype. Where the link joins tables (two exclusive classes to one logit) it is one that gives the same loss.

    by_factor  whether it holds `factors(recipe)`, as where some of them are learned, or what `bind` makes of them
    """
    if by_factor:
        return _by_factor(recipe, held)
    bound = bind(recipe, link)
    made = bound.tables()
    changed = [f for f in held if not all(map(_same, held[f], made[f]))]
    if not changed:
        return recipe
    bound, one_logit = bound.with_tables(held), not link.exclusive and recipe.kind == "exclusive"
    fields: dict[str, Any] = {f: _table(f, getattr(bound, f), one_logit) for f in changed if f != "target"}
    if "target" in changed:
        assert bound.target is not None
        fields["target"] = _target(bound.target, recipe.target, one_logit)
    return dataclasses.replace(recipe, **fields, source=(SOURCE,))


def _same(held: Tensor, made: Tensor) -> bool:
    return torch.equal(held.detach(), made.to(held))


def _by_factor(recipe: Recipe, held: Tables) -> Recipe:
    made, fields = factors(recipe), dict[str, Any]()
    for field, numbers in held.items():
        if all(h is m or (not m.requires_grad and _same(h, m)) for h, m in zip(numbers, made[field], strict=True)):
            continue
        if field == "target":
            fields[field] = Rows(numbers[0])
            continue
        kept = zip(getattr(recipe, field).factors, numbers, made[field], strict=True)
        those = [f if h is m or (not m.requires_grad and _same(h, m)) else _factor(field, h, f) for f, h, m in kept]
        fields[field] = Table(getattr(recipe, field).operation, tuple(those))
    return dataclasses.replace(recipe, **fields, source=(SOURCE,)) if fields else recipe


def _factor(field: str, numbers: Tensor, was: Factor) -> Factor:
    """A parameter stays the tensor that it is."""
    values = numbers if numbers.requires_grad else numbers.detach().reshape(was.shape)
    return Table.of(field, values, (SOURCE,)).factors[0]


def _table(field: str, parts: Parts, one_logit: bool) -> Table:
    assert field in COMBINE
    row, column, full = parts
    if one_logit and field == "offset":  # z = z1 - z0: what label y adds to z is O[y,1] - O[y,0]
        assert row is not None
        row, full = None, torch.stack([torch.zeros_like(row), row], dim=1)
    found = [
        *([] if row is None else [row.reshape(-1, 1)]),
        *([] if column is None else [column.reshape(1, -1)]),
        *([] if full is None else [full]),
    ]
    first, *rest = (Table.of(field, part.detach(), (SOURCE,)) for part in found)
    for table in rest:
        first = first.join(table)
    return first


def _target(now: Target, was: Any, one_logit: bool) -> Rows | Smooth:
    if now.rows is not None:
        rows = now.rows.detach()
        return Rows(torch.cat([1 - rows, rows], dim=1) if one_logit else rows)
    assert now.amount is not None
    toward = None if now.toward is None else as_numpy(now.toward)
    if toward is not None and one_logit:
        toward = [1 - toward[0], toward[0]]
    amount = as_numpy(now.amount)
    return Smooth(amount if was.amount.ndim else amount.reshape(()), toward)
