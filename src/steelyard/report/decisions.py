"""Decisions against the truth: at the threshold of the verdict, and at every other that was kept, for the sliders."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from . import formatting
from .document import Report
from .evidence import Cut

CLASSES = 12  # a larger table cannot be read
PAIRS = 10
NO_VERDICT = ("D", "E", "P")  # what is shown beside these is a description
EXACT = 1e-9
COST = 1.0  # where the slider stands if the study named no costs


@dataclass(frozen=True)
class Operating:
    """Two classes only. The page's script reads `tables` and moves along them.

    positive  the class that is looked for
    tables    {arm: {"label": [n] thresholds as said, "t": [n], and "tp", "fp", "fn", "tn": [n] whole rows}}, t ascending
    arm, at   the one shown first: the verdict's, at the kept threshold nearest to the verdict's
    ratio     cost of a missed positive in false alarms; capacity = rows that can be checked of `per`, or None
    asked     (ratio, at) of `arm` where the report says the cheapest threshold itself: it was chosen repetition by repetition, and
              the slider says the same
    counted   what is to be said of rows that are counted by their weights, or ""
    """

    positive: str
    tables: dict[str, dict[str, list[Any]]]
    arm: str
    at: int
    ratio: float
    capacity: float | None
    per: int
    asked: tuple[tuple[float, int], ...] = ()
    counted: str = ""

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def last(self) -> int:
        return len(self.tables[self.arm]["t"]) - 1

    @property
    def label(self) -> str:
        return self.tables[self.arm]["label"][self.at]


@dataclass(frozen=True)
class Share:
    """A part of a whole: in words, and in percent for a bar. `key` names it for the page's script."""

    key: str
    says: str
    percent: float


@dataclass(frozen=True)
class Confusion:
    """Rows by truth and decision [C], the positive class first.

    names   what each cell is called, two classes only
    depth   how deep each cell is coloured, in percent: the right ones by their share of their row, the wrong ones by theirs in the
            largest such share, as among many classes all wrong ones are small
    shares  what the table says, for those who would rather not count
    figures (key, name, value): further numbers at this threshold, two classes only
    """

    caption: str
    classes: tuple[str, ...]
    counts: tuple[tuple[str, ...], ...]
    per_1000: tuple[tuple[str, ...], ...]
    depth: tuple[tuple[int, ...], ...]
    names: tuple[tuple[str, ...], ...]
    shares: tuple[Share, ...]
    figures: tuple[tuple[str, str, str], ...]


def operating(report: Report) -> Operating | None:
    """None where there are more than two classes, or nothing was kept to move along."""
    arm, at = report.chosen, report.verdict.threshold
    kept = cuts(report)
    if arm not in kept or at is None or not report.binary or report.positive is None:
        return None
    missed, alarm = report.costs.pair or (None, None)
    return Operating(
        positive=report.positive,
        tables={name: _whole_rows(table) for name, table in kept.items()},
        arm=arm,
        at=_nearest(kept[arm], at),
        ratio=missed / alarm if missed and alarm else COST,
        capacity=report.capacity.rows,
        per=int(report.capacity.per),
        asked=tuple((one.miss, _nearest(kept[arm], one.threshold)) for one in report.priced),
        counted=counted(report),
    )


def counted(report: Report) -> str:
    """What captions add where a row counts for its weight, or ""."""
    return "" if report.table.weight is None else ", each row counted by its weight"


def at_threshold(report: Report, arm: str, at: float | None, *, exact: bool = False) -> Cut | None:
    """Of one arm, the kept threshold nearest to `at`; None where there is none, or with `exact` none that is `at` itself."""
    curves = report.curves.get(arm)
    if at is None or curves is None or not curves.cuts:
        return None
    cut = curves.cuts[_nearest(curves.cuts, at)]
    return None if exact and abs(cut.threshold - at) > EXACT else cut


def confusion_rows(report: Report) -> list[list[int]]:
    """[truth][decision] of the chosen arm in whole rows, in the order of the classes; [] where it was not kept."""
    return [whole(row) for row in _decisions(report)[1]]


def cuts(report: Report) -> dict[str, tuple[Cut, ...]]:
    """{arm: its thresholds}, plain first; arms without any are left out."""
    return {name: curves.cuts for name, curves in report.curves.items() if curves.cuts}


def confusion(report: Report, ratio: float = COST) -> Confusion | None:
    """The table of the chosen arm, or None where the study kept none. `ratio`: a missed positive in false alarms."""
    at, kept = _decisions(report)
    names = report.table.classes
    counts = [whole(row) for row in kept]
    if report.binary:  # what one looks for stands first
        names, counts = names[::-1], [row[::-1] for row in counts[::-1]]
    total = sum(map(sum, counts))
    if not total or len(names) > CLASSES:
        return None
    return Confusion(
        caption=_caption(report, at),
        classes=names,
        counts=tuple(tuple(formatting.count(n) for n in row) for row in counts),
        per_1000=tuple(tuple(f"{1000 * n / total:.1f}" for n in row) for row in counts),
        depth=_depth(counts),
        names=(("found", "missed"), ("false alarm", "left alone")) if report.binary else (),
        shares=tuple(_shares(names[0], counts)) if report.binary else (),
        figures=tuple(_figures(counts, ratio)) if report.binary else (),
    )


def _depth(counts: Sequence[Sequence[int]]) -> tuple[tuple[int, ...], ...]:
    shares = [[n / max(1, sum(row)) for n in row] for row in counts]
    worst = max((v for i, row in enumerate(shares) for j, v in enumerate(row) if i != j), default=0.0) or 1.0
    return tuple(
        tuple(round(100 * (v if i == j else v / worst)) for j, v in enumerate(row)) for i, row in enumerate(shares)
    )


def mistaken(report: Report) -> tuple[str, ...]:
    """The commonest mistakes among more than two classes, most rows first."""
    if report.binary:
        return ()
    names, kept = report.table.classes, _decisions(report)[1]
    pairs = [(n, i, j) for i, row in enumerate(kept) for j, n in enumerate(row) if i != j and n >= 0.5]
    pairs.sort(key=lambda pair: -pair[0])
    return tuple(
        f"{formatting.plural(n, 'row')} of {formatting.quote(names[i])} called {formatting.quote(names[j])},"
        f" {formatting.percent(n / sum(kept[i]))} of that class"
        for n, i, j in pairs[:PAIRS]
    )


def whole(row: Sequence[float]) -> list[int]:
    """Means over repetitions as whole rows that keep their sum: what flooring leaves goes to the largest fractions, of equal ones
    to the first."""
    rows = [int(n) for n in row]
    by_fraction = sorted(range(len(row)), key=lambda i: round(rows[i] - row[i], 3))
    for i in by_fraction[: round(sum(row)) - sum(rows)]:
        rows[i] += 1
    return rows


def _whole_rows(table: Sequence[Cut]) -> dict[str, list[Any]]:
    # in this order, as the table without sliders has them: ties of fractions go to what comes first
    rows = [(*whole((cut.fn, cut.tp)), *whole((cut.tn, cut.fp))) for cut in table]
    fn, tp, tn, fp = (list(column) for column in zip(*rows, strict=True))
    t = [cut.threshold for cut in table]
    return {"label": [formatting.threshold(v) for v in t], "t": t, "tp": tp, "fp": fp, "fn": fn, "tn": tn}


def _nearest(table: Sequence[Cut], threshold: float) -> int:
    return min(range(len(table)), key=lambda i: abs(table[i].threshold - threshold))


def _decisions(report: Report) -> tuple[float | None, Sequence[Sequence[float]]]:
    """(threshold, rows by truth and decision in the order of the classes) of the chosen arm; (None, ()) where not kept.

    Two classes: the kept threshold nearest to the verdict's. More: None, and the shifted probabilities decide.
    """
    curves, at = report.curves.get(report.chosen), report.verdict.threshold
    if curves is None:
        return None, ()
    if curves.cuts and at is not None:
        cut = curves.cuts[_nearest(curves.cuts, at)]
        return cut.threshold, ((cut.tn, cut.fp), (cut.fn, cut.tp))
    return None, curves.confusion


def _caption(report: Report, at: float | None) -> str:
    wanted = report.verdict.threshold
    rule = _unmoved(report) or "by the probabilities at the moved cut of each class"
    if at is not None and wanted is not None:
        near = formatting.threshold(at) != formatting.threshold(wanted)
        rule = f"at threshold {formatting.threshold(at)}"
        rule += (
            f", the nearest to {formatting.threshold(wanted)} that was kept"
            if near
            else ", which was chosen on these rows"
        )
    repeats = report.finished or 1
    mean = f", mean of {repeats} repetitions" if repeats > 1 and report.splits.kind != "time" else ""
    return f"Decisions of {report.chosen} on held-out rows, {rule}{mean}{counted(report)}"


def _unmoved(report: Report) -> str:
    """How more than two classes are decided where nothing is worth being moved, or ""."""
    factors = report.verdict.factors
    if not factors or any(f != 1 for f in factors):
        return ""
    return "for the cheapest class by the probabilities" if report.costs.matrix else "by the largest probability"


def _shares(positive: str, counts: Sequence[Sequence[int]]) -> list[Share]:
    (tp, fn), (fp, _) = counts
    name = formatting.quote(positive)
    return [
        Share(
            "recall",
            f"Of {formatting.count(tp + fn)} rows that are {name}, {_part(tp, tp + fn)} are found.",
            _bar(tp, tp + fn),
        ),
        Share(
            "precision",
            f"Of {formatting.count(tp + fp)} rows called {name}, {_part(tp, tp + fp)} are right.",
            _bar(tp, tp + fp),
        ),
    ]


def _figures(counts: Sequence[Sequence[int]], ratio: float) -> list[tuple[str, str, str]]:
    (tp, fn), (fp, tn) = counts
    total = tp + fn + fp + tn
    return [
        ("precision-value", "precision", formatting.number(tp / (tp + fp)) if tp + fp else "–"),
        ("recall-value", "recall", formatting.number(tp / (tp + fn)) if tp + fn else "–"),
        ("f1-value", "F1", formatting.number(2 * tp / (2 * tp + fp + fn)) if tp + fp + fn else "–"),
        ("called-value", "called, of 1000", f"{1000 * (tp + fp) / total:.1f}"),
        ("cost-value", "cost of 1000 rows, in false alarms", f"{1000 * (fn * ratio + fp) / total:.1f}"),
    ]


def _part(some: int, of: int) -> str:
    return formatting.percent(some / of) if of else "none"


def _bar(some: int, of: int) -> float:
    return 100 * some / of if of else 0.0
