"""What people get who decide: by moving the cut alone, by the weighting on top, and by what needs no weights at all.

A verdict by a ranking says nothing about decisions, and one by decisions counts from plain training whose cut was moved already:
most of what a weighting is praised for, moving the cut brings by itself. Rows and draws are those of the verdict.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..metric import Metric
from ..split import Split
from ..weights import Weights
from . import decision, digits
from .comparisons import Judge
from .decision import LEVEL, NORMAL, Comparison, Decision
from .sentences import BASELINE

SAID = ("A", "A'", "B", "C", "C'", "F")  # cases that prescribe a cut, or a weighting
UNMOVED = {True: "0.5", False: "the largest probability"}  # two classes, or more
CHEAPEST = "the cheapest class by the probabilities"


@dataclasses.dataclass(frozen=True)
class Step:
    """A difference in the decision metric, positive is better, with the ends of its 95 % interval."""

    before: float
    after: float
    difference: float
    low: float
    high: float
    deviation: float

    def matters(self, metric: Metric) -> bool:
        """The lower end is above 0 and the gain is at least the metric's margin."""
        return self.low > 0 and self.difference >= metric.margin * metric.unit(self.before)

    def to_dict(self) -> dict[str, float]:
        return {"before": self.before, "after": self.after, **self.interval}

    @property
    def interval(self) -> dict[str, float]:
        return {"difference": self.difference, "low": self.low, "high": self.high}


@dataclasses.dataclass(frozen=True)
class Practice:
    """By the metric that the cut is moved for, out of fold and at the settings of the verdict.

    unmoved     what the moved cut is compared with: "0.5", or how more than two classes are decided without it
    cut         plain training, moved against unmoved; its interval stands alone
    own         the same of the winner, where there is one: what its prescribed cut brings
    weighting   the winner against plain, each at its own cut, as wide as the verdict's simultaneous interval
    """

    metric: Metric
    unmoved: str
    cut: Step
    own: Step | None = None
    weighting: Step | None = None

    @property
    def moves(self) -> bool:
        """Whether the cut of what is to be trained is worth being moved: by at least the margin, and by more than one standard
        error. Where neither, the simpler rule is as good."""
        one = self.own or self.cut
        return one.difference > one.deviation and one.difference >= self.metric.margin * self.metric.unit(one.before)

    @property
    def visible(self) -> bool | None:
        """Whether the winner's gain shows in the decision; None without a winner."""
        return None if self.weighting is None else self.weighting.matters(self.metric)

    def to_dict(self) -> dict[str, Any]:
        return {
            "metric": self.metric.name,
            "metric_title": self.metric.title,
            "metric_higher": self.metric.higher,
            "against": self.unmoved,
            "cut": self.cut.to_dict(),
            "cut_of_winner": None if self.own is None else self.own.to_dict(),
            "weighting": None if self.weighting is None else self.weighting.to_dict(),
            "visible": self.visible,
            "moves": self.moves,
        }


def practice(
    y: np.ndarray,
    classes: int,
    split: Split,
    metric: Metric,
    decided: Sequence[tuple[np.ndarray, np.ndarray]],
    count: int,
    seed: int,
    *,
    widths: tuple[float, float] = (NORMAL, NORMAL),
    weights: Weights = None,
) -> Practice:
    """Of decisions (unmoved, moved), each [repetitions, rows], of plain and, where there is one, of the winner.

    widths  of the weighting's interval below and above, in standard errors: those of the verdict, which chose the winner among many
    """
    judge = Judge(y, classes, count, seed, split, weights)
    every = [one for pair in decided for one in pair]
    judge.add(metric.name, metric, every, range(len(every)))
    values, drawn, blocks = judge.values(metric.name, len(every))
    folds = judge.folds(metric.name, len(every))

    def step(before: int, after: int, widths: tuple[float, float] = (NORMAL, NORMAL)) -> Step:
        two = [before, after]
        found = decision.compare(
            metric,
            values[two],
            drawn[two],
            np.array([False, False]),
            None if blocks is None else blocks[two],
            None if folds is None else folds[two],
        )
        gain, s = float(found.gain[1]), float(found.deviation[1])
        low, high = gain - widths[0] * s, gain + widths[1] * s
        return Step(float(found.value[0]), float(found.value[1]), gain, low, high, s)

    won = len(decided) > 1
    unmoved = CHEAPEST if metric.cost_matrix is not None else UNMOVED[classes == 2]
    return Practice(metric, unmoved, step(0, 1), step(2, 3) if won else None, step(1, 3, widths) if won else None)


def widths(comparison: Comparison, j: int) -> tuple[float, float]:
    """How many standard errors the interval of an arm reaches below and above."""
    s = comparison.deviation[j]
    if s < decision.IDENTICAL:
        return NORMAL, NORMAL
    gain = comparison.gain[j]
    return float((gain - comparison.low[j]) / s), float((comparison.high[j] - gain) / s)


@dataclasses.dataclass(frozen=True)
class Beside:
    """A way without weights that is clearly better than plain training with a moved threshold, by the verdict's metric: with the ends
    of a 95 % interval that holds for all such ways together."""

    name: str
    value: float
    difference: float
    low: float
    high: float

    def to_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)


def better(comparison: Comparison, names: Mapping[int, str]) -> list[Beside]:
    """Those among the arms with these numbers, which are shown and not tested, the best one first."""
    drawn = comparison.metric.gain(comparison.draws, comparison.draws[:1])
    spread = drawn.std(axis=1, ddof=1)
    among = [j for j in names if np.isfinite(comparison.gain[j]) and spread[j] > 0]
    if not among:
        return []
    z = (drawn[among] - drawn[among].mean(axis=1, keepdims=True)) / spread[among, None]
    c = float(np.quantile(np.abs(z).max(axis=0), LEVEL))
    c1 = float(np.quantile(z.max(axis=0), 1 - (1 - LEVEL) / 2))
    found = []
    for j in among:
        gain, s = float(comparison.gain[j]), float(comparison.deviation[j])
        if gain - c1 * s > 0 and gain >= comparison.margin and s >= decision.IDENTICAL:
            found.append(Beside(names[j], float(comparison.value[j]), gain, gain - c1 * s, gain + c * s))
    return sorted(found, key=lambda one: -one.difference)


def said(found: Practice, case: Decision, comparison: Comparison, beside: Sequence[Beside]) -> str:
    """The sentences behind the verdict's; "" for a verdict that prescribes nothing."""
    if case.case not in SAID:
        return ""
    same = comparison.metric.name == found.metric.name
    return _cut(found, same) + _beside(beside, comparison, won=case.winner is not None)


def _cut(found: Practice, same: bool) -> str:
    """`same`: the verdict is by this metric."""
    title = found.metric.title + ("" if found.metric.higher else " (positive is better)")
    alone = f"moving the cut alone brings {_gain(found.cut)} over {found.unmoved}"
    if found.weighting is None:
        kept = "" if found.moves else _not_moved(found)
        return f" In decisions, by {title}, {alone}{kept}."
    if same:
        return f" The difference is what the weighting adds to a moved cut: {alone}."
    adds = f"the weighting at its own cut adds {_gain(found.weighting)}"
    hidden = "" if found.visible else ": its gain does not show in the decisions that people take"
    return f" In decisions, by {title}, {alone}, and {adds}{hidden}."


def _not_moved(found: Practice) -> str:
    return "" if found.unmoved == UNMOVED[True] else f", so {found.unmoved} decides as well and is to be kept"


def _beside(beside: Sequence[Beside], comparison: Comparison, *, won: bool) -> str:
    if not beside:
        return ""
    first, *rest = beside
    others = f", {len(rest)} more of them too" if rest else ""
    better = "" if comparison.metric.higher else " (positive is better)"
    gain = _gain(first)
    if won:
        return f" Without weights {first.name} is better than {BASELINE}, too: {gain}{others}."
    return (
        f" But without weights {first.name} is clearly better than {BASELINE}: {gain} in"
        f" {comparison.metric.title}{better}{others}; try that first."
    )


def _gain(step: Step | Beside) -> str:
    places = digits.places(step.difference, step.low, step.high)
    return f"{digits.signed(step.difference, places)} {digits.interval(step.low, step.high, places)}"
