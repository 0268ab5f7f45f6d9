"""Columns of pandas whose type Arrow has no word for: periods and intervals by their names, sparse ones in full. pandas is not imported."""

from collections.abc import Sequence
from typing import Any

from .labels import label_name, some
from .notes import Doubt

NAMED = ("PeriodDtype", "IntervalDtype")


def plain(column: Any) -> Any:
    """The column as Arrow reads it; the same object where there is nothing to do. Intervals that pandas.cut made keep their order."""
    kind = getattr(column, "dtype", None)
    if type(kind).__name__ == "SparseDtype":
        return column.sparse.to_dense()
    if type(kind).__name__ in NAMED:
        return column.astype(str).where(column.notna(), None)
    levels = getattr(kind, "categories", None)
    if levels is not None and type(getattr(levels, "dtype", None)).__name__ in NAMED:
        return column.cat.rename_categories([str(level) for level in levels])
    return column


def plain_frame(frame: Any) -> Any:
    """The same of all columns of a pandas DataFrame. ValueError where a name stands twice."""
    if not hasattr(frame, "iloc") or not hasattr(frame, "dtypes"):
        return frame
    copied = None
    for name in unique(list(frame.columns), type(frame).__name__):
        column = frame[name]
        if (read := plain(column)) is not column:
            copied = frame.copy(deep=False) if copied is None else copied
            copied[name] = read
    return frame if copied is None else copied


def note_on_codes(column: Any, classes: Sequence[str]) -> list[str]:
    """A note where the codes of a category are not the places of its classes: it has an order that is not meant as one, or unused categories."""
    kind = getattr(column, "dtype", None)
    levels = getattr(kind, "categories", None)
    if levels is None or not hasattr(levels, "tolist") or getattr(kind, "ordered", False):
        return []
    names = [label_name(level) for level in levels.tolist()]
    if names == list(classes) or not set(classes) <= set(names):
        return []
    return [
        Doubt(
            f"the codes of the category are those of {some(names)}, and the classes are {some(classes)}; if .cat.codes are the labels that you"
            f" train on, count with classes=column.cat.categories"
        )
    ]


def unique(names: list[Any], what: str) -> list[Any]:
    """The names. ValueError where one stands twice."""
    if len(set(names)) < len(names):
        twice = next(name for i, name in enumerate(names) if name in names[:i])
        raise ValueError(
            f"{what}: the column {str(twice)!r} stands {names.count(twice)} times; rename them, or drop all but one."
        )
    return names


def refuse_value_counts(data: Any) -> None:
    """ValueError for a Series that counts already, as value_counts() of pandas makes it: its values are no labels."""
    index = type(getattr(data, "index", None)).__name__
    if index != "RangeIndex" and hasattr(data, "iloc") and getattr(data, "name", None) in ("count", "proportion"):
        raise ValueError(
            "count: the Series holds counts, as value_counts() makes them, and no labels; write Counts(series), or rename it if they are"
            " labels."
        )
