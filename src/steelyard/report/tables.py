"""The tables: weightings with intervals, baselines, the metrics that do not decide, and how each class fares."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..tuning.metric import DECISION, METRICS
from . import formatting
from .details import details
from .document import Report
from .evidence import PLAIN, Arm
from .forest import Axis, Mark, forest
from .honesty import Honesty, honesty

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
    details: tuple[tuple[str, str], ...] = ()
    honesty: Honesty | None = None


@dataclass(frozen=True)
class Grid:
    """A plain table: column heads, and rows whose first cell is the row's name."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Block:
    """Metrics that are judged alike. `best` has, for each row and metric, what another cut would reach, or ""."""

    title: str
    says: str
    grid: Grid
    best: tuple[tuple[str, ...], ...]


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
    arms = {arm.name: arm for arm in report.arms}
    return tuple(
        replace(row, details=details(report, arms[row.name]), honesty=honesty(report, arms[row.name])) for row in rows
    ), axis


def baselines(report: Report) -> tuple[Row, ...]:
    """What the weightings should be seen beside. They never win, and each interval stands for itself alone."""
    return tuple(_row(one, report.metric, "baseline", None) for one in report.baselines)


def others(report: Report, order: Sequence[Row]) -> tuple[Block, ...]:
    """The metrics that do not decide, values only, in the order of these rows: those that need no threshold, and those of
    decisions. Decisions are those at the verdict's cut, beside them the best that a cut of the metric's own reaches."""
    arms = {arm.name: arm for arm in (*report.baselines, *report.arms)}
    every = [arms[row.name] for row in order]
    names = [n for n in METRICS if n != report.metric and any(n in arm.metrics for arm in every)]
    decisions = [n for n in names if METRICS[n].kind == DECISION]
    one_cut = any(arm.at_cut for arm in every)
    at = formatting.best(report.rule) if report.rule else "the verdict"
    blocks = [
        (
            "Ranking and probabilities",
            "No threshold is needed for these.",
            [n for n in names if n not in decisions],
            False,
        ),
        (
            "Decisions at the verdict's cut" if one_cut else "Decisions, each metric at a cut of its own",
            f"Every weighting at its cut for the {at}; in grey what a cut for that column alone would reach."
            if one_cut
            else "",
            decisions,
            one_cut,
        ),
    ]
    return tuple(
        Block(
            title,
            says,
            Grid(
                ("weighting", *(formatting.metric(n) for n in some)),
                tuple((arm.name, *(_fine(n, _there(report, arm, n, cut)) for n in some)) for arm in every),
            ),
            tuple(tuple(_best(arm, n) if cut else "" for n in some) for arm in every),
        )
        for title, says, some, cut in blocks
        if some
    )


def _there(report: Report, arm: Arm, metric: str, cut: bool) -> float | None:
    """What the verdict's cut reaches; the metric itself where there is no cut, or it is the metric's own."""
    return arm.at_cut.get(metric, arm.on(metric).value) if cut else arm.on(metric).value


def _best(arm: Arm, metric: str) -> str:
    """What another cut would reach, where that reads differently."""
    if metric not in arm.at_cut:
        return ""
    here, best = _fine(metric, arm.at_cut[metric]), _fine(metric, arm.on(metric).value)
    return best if best != here else ""


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
    decimals = formatting.places(on.difference, on.low, on.high)
    return Row(
        name=arm.name,
        role=role,
        note=notes.get(role, ""),
        value="" if on.value is None else formatting.number(on.value, decimals if with_interval else 3),
        difference="" if on.difference is None or not with_interval else formatting.signed(on.difference, decimals),
        interval=formatting.interval(on.low, on.high, decimals) if with_interval else "",
        mark=mark,
    )


def _fine(metric: str, value: float | None) -> str:
    return "" if value is None else formatting.fine(metric, value)


def _share(value: float | None) -> str:
    return "–" if value is None else formatting.number(value)
