"""What a report holds of each arm: metrics with their intervals, and what was kept to draw."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

from .part import AGAIN, Part

PLAIN = "plain"


@dataclass(frozen=True)
class Measured:
    """One metric of one arm; None was not measured. A positive difference is better than plain, whichever way the metric points."""

    value: float | None = None
    difference: float | None = None
    low: float | None = None
    high: float | None = None

    @classmethod
    def read(cls, part: Part) -> Self:
        return cls(*map(part.number, ("value", "difference", "low", "high")))


class Group(NamedTuple):
    """Rows that were given about the same probability: its mean, the share that came true, how many they are."""

    predicted: float
    observed: float
    rows: float


@dataclass(frozen=True)
class Arm:
    """A weighting, or a baseline. `equals_plain`: why it is plain by construction, or ""; `note`: what a baseline is, or "".

    at_cut      {metric: value} of the decisions at the verdict's cut; `metrics` has the best that each metric's own cut reaches
    recipe      its JSON, or ""; names as the data spell them
    outcomes    of each class the weight of its label, and its share of the loss or None; None in older reports
    reliability of its undone probabilities, or ()
    threshold   its own, or None; `factors` those of more than two classes, or (); `settings` are those chosen, with the number of folds, {text: folds}
    """

    name: str
    metrics: Mapping[str, Measured]
    equals_plain: str
    note: str
    at_cut: Mapping[str, float]
    threshold: float | None
    settings: Mapping[str, int]
    recipe: str = ""
    factors: tuple[float, ...] = ()
    outcomes: tuple[tuple[float, float | None], ...] | None = None
    reliability: tuple[Group, ...] = ()

    @classmethod
    def read(cls, part: Part, recipe: str = "") -> Self:
        metrics = {name: Measured.read(one) for name, one in part.named("metrics").items()}
        at_cut, settings = part.part("at_cut"), part.part("strengths")
        return cls(
            part.text("name"),
            metrics,
            part.text("equals_plain"),
            part.text("note"),
            {name: value for name in at_cut.values if (value := at_cut.number(name)) is not None},
            part.number("threshold"),
            {name: n for name in settings.values if (n := settings.whole(name)) is not None},
            recipe,
            part.numbers("factors"),
            tuple((one.number("weight") or 0.0, one.number("loss_share")) for one in part.parts("outcomes"))
            if part.has("outcomes")
            else None,
            groups(part.parts("reliability")),
        )

    def on(self, metric: str) -> Measured:
        return self.metrics.get(metric, Measured())


def groups(parts: Sequence[Part]) -> tuple[Group, ...]:
    return tuple(Group(*map(one.the_number, Group._fields)) for one in parts)


class Point(NamedTuple):
    """The deciding metric of an arm whose ingredient has this option at x."""

    x: float
    arm: str
    value: float
    difference: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class WeightPath:
    """The deciding metric along one option of an ingredient, x ascending; plain stands at 0."""

    ingredient: str
    parameter: str
    points: tuple[Point, ...]

    @classmethod
    def read(cls, part: Part) -> Self:
        points = [
            Point(x, one.text("arm") or PLAIN, value, *map(one.number, ("difference", "low", "high")))
            for one in part.parts("points")
            if (x := one.number("x")) is not None and (value := one.number("value")) is not None
        ]
        return cls(part.text("ingredient"), part.text("parameter"), tuple(sorted(points, key=lambda point: point.x)))


@dataclass(frozen=True)
class Search:
    """A continuous search around the best arm: how many values were tried, (x, value) of those that could be measured."""

    ingredient: str
    parameter: str
    tried: int
    trials: tuple[tuple[float, float], ...]
    best: float | None

    @classmethod
    def read(cls, part: Part) -> Self | None:
        if not part.parts("trials"):
            return None
        pairs = [(trial.number("x"), trial.number("value")) for trial in part.parts("trials")]
        trials = tuple((x, value) for x, value in pairs if x is not None and value is not None)
        names = part.text("ingredient") or "the best weighting", part.text("parameter") or "parameter"
        return cls(*names, len(pairs), trials, part.number("best"))


class Cut(NamedTuple):
    """Rows by truth and decision when those from this probability on are called; means over repetitions."""

    threshold: float
    tp: float
    fp: float
    fn: float
    tn: float


class Priced(NamedTuple):
    """Where a missed positive costs so many false alarms: the cut, and what it does, in rows."""

    miss: float
    threshold: float
    found: float
    missed: float
    alarms: float


class Scores(NamedTuple):
    """Rows of each class, [k], by log-odds between [k + 1] edges."""

    edges: tuple[float, ...]
    positive: tuple[float, ...]
    negative: tuple[float, ...]


@dataclass(frozen=True)
class Curves:
    """What was kept of one arm to draw.

    cuts         thresholds ascending, two classes only
    reliability  {"before", "after", "recalibrated"}: the undo, and then a recalibration; without what was not kept
    confusion    [truth][decision] in the order of the classes, more than two only
    """

    cuts: tuple[Cut, ...]
    reliability: Mapping[str, tuple[Group, ...]]
    scores: Scores | None
    confusion: tuple[tuple[float, ...], ...]

    @property
    def undone(self) -> tuple[Group, ...]:
        """Reliability of the undone probabilities, or ()."""
        return self.reliability.get("after", ())

    @classmethod
    def read(cls, part: Part) -> Self:
        table, scores = part.part("thresholds"), part.part("scores")
        columns = [tuple(map(float, table.numbers(key))) for key in Cut._fields]
        if len(set(map(len, columns))) > 1:
            raise ValueError(f"report: the columns of {table.where.rstrip('.')} are not of one length; {AGAIN}.")
        parts = {key: part.part("reliability").parts(key) for key in ("before", "after")}
        parts["recalibrated"] = part.parts("recalibrated")
        return cls(
            cuts=tuple(sorted(map(Cut._make, zip(*columns, strict=True)))),
            reliability={key: groups(kept) for key, kept in parts.items() if kept},
            scores=Scores(*map(scores.numbers, Scores._fields)) if scores else None,
            confusion=part.rows("confusion"),
        )


@dataclass(frozen=True)
class Sampled:
    """Decisions that the cuts of more than two classes can be moved along, as the study wrote them (see tuning/sampled.py).

    rows, of  kept, and how many there are; what `times` says brings the kept ones to all
    truth     base64 of uint8 [rows]; times of float32 [rows]; behind of uint16 [rows, C], in units of a log-probability
    """

    rows: int
    of: int
    unit: float
    truth: str
    times: str
    behind: str

    @classmethod
    def read(cls, part: Part) -> Self:
        counts = part.whole("rows") or 0, part.whole("of") or 0
        return cls(*counts, part.the_number("unit"), *map(part.text, ("truth", "times", "behind")))

    def misfit(self, classes: int) -> str:
        """What in it is not of so many classes, or ""."""
        for name, size in (("truth", 1), ("times", 4), ("behind", 2 * classes)):
            try:
                found = base64.b64decode(getattr(self, name), validate=True)
            except ValueError:
                return f"{name} is not base64"
            if len(found) != size * self.rows:
                return f"{name} is not of {self.rows:,} rows and {classes} classes"
            if name == "truth" and max(found, default=0) >= classes:
                return f"{name} names a class that is not there"
        return ""


@dataclass(frozen=True)
class ClassScores:
    """How one of more than two classes fares."""

    name: str
    rows: float
    precision: float | None
    recall: float | None
    f1: float | None

    @classmethod
    def read(cls, part: Part) -> Self:
        rows = part.number("rows") or 0
        return cls(part.text("class"), rows, *map(part.number, ("precision", "recall", "f1")))


def by_arm(part: Part) -> dict[str, tuple[ClassScores, ...]]:
    kept = {arm: map(ClassScores.read, part.parts(arm)) for arm in part.values}
    return {arm: classes for arm, one in kept.items() if (classes := tuple(sorted(one, key=lambda c: c.rows)))}
