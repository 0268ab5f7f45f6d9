"""What detectors make of a recipe: a row for the background, and weights per class as yes-or-no tables. Nothing here is of a framework."""

from typing import Any

import numpy as np

import steelyard as sy

NEUTRAL = {"scale": 1.0, "offset": 0.0, "margin": 0.0, "weight": 1.0}
BACKGROUND = "background"


def with_background(name: str, recipe: Any, classes: int, background: float | None) -> Any:
    """A recipe of `classes` rows for a softmax whose class 0 is the background.

    recipe      of all classes, a rule or a recipe without tables: as it is; or of classes - 1, counted from the boxes
    background  the weight of the background's row, where the recipe has none. It has no count that could say it

    ValueError where it is missing, or given beside a recipe that says it, and for tables that a row cannot be added to.
    """
    if background is not None and not (np.isfinite(background) and background >= 0):
        raise ValueError(f"{name}: background must be a finite weight >= 0, got {background!r}.")
    if not isinstance(recipe, sy.Recipe) or _width(recipe) != classes - 1:
        if background is not None:
            raise ValueError(
                f"{name}: background= is the weight of a row that the recipe lacks, but {_described(recipe, classes)}; leave it out."
            )
        return recipe
    if background is None:
        raise ValueError(
            f"{name}: the recipe is for {classes - 1} classes and the model has {classes}, the first of which is the background. Say what a"
            " background box weighs: background=1.0, as much as a box of the average class."
        )
    for field in ("scale", "offset", "margin"):
        table = getattr(recipe, field)
        if table is not None and max(table.shape) > 1:
            raise ValueError(
                f"{name}: the recipe's {field} is per class, and says nothing of the background; only weights can be given one by"
                f" background=. Make the recipe for all {classes} classes, the background first."
            )
    tables = [t for f in NEUTRAL if (t := getattr(recipe, f)) is not None]
    if hasattr(recipe.target, "values") or any(t.live for t in tables):
        raise ValueError(
            f"{name}: rows of targets, and numbers that are learned, cannot be given a background; make the recipe for all {classes}"
            " classes, the background first."
        )
    weight = [background, *recipe.label_weights().tolist()]
    return _remade(recipe, weight=weight, classes=_named(recipe))


def on_targets(name: str, recipe: Any, columns: int, *, first: bool) -> Any:
    """A recipe for `columns` yes-or-no outputs.

    recipe  from exclusive counts: its weights become those of "is", the target's own column; "is not" keeps 1. From multilabel counts,
            a rule, or without tables: as it is
    first   whether output 0 may be a background that no box has: a recipe of columns - 1 classes then leaves it alone

    ValueError for other widths, for offsets, margins, scales and targets of exclusive classes, which no yes-or-no output has, and for two
    weights of no kind beside two outputs.
    """
    if not isinstance(recipe, sy.Recipe):
        return recipe
    shapes = [t.shape for f in NEUTRAL if (t := getattr(recipe, f)) is not None]
    rows = max((r for r, _ in shapes), default=1)
    wide = max((c for _, c in shapes), default=1)
    if recipe.kind is None and rows == 2 and wide == 1 and columns in (2, 3):
        raise ValueError(
            f"{name}: two weights beside {columns} outputs are (is not, is), or two classes; write Recipe(weight=..., kind='exclusive') for"
            " classes, [[a, a], [b, b]] for answers."
        )
    per_label = recipe.kind == "exclusive" or (recipe.kind is None and rows > 2 and wide == 1)
    if per_label and columns == 1 and _width(recipe) == 2:
        return recipe  # one logit of two classes
    if per_label:
        return _lifted(name, recipe, columns, first)
    width = wide if wide > 1 else len(recipe.classes) if recipe.kind and recipe.classes else columns
    if width == columns:
        return recipe
    if not (first and width == columns - 1):
        raise _other_width(name, width, columns, first)
    padded: dict[str, Any] = {}
    for field, neutral in NEUTRAL.items():
        table = getattr(recipe, field)
        if table is not None and table.shape[1] > 1:
            padded[field] = np.pad(table.numpy(), ((0, 0), (1, 0)), constant_values=neutral)
    return _remade(recipe, **padded, classes=_named(recipe))


def positive_weights(recipe: sy.Recipe, columns: int, *, exclusive: bool) -> np.ndarray:
    """What a box of each class weighs where it is one [columns]: its label's weight, or that of "is"."""
    if recipe.weight is None:
        return np.ones(columns)
    if recipe.weight.live:
        raise ValueError(
            'norm="mass" divides by weights that are learned here, which has no derivative; take norm="count".'
        )
    if exclusive:
        return recipe.weight.diagonal(columns)
    return np.broadcast_to(recipe.weight.numpy()[-1], (columns,)).copy()


def _lifted(name: str, recipe: sy.Recipe, columns: int, first: bool) -> sy.Recipe:
    for field in ("scale", "offset", "margin", "target"):
        if getattr(recipe, field) is not None:
            raise ValueError(
                f"{name}: the recipe's {field} is one of exclusive classes, but each output here is a yes-or-no question of its own. Count"
                ' yes and no for each class (kind="multilabel"), or leave it out.'
            )
    weights = np.ones(_width(recipe) or columns) if recipe.weight is None else recipe.label_weights()
    missing = columns - len(weights)
    if missing not in ((0, 1) if first else (0,)):
        raise _other_width(name, len(weights), columns, first)
    table = np.ones((2, columns))
    table[1, missing:] = weights
    weight = None if recipe.weight is None else table
    return _remade(recipe, weight=weight, classes=_named(recipe) if missing else recipe.classes, kind="multilabel")


def _other_width(name: str, width: int, columns: int, first: bool) -> ValueError:
    less = f", or {columns - 1} where output 0 is the background" if first else ""
    return ValueError(f"{name}: the recipe is for {width} classes, and the model has {columns} outputs{less}.")


def _width(recipe: sy.Recipe) -> int | None:
    """Classes that it is for, or None where it serves any number."""
    shapes = [t.shape for f in NEUTRAL if (t := getattr(recipe, f)) is not None]
    sizes = {size for shape in shapes for size in shape if size > 1}
    return len(recipe.classes) if recipe.classes is not None else max(sizes, default=None)


def _named(recipe: sy.Recipe) -> tuple[str, ...] | None:
    return None if recipe.classes is None else (BACKGROUND, *recipe.classes)


def _described(recipe: Any, classes: int) -> str:
    if not isinstance(recipe, sy.Recipe):
        return f"{type(recipe).__name__} is a rule, whose rows are its own"
    width = _width(recipe)
    return "this recipe has no rows" if width is None else f"this one has {width} for {classes} classes"


def _remade(recipe: sy.Recipe, **changed: Any) -> sy.Recipe:
    kept = {f: getattr(recipe, f) for f in (*NEUTRAL, "target", "curve", "norm", "classes", "kind", "source")}
    return sy.Recipe(**{**kept, **changed})
