"""The tables: weightings with intervals, baselines, the metrics that do not decide, and how each class fares."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..tuning.metric import METRICS
from . import formatting
from .document import Report
from .evidence import PLAIN, Arm
from .forest import Axis, Mark, forest

MEASURES = ("precision", "recall", "f1")  # of a class


@dataclass(frozen=True)
class Row:
    """One arm in the table. `role` is "plain", "winner", "same" (equal to plain by construction), "baseline" or ""."""

    name: str
    role: str
    note: str
    value: str
    difference: str
    interval: str
    mark: Mark | None


@dataclass(frozen=True)
class Grid:
    """A plain table: column heads, and rows whose first cell is the row's name."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class ClassWise:
    """`arms` name what the grid's columns hold three of each: precision, recall, F1."""

    arms: tuple[str, ...]
    grid: Grid


def compared(report: Report) -> tuple[tuple[Row, ...], Axis]:
    """Plain first, then from the largest gain to the smallest, then those that equal plain."""
    tested, same, intervals = [], [], []
    for arm in report.arms:
        on = arm.on(report.metric)
        if arm.name == PLAIN:
            continue
        if arm.equals_plain or on.difference is None or on.low is None or on.high is None:
            same.append(arm)
        else:
            tested.append(arm)
            intervals.append((on.low, on.difference, on.high))
    order = sorted(range(len(tested)), key=lambda i: -intervals[i][1])
    axis, marks = forest([intervals[i] for i in order], report.margin)
    rows = [_row(report.plain, report.metric, "plain", None)] if report.plain else []
    for i, mark in zip(order, marks, strict=True):
        rows.append(_row(tested[i], report.metric, "winner" if tested[i].name == report.winner else "", mark))
    rows += [_row(arm, report.metric, "same" if arm.equals_plain else "", None) for arm in same]
    return tuple(rows), axis


def baselines(report: Report) -> tuple[Row, ...]:
    """What the weightings should be seen beside. They never win, and each interval stands for itself alone."""
    return tuple(_row(one, report.metric, "baseline", None) for one in report.baselines)


def others(report: Report, order: Sequence[Row]) -> Grid | None:
    """The metrics that do not decide: values only, in the order of these rows."""
    arms = {arm.name: arm for arm in (*report.baselines, *report.arms)}
    names = [n for n in METRICS if n != report.metric and any(n in arm.metrics for arm in arms.values())]
    if not names:
        return None
    rows = [(row.name, *(_fine(n, arms[row.name].on(n).value) for n in names)) for row in order]
    return Grid(("weighting", *(formatting.metric(n) for n in names)), tuple(rows))


def class_wise(report: Report) -> ClassWise | None:
    """The rarest class first, because that is where weights are meant to help."""
    if not report.per_class:
        return None
    arms = tuple(report.per_class)
    scores = {(arm, one.name): one for arm, classes in report.per_class.items() for one in classes}
    rows = [
        (
            one.name,
            formatting.count(one.rows),
            *(_share(getattr(scores.get((arm, one.name)), measure, None)) for arm in arms for measure in MEASURES),
        )
        for one in report.per_class[arms[0]]
    ]
    head = (
        "class",
        "rows" if report.table.weight is None else "weighted rows",
        *(("F1" if m == "f1" else m) for _ in arms for m in MEASURES),
    )
    return ClassWise(arms, Grid(head, tuple(rows)))


def _row(arm: Arm, metric: str, role: str, mark: Mark | None) -> Row:
    on = arm.on(metric)
    with_interval = mark is not None or role == "baseline"
    notes = {
        "plain": "what every weighting has to beat; its threshold is moved too",
        "same": arm.equals_plain,
        "baseline": arm.note,
    }
    return Row(
        name=arm.name,
        role=role,
        note=notes.get(role, ""),
        value="" if on.value is None else formatting.number(on.value),
        difference="" if on.difference is None or not with_interval else formatting.signed(on.difference),
        interval=formatting.interval(on.low, on.high) if with_interval else "",
        mark=mark,
    )


def _fine(metric: str, value: float | None) -> str:
    return "" if value is None else formatting.fine(metric, value)


def _share(value: float | None) -> str:
    return "–" if value is None else formatting.number(value)
