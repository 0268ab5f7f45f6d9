"""Decisions against the truth, at the threshold the verdict names."""

from collections.abc import Sequence
from dataclasses import dataclass

from . import document, formatting
from .document import Data
from .operating import whole

CLASSES = 12  # a larger table cannot be read
PAIRS = 10


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
    depth   each cell as a share of its row, in percent
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


def confusion(data: Data, ratio: float = 1.0) -> Confusion | None:
    """The table of the chosen arm, or None where the study kept none. `ratio`: a missed positive in false alarms."""
    found = document.decisions(data)
    if found is None:
        return None
    at, kept = found
    names, two = document.classes(data), document.binary(data)
    counts = [whole(row) for row in kept]
    if two:  # what one looks for stands first
        names, counts = names[::-1], [row[::-1] for row in counts[::-1]]
    total = sum(map(sum, counts))
    if not total or len(names) > CLASSES:
        return None
    return Confusion(
        caption=_caption(data, at),
        classes=names,
        counts=tuple(tuple(formatting.count(n) for n in row) for row in counts),
        per_1000=tuple(tuple(f"{1000 * n / total:.1f}" for n in row) for row in counts),
        depth=tuple(tuple(round(100 * n / max(1, sum(row))) for n in row) for row in counts),
        names=(("found", "missed"), ("false alarm", "left alone")) if two else (),
        shares=tuple(_shares(names[0], counts)) if two else (),
        figures=tuple(_figures(counts, ratio)) if two else (),
    )


def mistaken(data: Data) -> tuple[str, ...]:
    """The commonest mistakes among more than two classes, most rows first."""
    found = document.decisions(data)
    if found is None or document.binary(data):
        return ()
    names, kept = document.classes(data), found[1]
    pairs = [(n, i, j) for i, row in enumerate(kept) for j, n in enumerate(row) if i != j and n >= 0.5]
    pairs.sort(key=lambda pair: -pair[0])
    return tuple(
        f"{formatting.plural(n, 'row')} of {formatting.quote(names[i])} called {formatting.quote(names[j])},"
        f" {formatting.percent(n / sum(kept[i]))} of that class"
        for n, i, j in pairs[:PAIRS]
    )


def _caption(data: Data, at: float | None) -> str:
    wanted = data["verdict"].get("threshold")
    rule = "by the probabilities after the prior shift of the verdict"
    if at is not None:
        near = formatting.threshold(at) != formatting.threshold(wanted)
        rule = f"at threshold {formatting.threshold(at)}"
        rule += (
            f", the nearest to {formatting.threshold(wanted)} that was kept"
            if near
            else ", which was chosen on these rows"
        )
    splits = data.get("splits") or {}
    repeats = (data.get("stopped") or {}).get("repeats_done") or splits.get("repeats") or 1
    mean = f", mean of {repeats} repetitions" if repeats > 1 and splits.get("kind") != "time" else ""
    return f"Decisions of {document.winner(data) or document.PLAIN} on held-out rows, {rule}{mean}"


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
