"""What probabilities promise, and what came true."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..shown import clean, fit
from ..theme import LEGEND, SERIES
from .finish import finish
from .panel import Axis, Drawing, Line, Panel, Spans, percent

Z = 1.959963984540054  # of a 95 % interval


def reliability(p: Any, y: Any, *, weight: Any = None, ax: Any = None) -> Any:
    """Groups of rows: the probability that they were given, and the share that came true.

    Across   the mean probability given to the rows of a group: of the positive class, or of more classes the largest one given
    Up       the share of these rows that is positive, or whose largest class is right, with Wilson's 95 % interval, which takes the rows
             to be independent. On the dotted line, of the rows given 30 % just 30 % come true

    Ten groups that should hold equally many positives each (or right answers), as in the report: groups of equal size would put nine of
    ten where nothing happens when positives are rare.

    p       [N] probabilities of the positive class, or [N, C] of each class; or {name: such an array}, up to five of them
    y       [N] 0 or 1, or the places of the classes: whole numbers from 0
    weight  [N] how much each row counts, or None; the intervals then count Kish's effective rows
    ax      axes of matplotlib to draw into; they are returned. Without, an Altair chart

    ValueError for shapes that do not fit, and for what is no probability.
    """
    from ..calibrate.groups import cut, told

    given = dict(p) if isinstance(p, Mapping) else {"": p}
    if not given or len(given) > len(SERIES) - 1:
        raise ValueError(f"plot.reliability: up to {len(SERIES) - 1} models can be told apart, got {len(given)}.")
    labels = np.asarray(y.detach().cpu() if hasattr(y, "detach") else y)
    marks: list[Any] = []
    top, many, wide = 0.0, 0, set()
    for (name, values), style in zip(given.items(), SERIES, strict=False):
        promised, hit = _promised(name, values, labels)
        wide.add(promised.ndim if np.ndim(_array(values)) == 1 else 2)
        times = np.ones(len(hit)) if weight is None else _weights(weight, len(hit))
        kept = times > 0
        promised, hit, times = promised[kept], hit[kept], times[kept]
        parts = cut(promised, times)
        groups = told(promised, hit, parts, times)
        effective = [float(times[part].sum() ** 2 / (times[part] ** 2).sum()) for part in parts]
        x, up = [g["predicted"] for g in groups], [g["observed"] for g in groups]
        ends = [wilson(o, n) for o, n in zip(up, effective, strict=True)]
        shown = fit(clean(str(name)), LEGEND)
        said = [
            f"{shown + ': ' if shown else ''}{g['rows']:,.0f} rows given {percent(g['predicted'])}, {percent(g['observed'])} came true"
            for g in groups
        ]
        marks.append(Spans(style, x, x, [low for low, _ in ends], [high for _, high in ends], 1.5))
        marks.append(Line(shown, style, x, up, said, dots=True))
        top, many = max(top, *x, *up), max(many, len(hit))
    end = _end(top)
    marks.insert(0, Line("honest", "guide", [0.0, end], [0.0, end], thin=True))
    marks = [_clipped(mark, end) for mark in marks]
    several = 2 in wide
    across = Axis(
        "largest probability given" if several else "probability given to the positive class",
        ends=(0.0, end),
        percent=True,
    )
    upward = Axis("share that is right" if several else "share that is positive", ends=(0.0, end), percent=True)
    return finish(
        Drawing((Panel(across, upward, tuple(marks), "Reliability", f"{many:,} rows", width=320, height=320),)), ax
    )


def wilson(share: float, n: float) -> tuple[float, float]:
    """The 95 % interval of a share of n rows. Source: Wilson 1927, "Probable inference"."""
    middle = (share + Z**2 / (2 * n)) / (1 + Z**2 / n)
    half = Z / (1 + Z**2 / n) * math.sqrt(share * (1 - share) / n + Z**2 / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)


def _array(values: Any) -> np.ndarray:
    return np.asarray(values.detach().cpu() if hasattr(values, "detach") else values, dtype=np.float64)


def _promised(name: str, values: Any, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """[N] the probability of what was said, and whether it came true."""
    p = _array(values)
    of = f" of {name!r}" if name else ""
    if p.ndim not in (1, 2) or labels.shape != p.shape[:1] or not len(p):
        raise ValueError(
            f"plot.reliability: p{of} must be [N] or [N, C] and y [N], got {list(p.shape)} and {list(labels.shape)}."
        )
    if not (np.isfinite(p).all() and p.min() >= 0 and p.max() <= 1 + 1e-6):
        raise ValueError(
            f"plot.reliability: p{of} holds probabilities, in [0, 1]. Logits? Pass sy.posterior(logits, loss)."
        )
    classes = 2 if p.ndim == 1 else p.shape[1]
    if not np.isin(labels, np.arange(classes)).all():
        raise ValueError(
            f"plot.reliability: y must be whole numbers from 0 to {classes - 1}, got {np.unique(labels)[:5].tolist()}."
        )
    return (
        (p, (labels == 1).astype(float)) if p.ndim == 1 else (p.max(axis=1), (p.argmax(axis=1) == labels).astype(float))
    )


def _weights(weight: Any, rows: int) -> np.ndarray:
    w = _array(weight)
    if w.shape != (rows,) or not (np.isfinite(w).all() and (w >= 0).all() and w.sum() > 0):
        raise ValueError(f"plot.reliability: weight must be {rows} numbers from 0, and not all 0.")
    return w


def _end(top: float) -> float:
    """Of both axes: a round number a little beyond the largest value."""
    if top <= 0 or top >= 0.75:
        return 1.0
    power = 10.0 ** math.floor(math.log10(top * 1.1))
    return min(1.0, next(m * power for m in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if m * power >= top * 1.1))


def _clipped(mark: Any, end: float) -> Any:
    if not isinstance(mark, Spans):
        return mark
    return Spans(mark.style, mark.x, mark.x2, [min(v, end) for v in mark.y], [min(v, end) for v in mark.y2], mark.wide)
