"""Class by class, for more than two classes: how each one fares under plain training and under the best weighting."""

from dataclasses import dataclass

from . import formatting
from .document import Data
from .tables import Grid

MEASURES = ("precision", "recall", "f1")


@dataclass(frozen=True)
class ClassWise:
    """`arms` name what the grid's columns hold three of each: precision, recall, F1."""

    arms: tuple[str, ...]
    grid: Grid


def class_wise(data: Data) -> ClassWise | None:
    """The rarest class first, because that is where weights are meant to help."""
    found = records(data)
    if not found:
        return None
    arms = tuple(found)
    first = found[arms[0]]
    by_arm = {arm: {str(one["class"]): one for one in kept} for arm, kept in found.items()}
    rows = [
        (
            str(one["class"]),
            formatting.count(one.get("rows") or 0),
            *(_number(by_arm[arm].get(str(one["class"]), {}).get(m)) for arm in arms for m in MEASURES),
        )
        for one in first
    ]
    head = ("class", "rows", *(("F1" if m == "f1" else m) for _ in arms for m in MEASURES))
    return ClassWise(arms, Grid(head, tuple(rows)))


def records(data: Data) -> dict[str, list[Data]]:
    """{arm: its classes, rarest first}"""
    kept = data.get("per_class") or {}
    return {name: sorted(found, key=lambda one: one.get("rows") or 0) for name, found in kept.items() if found}


def _number(value: float | None) -> str:
    return "–" if value is None else formatting.number(value)
