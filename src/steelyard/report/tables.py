"""The tables of strategies: candidates with intervals, baselines, and the metrics that do not decide."""

from collections.abc import Sequence
from dataclasses import dataclass

from . import document, formatting
from .document import Data
from .forest import Axis, Mark, forest


@dataclass(frozen=True)
class Row:
    """One strategy in the table. `role` is "plain", "winner", "same" (equal to plain by construction), "baseline" or ""."""

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


def candidates(data: Data) -> tuple[tuple[Row, ...], Axis]:
    """Plain first, then from the largest gain to the smallest, then those that equal plain."""
    metric, won = data["metric"], document.winner(data)
    tested, same = [], []
    for arm in data["arms"]:
        if arm["name"] == document.PLAIN:
            continue
        found = document.judged(arm, metric)
        whole = all(found.get(k) is not None for k in ("difference", "low", "high"))
        (tested if whole and not document.equals_plain(arm) else same).append(arm)
    tested.sort(key=lambda arm: -document.judged(arm, metric)["difference"])
    intervals = [(f["low"], f["difference"], f["high"]) for arm in tested for f in [document.judged(arm, metric)]]
    axis, marks = forest(intervals, data.get("margin"))
    plain = document.arm(data, document.PLAIN)
    rows = [_row(plain, metric, "plain", None)] if plain else []
    rows += [_row(a, metric, "winner" if a["name"] == won else "", m) for a, m in zip(tested, marks, strict=True)]
    rows += [_row(a, metric, "same" if document.equals_plain(a) else "", None) for a in same]
    return tuple(rows), axis


def baselines(data: Data) -> tuple[Row, ...]:
    """What the candidates should be seen beside. They never win, and each interval stands for itself alone."""
    return tuple(_row(one, data["metric"], "baseline", None) for one in document.many(data, "baselines"))


def others(data: Data, order: Sequence[Row]) -> Grid | None:
    """The metrics that do not decide: values only, in the order of these rows."""
    shown = {one["name"]: one for one in (*document.many(data, "baselines"), *data["arms"])}
    names = [
        n for n in formatting.METRICS if n != data["metric"] and any(document.judged(a, n) for a in shown.values())
    ]
    if not names:
        return None
    rows = [(row.name, *(_value(shown[row.name], n) for n in names)) for row in order]
    return Grid(("strategy", *(formatting.metric(n) for n in names)), tuple(rows))


def _value(one: Data, metric: str) -> str:
    value = document.judged(one, metric).get("value")
    return "" if value is None else formatting.fine(metric, value)


def _row(one: Data, metric: str, role: str, mark: Mark | None) -> Row:
    found = document.judged(one, metric)
    told = mark is not None or role == "baseline"
    notes = {
        "plain": "what every candidate has to beat; its threshold is moved too",
        "same": document.equals_plain(one),
        "baseline": str(one.get("note") or ""),
    }
    difference = found.get("difference") if told else None
    return Row(
        name=str(one["name"]),
        role=role,
        note=notes.get(role, ""),
        value="" if found.get("value") is None else formatting.number(found["value"]),
        difference="" if difference is None else formatting.signed(difference),
        interval=formatting.interval(found.get("low"), found.get("high")) if told else "",
        mark=mark,
    )
