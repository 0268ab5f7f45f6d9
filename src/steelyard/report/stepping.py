"""More than two classes: the cut of each moved by hand. The page's script counts the kept decisions anew."""

import math
from dataclasses import asdict, dataclass
from typing import Any

from . import formatting
from .decisions import CLASSES, counted
from .document import Report

STEP, REACH = 0.05, 60  # of a log-probability, and so many to either side: from 1/20 to 20 times


@dataclass(frozen=True)
class Line:
    """A class before anything is moved: its probability times so much, its rows, and how it fares."""

    name: str
    times: str
    rows: str
    recall: str
    precision: str


@dataclass(frozen=True)
class Stepping:
    """What the script reads, but for `lines`.

    arms    {arm: the kept decisions, and "multiply": what the verdict multiplies the probability of each class by}
    arm     the verdict's
    costs   [truth][decision], or None
    step    of a slider, in log-probability, and how many there are to either side
    counted what is to be said of rows that are counted by their weights, or ""
    """

    classes: tuple[str, ...]
    arms: dict[str, dict[str, Any]]
    arm: str
    costs: tuple[tuple[float, ...], ...] | None
    step: float
    reach: int
    counted: str
    lines: tuple[Line, ...]

    def to_dict(self) -> dict[str, Any]:
        found = asdict(self)
        del found["lines"]
        return found

    @property
    def some(self) -> str:
        """How many decisions are moved along, where that is not all of them."""
        kept = self.arms[self.arm]
        if kept["rows"] == kept["of"]:
            return ""
        return f"{formatting.count(kept['rows'])} of {formatting.count(kept['of'])} decisions, the rare ones first, weighed up to all"


def stepping(report: Report) -> Stepping | None:
    """None for two classes, for more than a table shows, and where the study kept nothing to move along."""
    names = report.table.classes
    if report.binary or not 2 < len(names) <= CLASSES or report.chosen not in report.sampled:
        return None
    arms = {
        name: {**asdict(kept), "multiply": _times(report, name)} for name, kept in report.sampled.items() if kept.rows
    }
    if report.chosen not in arms:
        return None
    told = {one.name: one for one in report.per_class.get(report.chosen, ())}
    lines = []
    for name, times in zip(names, arms[report.chosen]["multiply"], strict=True):
        one = told.get(name)
        lines.append(
            Line(
                name,
                multiplied(times),
                "" if one is None else formatting.count(one.rows),
                _share(one and one.recall),
                _share(one and one.precision),
            )
        )
    matrix = report.costs.matrix or None
    return Stepping(names, arms, report.chosen, matrix, STEP, REACH, counted(report), tuple(lines))


def multiplied(times: float) -> str:
    """
    >>> multiplied(1.0), multiplied(0.0512), multiplied(19.6)
    ('× 1.00', '× 0.0512', '× 19.6')
    """
    digits = max(0, 2 - math.floor(math.log10(times))) if times > 0 else 2
    return f"× {times:.{digits}f}"


def _times(report: Report, arm: str) -> list[float]:
    """What each probability is multiplied by before the largest decides."""
    many = len(report.table.classes)
    factors = report.verdict.factors
    if arm != report.chosen and any(f != 1 for f in factors):
        factors = next((one.factors for one in report.arms if one.name == arm), ())
    if len(factors) != many or not all(f > 0 for f in factors):
        return [1.0] * many
    return [1 / f for f in factors]


def _share(value: float | None) -> str:
    return "–" if value is None else formatting.number(value)
