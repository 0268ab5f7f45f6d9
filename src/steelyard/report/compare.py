"""Two studies side by side: what they share, what each found, and whether their numbers can be compared at all."""

from dataclasses import dataclass
from typing import Any

from . import document, formatting
from .content import HEADLINES, file, outcome
from .document import Data
from .provenance import computed, title
from .tables import Grid

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
    values  strategy, left, right, and where they can be compared right - left
    """

    left: Side
    right: Side
    obstacles: tuple[str, ...]
    remarks: tuple[str, ...]
    facts: Grid
    metric: str
    values: Grid | None

    @property
    def comparable(self) -> bool:
        return not self.obstacles


def compare(data: Data, other: Data) -> Comparison:
    """The study `data` on the left, `other` on the right. ValueError unless both are reports."""
    document.check(data)
    document.check(other)
    obstacles = [told for told in (_rows(data, other), _labels(data, other), _splits(data, other)) if told]
    metric, said = _common(data, other)
    if said:
        obstacles.append(said)
    left, right = _labels_of(data, other)
    return Comparison(
        left=_side(data, left),
        right=_side(other, right),
        obstacles=tuple(obstacles),
        remarks=tuple(_remarks(data, other, metric)),
        facts=_facts(data, other, left, right),
        metric=formatting.metric(metric) if metric else "",
        values=_values(data, other, metric, left, right, not obstacles),
    )


def _labels_of(data: Data, other: Data) -> tuple[str, str]:
    """By what tells them apart at a glance: the file, else the model, else their place."""
    for pair in ((file(data), file(other)), (str(data.get("model")), str(other.get("model")))):
        if pair[0] != pair[1]:
            return pair
    return "this study", "the other"


def _side(data: Data, label: str) -> Side:
    found = outcome(data)
    return Side(label, found, HEADLINES[found], data["verdict"]["sentence"])


def _rows(data: Data, other: Data) -> str:
    """Number, classes and digest: the same labels in the same order are taken for the same rows."""
    a, b = data["data"], other["data"]
    if a.get("rows") != b.get("rows"):
        return f"The data differ: {_count(a.get('rows'))} rows against {_count(b.get('rows'))}."
    if document.classes(data) != document.classes(other) or document.per_class(data) != document.per_class(other):
        return "The data differ: the classes, or how many rows they have, are not the same."
    if _digest(data, "labels") != _digest(other, "labels") and _known(data, other):
        return "The data differ: rows have other labels, or stand in another order."
    return ""


def _digest(data: Data, of: str) -> str | None:
    return (data["data"].get("digest") or {}).get(of)


def _known(data: Data, other: Data) -> bool:
    """Whether both say what their data hold."""
    return None not in (_digest(data, "all"), _digest(other, "all"))


def _labels(data: Data, other: Data) -> str:
    if data["data"].get("label") != other["data"].get("label"):
        names = formatting.quote(data["data"].get("label")), formatting.quote(other["data"].get("label"))
        return f"The label columns differ: {names[0]} against {names[1]}."
    if data.get("positive") != other.get("positive"):
        names = formatting.quote(data.get("positive")), formatting.quote(other.get("positive"))
        return f"The positive classes differ: {names[0]} against {names[1]}."
    return ""


def _splits(data: Data, other: Data) -> str:
    differ = [
        f"{name} {_plainly(a)} against {_plainly(b)}"
        for name, a, b in zip(
            ("kind", "folds", "repetitions", "column", "rows judged", "seed"), _drawn(data), _drawn(other), strict=True
        )
        if a != b
    ]
    return f"The splits differ: {', '.join(differ)}." if differ else ""


def _drawn(data: Data) -> tuple[Any, ...]:
    """What decides which rows were held out together, and how often."""
    splits, stopped = data.get("splits") or {}, data.get("stopped") or {}
    return (
        splits.get("kind") or "stratified",
        splits.get("folds"),
        stopped.get("repeats_done", splits.get("repeats")),
        splits.get("by"),
        splits.get("judged") or data["data"].get("rows"),
        data.get("seed"),
    )


def _common(data: Data, other: Data) -> tuple[str, str]:
    """The metric to compare by, which both measured, and why there is none."""
    for metric in (data["metric"], other["metric"]):
        if all(any(document.judged(a, metric).get("value") is not None for a in d["arms"]) for d in (data, other)):
            paid = metric in ("expected_cost", "recall_at_capacity")
            if paid and (data.get("costs"), data.get("capacity")) != (other.get("costs"), other.get("capacity")):
                return metric, f"The costs or the capacity differ, and {formatting.metric(metric)} depends on them."
            return metric, ""
    return "", f"The metrics differ: {title(data)} against {title(other)}, and neither study measured the other's."


def _remarks(data: Data, other: Data, metric: str) -> list[str]:
    said = []
    if metric and data["metric"] != other["metric"]:
        said.append(
            f"The verdicts were decided by different metrics: {title(data)} on the left, {title(other)} on the right."
            f" The table shows {formatting.metric(metric)}, which both measured."
        )
    if _known(data, other):
        if _digest(data, "all") != _digest(other, "all"):
            said.append("The rows have the same labels in the same order, but not the same features.")
    elif file(data) != file(other):
        said.append(
            f"The files have different names ({file(data)}, {file(other)}); that they hold the same rows was not checked."
        )
    return said


def _facts(data: Data, other: Data, left: str, right: str) -> Grid:
    def told(d: Data) -> dict[str, str]:
        counts = ", ".join(
            f"{formatting.quote(c)} {formatting.count(n)}"
            for c, n in zip(document.classes(d), document.per_class(d), strict=False)
        )
        return {
            "verdict": HEADLINES[outcome(d)],
            "winner": document.winner(d) or document.PLAIN,
            "threshold": ""
            if d["verdict"].get("threshold") is None
            else formatting.threshold(d["verdict"]["threshold"]),
            "data": file(d),
            "rows": _count(d["data"].get("rows")),
            "classes": counts,
            "label": str(d["data"].get("label") or ""),
            "positive": str(d.get("positive") or ""),
            **dict(computed(d)),
        }

    a, b = told(data), told(other)
    rows = [
        (term, a.get(term, ""), b.get(term, ""), "" if a.get(term, "") == b.get(term, "") else "differs")
        for term in dict.fromkeys((*a, *b))
        if a.get(term) or b.get(term)
    ]
    return Grid(("", left, right, ""), tuple(rows))


def _values(data: Data, other: Data, metric: str, left: str, right: str, comparable: bool) -> Grid | None:
    """Every strategy and baseline that either study has, in the order of the left one."""
    if not metric:
        return None
    a, b = (
        {
            str(one["name"]): document.judged(one, metric).get("value")
            for one in (*d["arms"], *document.many(d, "baselines"))
        }
        for d in (data, other)
    )
    rows = []
    for name in dict.fromkeys((*a, *b)):
        x, y = a.get(name), b.get(name)
        gain = "" if not comparable or x is None or y is None else formatting.signed(y - x)
        rows.append(
            (
                name,
                _number(metric, x),
                _number(metric, y),
                *((gain,) if comparable else ()),
            )
        )
    head = ("strategy", left, right, *(("right - left",) if comparable else ()))
    return Grid(head, tuple(rows))


def _number(metric: str, value: float | None) -> str:
    return "" if value is None else formatting.fine(metric, value)


def _count(value: float | None) -> str:
    return "?" if value is None else formatting.count(value)


def _plainly(value: Any) -> str:
    return "none" if value is None else str(value)
