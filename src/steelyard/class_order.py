"""A recipe for the same classes in another order: its tables go along with the names."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from .given import in_places
from .recipe import COMBINE, Recipe
from .table import Factor, Rows, Smooth, Table


def in_order(recipe: Recipe, classes: Sequence[str]) -> Recipe:
    """With its classes as `classes` has them; a recipe that names none is returned as it is, its numbers stand by place.

    ValueError where the recipe names other classes.
    """
    own = recipe.classes
    if own is None or own == tuple(classes):
        return recipe
    order = np.array(in_places("Recipe: it", np.arange(len(own)).tolist(), own, classes))
    fields: dict[str, Any] = {
        name: Table(table.operation, tuple(_moved(f, order, recipe.kind) for f in table.factors))
        for name in COMBINE
        if (table := getattr(recipe, name)) is not None
    }
    target = recipe.target
    if isinstance(target, Rows):
        target = Rows(_taken(target.values, order, recipe.kind))
    elif isinstance(target, Smooth):
        amount, toward = (
            None if v is None else v[order] if v.ndim and len(v) == len(order) else v
            for v in (target.amount, target.toward)
        )
        target = Smooth(amount, toward)
    return dataclasses.replace(recipe, **fields, target=target, classes=tuple(classes))


def standing(classes: Sequence[str]) -> tuple[str, ...]:
    """The classes as they are, but for 1 and 0, or True and False: those turned, where labels of that number find them."""
    return tuple(classes)[::-1] if tuple(classes) in (("1", "0"), ("True", "False")) else tuple(classes)


def at_places(recipe: Recipe) -> Recipe:
    """With its classes as `standing` has them: the tuner puts the positive of two classes last, and a loss reads labels by place."""
    return recipe if recipe.classes is None else in_order(recipe, standing(recipe.classes))


def moves(recipe: Recipe) -> bool:
    """Whether the order of two classes matters to it: it has numbers for each, and they differ."""
    turned = in_order(dataclasses.replace(recipe, classes=("0", "1")), ("1", "0"))
    return dataclasses.replace(turned, classes=("0", "1")) != dataclasses.replace(recipe, classes=("0", "1"))


def _moved(factor: Factor, order: np.ndarray, kind: str | None) -> Factor:
    return Factor(_taken(factor.values, order, kind), factor.source)


def _taken(values: Any, order: np.ndarray, kind: str | None) -> Any:
    """Rows of labels, but for multilabel (is not, is), and columns of classes; numpy or a tensor that is learned."""
    index: Any = order
    if not isinstance(values, np.ndarray):
        import torch

        index = torch.from_numpy(order).to(values.device)
    C = len(order)
    if kind != "multilabel" and values.ndim and values.shape[0] == C > 1:
        values = values[index]
    return values[:, index] if values.ndim == 2 and values.shape[1] == C > 1 else values
