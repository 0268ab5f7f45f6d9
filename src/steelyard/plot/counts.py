"""How many of each class the data holds."""

from typing import Any

import numpy as np

from ..counts import Counts
from ..shown import clean
from .finish import finish
from .panel import Axis, Bars, Drawing, Line, Panel, Words, brief, from_zero, percent
from .ranked import MANY, order, told

WIDE = 30  # largest to smallest, above which the axis is logarithmic


def counts(counts: Counts, *, ax: Any = None) -> Any:
    """How many of each class, the commonest first.

    Across   the number, in the unit of the counts (rows, pixels, boxes, ...; of yes-or-no labels the items that have the label),
             logarithmic where the largest is more than 30 times the smallest; beside each bar the number and its share of all
    Up       the classes. More than 40 are a curve: the number up, the rank of the class across, three of them by name

    counts   Counts
    ax       axes of matplotlib to draw into; they are returned. Without, an Altair chart

    TypeError for anything else than Counts, ValueError without a class.
    """
    if not isinstance(counts, Counts):
        raise TypeError(f"plot.counts: takes Counts, got {type(counts).__name__}; sy.count(data) makes them.")
    n = counts.per_class.astype(float)
    if not len(n):
        raise ValueError("plot.counts: there is no class to draw.")
    many_labels = counts.kind == "multilabel"
    total = float(counts.items) if many_labels else float(n.sum())
    at = order(n)
    said = [f"{v:,.10g} ({percent(v / total)})" if total else f"{v:,.10g}" for v in n]
    unit = clean(counts.unit)
    what = (
        f"items that have the label, of {counts.items:,}"
        if many_labels
        else f"{unit}{' (sums of weights)' * counts.weighted}"
    )
    some, top = n[n > 0], float(n.max())
    log = bool(len(some)) and top > WIDE * (float(some.min()) if (n > 0).all() else 1.0)
    scale = "symlog" if log else "linear"
    empty = int((n == 0).sum())
    beside = [f"{len(n):,} classes, {total:,.10g} {'items' if many_labels else unit}"]
    if len(some) and len(n) > 1:
        beside.append(
            f"largest {brief(top / float(some.min()))} times the smallest" + (" that occurs" if empty else "")
        )
    if empty:
        beside.append(f"{empty:,} {'counts' if empty == 1 else 'count'} 0")
    names = [clean(counts.classes[i]) for i in at]
    ticks = from_zero(top) if log else ()
    title = clean(counts.source) or "Counts"
    if len(n) <= MANY:
        axis = Axis(what, scale, ends=(0.0, _room(top, log)), ticks=ticks)
        tips = [f"{name}: {said[i]}" for name, i in zip(names, at, strict=True)]
        places = list(range(len(n)))
        bars = Bars("", "best", n[at].tolist(), places, tips)
        words = Words(n[at].tolist(), places, [said[i] for i in at])
        panel = Panel(axis, Axis(names=tuple(names)), (bars, words), title, "; ".join(beside))
    else:
        ranks = np.arange(1, len(n) + 1)
        tips = [f"{r}. {name}: {said[i]}" for r, name, i in zip(ranks, names, at, strict=True)]
        curve = Line("", "best", ranks.tolist(), n[at].tolist(), tips, step=False)
        ends = (0.0, _room(top, log, 0.0))
        across = Axis("rank of the class, commonest first", ends=(0.0, float(len(n)) * 1.02))
        words = told(counts.classes, n, at, said)
        panel = Panel(
            across, Axis(what, scale, ends=ends, ticks=ticks), (curve, *words), title, "; ".join(beside), width=560
        )
    return finish(Drawing((panel,)), ax)


def _room(top: float, log: bool, words: float = 0.45) -> float:
    """The end of an axis with room for words behind the longest bar."""
    top = top or 1.0
    return float((1 + top) ** (1 + words + 0.04) - 1) if log else top * (1 + words + 0.04)
