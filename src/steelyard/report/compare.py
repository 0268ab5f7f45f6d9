"""Two studies side by side: what they share, what each found, and whether their numbers can be compared at all."""

from dataclasses import dataclass
from typing import Any

from ..version import __version__
from . import formatting
from .columns import aligned
from .content import headline_of, outcome
from .document import Report
from .page import environment, policy
from .provenance import provenance
from .tables import Grid
from .terminal import bullets, wrap

NOT = "These numbers cannot be compared:"
CAUTION = (
    "Differences between two studies have no interval: only within a study were the same draws of rows used for both"
    " sides. Take them as description."
)


@dataclass(frozen=True)
class Side:
    """One of the two studies. `label` tells it from the other."""

    label: str
    outcome: str
    headline: str
    sentence: str


@dataclass(frozen=True)
class Comparison:
    """`obstacles` say why the values cannot be compared; then `values` has no differences.

    facts   what is named, left, right, and "" or "differs"
    values  weighting, left, right, and where they can be compared right - left
    """

    left: Side
    right: Side
    obstacles: tuple[str, ...]
    notes: tuple[str, ...]
    facts: Grid
    metric: str
    values: Grid | None

    @property
    def comparable(self) -> bool:
        return not self.obstacles


def compare_text(left: Report, right: Report) -> str:
    """Both verdicts word for word, what differs, and the values side by side."""
    both = compare(left, right)
    facts = [row[:3] for row in both.facts.rows if row[3]]
    parts = [
        f"left, {both.left.label}: {both.left.sentence}\n\nright, {both.right.label}: {both.right.sentence}",
        NOT + "\n" + bullets(both.obstacles) if both.obstacles else "",
        bullets(both.notes),
        _values_text(both),
        "What differs\n"
        + "\n".join(bullets([f"{term}: {a or 'not said'} | {b or 'not said'}"]) for term, a, b in facts)
        if facts
        else "",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def compare_html(left: Report, right: Report) -> str:
    """One page without any script."""
    return (
        environment()
        .get_template("compare.html.j2")
        .render(both=compare(left, right), caution=CAUTION, refused=NOT, version=__version__, policy=policy([]))
    )


def compare(left: Report, right: Report) -> Comparison:
    obstacles = [why for why in (_rows(left, right), _labels(left, right), _splits(left, right)) if why]
    metric, why = _common(left, right)
    if why:
        obstacles.append(why)
    names = _names(left, right)
    return Comparison(
        left=_side(left, names[0]),
        right=_side(right, names[1]),
        obstacles=tuple(obstacles),
        notes=tuple(_notes(left, right, metric)),
        facts=_facts(left, right, names),
        metric=formatting.metric(metric) if metric else "",
        values=_values(left, right, metric, names, not obstacles),
    )


def _names(left: Report, right: Report) -> tuple[str, str]:
    """By what tells them apart at a glance: the file, else the model, else their place."""
    for names in ((left.table.file, right.table.file), (left.model, right.model)):
        if names[0] != names[1]:
            return names
    return "this study", "the other"


def _side(report: Report, label: str) -> Side:
    return Side(label, outcome(report), headline_of(report), report.verdict.sentence)


def _rows(left: Report, right: Report) -> str:
    """Number, classes and digest: the same labels in the same order are taken for the same rows."""
    a, b = left.table, right.table
    if a.rows != b.rows:
        return f"The data differ: {_count(a.rows)} rows against {_count(b.rows)}."
    if (a.classes, a.per_class) != (b.classes, b.per_class):
        return "The data differ: the classes, or how many rows they have, are not the same."
    if a.weight != b.weight:
        return "The rows are weighted differently, so no metric means the same in both."
    if a.labels != b.labels and _known(left, right):
        return "The data differ: rows have other labels, or stand in another order."
    return ""


def _known(left: Report, right: Report) -> bool:
    """Whether both say what their data hold."""
    return bool(left.table.everything and right.table.everything)


def _labels(left: Report, right: Report) -> str:
    if left.table.label != right.table.label:
        names = formatting.quote(left.table.label), formatting.quote(right.table.label)
        return f"The label columns differ: {names[0]} against {names[1]}."
    if left.positive != right.positive:
        names = formatting.quote(left.positive), formatting.quote(right.positive)
        return f"The positive classes differ: {names[0]} against {names[1]}."
    return ""


def _splits(left: Report, right: Report) -> str:
    a, b = _drawn(left), _drawn(right)
    differ = [f"{name} {_plainly(a[name])} against {_plainly(b[name])}" for name in a if a[name] != b[name]]
    return f"The splits differ: {', '.join(differ)}." if differ else ""


def _drawn(report: Report) -> dict[str, Any]:
    """What decides which rows were held out together, and how often."""
    splits = report.splits
    return {
        "kind": splits.kind,
        "folds": splits.folds,
        "repetitions": report.finished,
        "column": splits.by or None,
        "rows judged": splits.judged or report.table.rows,
        "seed": report.seed,
    }


def _common(left: Report, right: Report) -> tuple[str, str]:
    """The metric to compare by, which both measured, and why there is none."""
    for metric in (left.metric, right.metric):
        if all(any(arm.on(metric).value is not None for arm in report.arms) for report in (left, right)):
            paid = metric in ("expected_cost", "recall_at_capacity")
            if paid and (left.costs, left.capacity) != (right.costs, right.capacity):
                return metric, f"The costs or the capacity differ, and {formatting.metric(metric)} depends on them."
            return metric, ""
    return "", f"The metrics differ: {left.title} against {right.title}, and neither study measured the other's."


def _notes(left: Report, right: Report, metric: str) -> list[str]:
    notes = []
    if metric and left.metric != right.metric:
        notes.append(
            f"The verdicts were decided by different metrics: {left.title} on the left, {right.title} on the right."
            f" The table shows {formatting.metric(metric)}, which both measured."
        )
    files = left.table.file, right.table.file
    if _known(left, right):
        if left.table.everything != right.table.everything:
            notes.append("The rows have the same labels in the same order, but not the same features.")
    elif files[0] != files[1]:
        notes.append(
            f"The files have different names ({files[0]}, {files[1]}); that they hold the same rows was not checked."
        )
    return notes


def _facts(left: Report, right: Report, names: tuple[str, str]) -> Grid:
    a, b = _said(left), _said(right)
    rows = [
        (term, a.get(term, ""), b.get(term, ""), "" if a.get(term, "") == b.get(term, "") else "differs")
        for term in dict.fromkeys((*a, *b))
        if a.get(term) or b.get(term)
    ]
    return Grid(("", *names, ""), tuple(rows))


def _said(report: Report) -> dict[str, str]:
    table, at = report.table, report.verdict.threshold
    classes = zip(table.classes, table.per_class, strict=False)
    return {
        "verdict": headline_of(report),
        "winner": report.chosen,
        "threshold": "" if at is None else formatting.threshold(at),
        "data": table.file,
        "rows": _count(table.rows),
        "classes": ", ".join(f"{formatting.quote(name)} {formatting.count(n)}" for name, n in classes),
        "label": table.label,
        "positive": report.positive or "",
        **dict(provenance(report)),
    }


def _values(left: Report, right: Report, metric: str, names: tuple[str, str], comparable: bool) -> Grid | None:
    """Every weighting and baseline that either study has, in the order of the left one."""
    if not metric:
        return None
    a, b = ({arm.name: arm.on(metric).value for arm in (*r.arms, *r.baselines)} for r in (left, right))
    rows = []
    for name in dict.fromkeys((*a, *b)):
        x, y = a.get(name), b.get(name)
        gain = "" if x is None or y is None else formatting.signed(y - x, formatting.places(y - x))
        rows.append((name, _fine(metric, x), _fine(metric, y), *((gain,) if comparable else ())))
    return Grid(("weighting", *names, *(("right - left",) if comparable else ())), tuple(rows))


def _values_text(both: Comparison) -> str:
    if both.values is None:
        return ""
    under = wrap(CAUTION) if both.comparable else ""
    return "\n".join(filter(None, [both.metric, aligned([both.values.head, *both.values.rows]), under]))


def _fine(metric: str, value: float | None) -> str:
    return "" if value is None else formatting.fine(metric, value)


def _count(value: float | None) -> str:
    return "?" if value is None else formatting.count(value)


def _plainly(value: Any) -> str:
    return "none" if value is None else str(value)
