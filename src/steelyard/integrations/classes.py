"""What the classifiers have in common: labels become counts and a recipe, probabilities become decisions. Nothing here is of a framework."""

import dataclasses
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import steelyard as sy

from ..class_order import in_order
from ..given import class_name, named_in_order

Strategy = Any  # None, a Recipe, an ingredient by name or as a function of Counts, or a list of them


def counted(labels: np.ndarray, codes: np.ndarray, weight: np.ndarray | None) -> sy.Counts:
    """Counts of labels [C] that occur as `codes` [rows]; of weighted rows, the sums of their weights."""
    n = np.bincount(codes, weights=weight, minlength=len(labels))
    return sy.Counts(dict(zip(labels.tolist(), n.tolist(), strict=True)), weighted=weight is not None)


def recipe_of(who: str, strategy: Strategy, counts: sy.Counts) -> sy.Recipe:
    """The recipe for these counts, which knows its classes. ValueError for one of other classes, TypeError for what is no strategy."""
    recipe = sy.mix(
        *(_one(who, part, counts) for part in (strategy if isinstance(strategy, (list, tuple)) else [strategy]))
    )
    if recipe.classes is not None and set(recipe.classes) != set(counts.classes):
        raise ValueError(
            f"{who}: the recipe is for the classes {', '.join(recipe.classes)}, but y holds {', '.join(counts.classes)}."
            " An ingredient in its place, such as strategy='inverse-frequency', is counted anew at every fit."
        )
    return dataclasses.replace(in_order(recipe, counts.classes), classes=counts.classes, kind=counts.kind)


def _one(who: str, part: Any, counts: sy.Counts) -> sy.Recipe:
    if part is None:
        return sy.Recipe()
    if isinstance(part, sy.Recipe):
        return part
    if isinstance(part, str):
        name = part.replace("-", "_")
        part = getattr(sy, name) if name in sy.__all__ else None
        if not callable(part) or isinstance(part, type):
            raise ValueError(f"{who}: there is no ingredient {name!r}; docs/reference/ingredients.md has them all.")
    if not callable(part):
        raise TypeError(f"{who}: a strategy is a Recipe, an ingredient or its name, got {type(part).__name__}.")
    made = part(counts) if "counts" in inspect.signature(part).parameters or not _is_ingredient(part) else part()
    if not isinstance(made, sy.Recipe):
        raise TypeError(f"{who}: the strategy {part!r} made {type(made).__name__} of the counts, and no Recipe.")
    return made


def _is_ingredient(part: Callable[..., Any]) -> bool:
    return getattr(part, "__module__", "").startswith("steelyard.ingredients")


def check_names(who: str, recipe: Any, names: Sequence[Any] | None, whose: str) -> None:
    """ValueError where a recipe names its classes otherwise, or in another order, than the framework does: weights would go to other classes.

    recipe  of whose classes one is each output, in order; numbers are no names
    names   of the outputs, in order, or None
    """
    own = getattr(recipe, "classes", None)
    if own is None or names is None or len(own) != len(names) or all(str(name).lstrip("-").isdigit() for name in own):
        return
    theirs = [str(name) for name in names]
    if list(own) != theirs:
        at = next(i for i, pair in enumerate(zip(own, theirs, strict=True)) if pair[0] != pair[1])
        raise ValueError(
            f"{who}: class {at} of the recipe is {own[at]!r}, and of {whose} {theirs[at]!r}. Weights go by place: count in the order"
            " of the outputs, or order what was counted, sy.Counts({name: n[name] for name in NAMES})."
        )


def weights_of(who: str, recipe: sy.Recipe) -> np.ndarray:
    """[C], of a recipe that is weights per label alone. ValueError for more, which no weight of rows can say."""
    more = [f for f in ("scale", "offset", "margin", "target", "curve") if getattr(recipe, f) is not None]
    if more:
        raise ValueError(
            f"{who}: this classifier takes weights of rows alone, and the recipe also sets {', '.join(more)}. RecipeClassifier, and the"
            " boosters of steelyard.integrations, train with all of it."
        )
    return recipe.label_weights()


def undone(logits: np.ndarray, recipe: sy.Recipe) -> np.ndarray:
    """[rows, C] probabilities with the recipe undone, of logits [rows, C], or of the one logit [rows] of two classes."""
    if logits.ndim == 1:
        p = sy.posterior(logits, recipe, link="sigmoid")
        return np.stack([1 - p, p], axis=1)
    p = np.asarray(sy.posterior(logits, recipe, link="softmax"), dtype=np.float64)
    return p / p.sum(axis=1, keepdims=True)


def plain(logits: np.ndarray) -> np.ndarray:
    """The same as the softmax or the sigmoid has it."""
    return undone(logits, sy.Recipe())


def cost_matrix(who: str, costs: Any, names: Sequence[Any]) -> np.ndarray:
    """[C, C] checked: what it costs to say column c where row y is true. A DataFrame goes by its names, other numbers by place."""
    classes = len(names)
    matrix = np.asarray(named_in_order(f"{who}: costs", costs, [class_name(c) for c in names]), dtype=np.float64)
    if matrix.shape != (classes, classes) or not np.isfinite(matrix).all():
        raise ValueError(
            f"{who}: costs must be a finite [{classes}, {classes}] table, rows what is true and columns what is said, in the order of"
            f" classes_; got shape {list(matrix.shape)}."
        )
    return matrix


def decided(p: np.ndarray, threshold: float | None, costs: np.ndarray | None) -> np.ndarray:
    """[rows]: the place of the class that is said. Costs: the least expected; a threshold: of the second of two classes; else the likeliest."""
    if costs is not None:
        return np.argmin(p @ costs, axis=1)
    if threshold is not None:
        return (p[:, 1] >= threshold).astype(np.intp)
    return np.argmax(p, axis=1)


def purpose(who: str, threshold: Any, classes: Sequence[Any]) -> dict[str, Any] | None:
    """What `sy.threshold` is to serve, or None where there is nothing to tune. ValueError for more than two classes."""
    if threshold is None or threshold == "trained":
        return None
    if len(classes) != 2:
        raise ValueError(
            f"{who}: a threshold parts two classes, and y holds {len(classes)}; give costs=, a table [C, C], which decides between any number."
        )
    if isinstance(threshold, (int, float)):
        return None
    named = {"metric": threshold} if isinstance(threshold, str) else dict(threshold)
    if not named:
        raise ValueError(f"{who}: threshold={threshold!r} names no purpose; see sy.threshold.")
    return named
