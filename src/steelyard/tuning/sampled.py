"""Rows of more than two classes, few enough for a page, along which a reader can move the cut of each class.

What is kept of a row is how far each class is behind the one that leads, after the steps of its fold: at rest the rows give the
table of the decisions again, and a step moves the cuts of all folds alike. Rows are drawn by truth and decision, so that rare
mistakes are kept whole, and through its second class and the lead over that; what one row stands for brings each cell back to its rows.
"""

import base64
from typing import Any

import numpy as np

from .pictures import Pictures

CLASSES = 12  # of a table that a page shows
CELLS = 40_000  # numbers for each arm: 107 kB of text
FEW = 12  # rows of every cell: of 144 cells not half of the room
UNIT = 0.001  # of a log-probability; the largest distance that is kept is 65.5


def sampled(pictures: Pictures, classes: int) -> dict[str, Any]:
    """{arm: {"rows": kept, "of": decisions there are, "unit": UNIT, and base64 of little-endian "truth" uint8 [rows], "times"
    float32 [rows], means over repetitions, and "behind" uint16 [rows, C] in units}}; {} for two classes and for too many."""
    if not 2 < classes <= CLASSES:
        return {}
    return {
        name: _of(arm.shifted, arm.decided, pictures.y, pictures.times, classes)
        for name, arm in pictures.arms.items()
        if arm.shifted is not None
    }


def _of(shifted: np.ndarray, decided: np.ndarray, y: np.ndarray, times: np.ndarray, classes: int) -> dict[str, Any]:
    repetitions, rows = decided.shape
    cell = (np.broadcast_to(y, decided.shape) * classes + decided).reshape(-1).astype(np.int64)
    mass = np.broadcast_to(times / repetitions, decided.shape).reshape(-1)
    at = np.arange(len(cell))
    ranked = np.argpartition(shifted.reshape(-1, classes), classes - 2, axis=1)[:, -2:]
    second, first = (shifted.reshape(-1, classes)[at, one] for one in ranked.T)
    kept = drawn(cell, mass, ranked[:, 0] + np.exp(second - first) / 2, CELLS // classes)
    size = classes * classes
    whole, there = (np.bincount(cell[at], weights=mass[at], minlength=size) for at in (slice(None), kept))
    each = mass[kept] * (whole / np.where(there > 0, there, 1))[cell[kept]]
    z = shifted.reshape(-1, classes)[kept].astype(np.float64)
    behind = np.clip(np.round((z.max(axis=1, keepdims=True) - z) / UNIT), 1, 2**16 - 1)
    behind[np.arange(len(z)), z.argmax(axis=1)] = 0  # alone, so that rounding leads to no other decision
    return {
        "rows": len(kept),
        "of": repetitions * rows,
        "unit": UNIT,
        "truth": _text(y[kept % rows], "u1"),
        "times": _text(each, "<f4"),
        "behind": _text(behind, "<u2"),
    }


def drawn(cell: np.ndarray, mass: np.ndarray, order_by: np.ndarray, most: int) -> np.ndarray:
    """Numbers of at most `most` rows that count for something, ascending: of each cell as many as goes with the root of its rows, but
    at least FEW or all it has, evenly through its rows in this order. All [rows]."""
    counted = np.flatnonzero(mass > 0)
    if len(counted) <= most:
        return counted
    order = counted[np.lexsort((order_by[counted], cell[counted]))]
    there = np.unique(cell[order], return_counts=True)[1]
    ends = np.cumsum(there)
    parts = [
        end - n + ((np.arange(take) + 0.5) * n / take).astype(np.int64)
        for n, end, take in zip(there, ends, _sizes(there, most), strict=True)
    ]
    return np.sort(order[np.concatenate(parts)])


def _sizes(there: np.ndarray, most: int) -> np.ndarray:
    """How many rows of each cell, `most` together at most."""
    low, high = 0.0, float(there.max())
    for _ in range(60):
        middle = (low + high) / 2
        fits = _of_root(there, middle).sum() <= most
        low, high = (middle, high) if fits else (low, middle)
    return _of_root(there, low)


def _of_root(there: np.ndarray, times: float) -> np.ndarray:
    return np.minimum(there, FEW + np.floor(times * np.sqrt(there))).astype(np.int64)


def _text(values: np.ndarray, kind: str) -> str:
    return base64.b64encode(np.ascontiguousarray(values, dtype=kind).tobytes()).decode()
