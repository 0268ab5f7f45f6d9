"""A weighting's reliability, small: what its probabilities promise and what came true, to stand in its row."""

from dataclasses import dataclass

from . import formatting
from .document import Report
from .evidence import PLAIN, Arm, Group
from .forest import end


@dataclass(frozen=True)
class Dot:
    """x, y in percent of the drawing, y from the top; `says` is the group in words."""

    x: float
    y: float
    says: str


@dataclass(frozen=True)
class Honesty:
    """`points` of the line, as SVG takes them in a square of 100; both axes end at `top`."""

    dots: tuple[Dot, ...]
    points: str
    top: str
    desc: str
    caption: str


def honesty(report: Report, arm: Arm) -> Honesty | None:
    """None where the study kept no groups of it."""
    kept = _groups(report, arm)
    if not kept:
        return None
    top = end([v for group in kept for v in (group.predicted, group.observed)])
    event = formatting.quote(report.positive) if report.binary else "right"
    dots = tuple(
        Dot(
            _percent(group.predicted / top),
            _percent(1 - group.observed / top),
            f"given {group.predicted:.3g}, came true {group.observed:.3g}, {formatting.plural(group.rows, 'row')}",
        )
        for group in kept
    )
    far = max(abs(group.predicted - group.observed) for group in kept)
    undone = "" if arm.name == PLAIN else ", weights undone"
    return Honesty(
        dots,
        " ".join(f"{dot.x},{dot.y}" for dot in dots),
        f"{top:g}",
        f"Share of rows that are {event} against the probability given{undone}, in {len(kept)} groups of rows; the largest distance"
        f" from the diagonal is {formatting.number(far)}",
        f"Given against came true{undone}; on the diagonal it is honest.",
    )


def _groups(report: Report, arm: Arm) -> tuple[Group, ...]:
    """Its own, or those that were kept to draw, in older reports."""
    curves = report.curves.get(arm.name)
    return arm.reliability or (curves.undone if curves else ())


def _percent(share: float) -> float:
    return round(100 * min(1.0, max(0.0, share)), 2)
