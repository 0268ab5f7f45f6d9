"""Forward in time: a first stretch to learn from, then test blocks; whole groups on one side of every fit, if there are groups.

With groups a fold never learns from rows of the groups that it holds out, however early they are. Where few earlier rows are lost
by that (patients who come and go) a fold is a whole block. Where groups last (machines that are all there all the time) each block is
parted by groups into several folds, each judged by a model of the past of the others.
"""

from collections.abc import Sequence

import numpy as np

from ..events import untorn
from ..split import PER_FOLD, TIME, Split, by_group
from . import blocks
from .blocks import LEARNED
from .deal import TRIES, deal


def in_time(
    y: np.ndarray,
    time: np.ndarray,
    folds: int,
    gap: int,
    groups: np.ndarray | None = None,
    seed: int = 0,
    classes: Sequence[str] = (),
) -> Split:
    """Forward chaining: a first stretch, then test blocks of nearly equal size; equal times stay together, and so does an event
    (see events.py) if there are enough of them.

    groups  [rows] codes 0..G-1; `seed` deals them where blocks are parted by them
    """
    _check(y, time, gap)
    sequence = np.argsort(time, kind="stable")
    ordered = time[sequence]
    cuts = np.flatnonzero(ordered[1:] != ordered[:-1]) + 1  # a boundary at p: rows of rank < p come before it
    order = np.empty(len(y), dtype=np.int64)
    order[sequence] = np.arange(len(y))
    # a model that has learned from the first half of an event knows the second; with groups those of others tell it less
    whole = cuts if groups is not None else np.intersect1d(cuts, untorn(y, order)[0])
    boundaries, found, most = None, None, folds
    while most >= 2 and found is None:
        boundaries = blocks.boundaries(y[sequence], whole, most, int(gap))
        if boundaries is None and groups is None:
            boundaries = blocks.boundaries(y[sequence], cuts, most, int(gap))
        if boundaries is None:
            break
        held = np.searchsorted(boundaries, order, side="right") - 1
        notes = _moved(boundaries, len(y), folds)
        found = Split(TIME, held[None], order=order, gap=int(gap), notes=notes)
        if groups is not None:
            found = _apart(y, found, groups, folds, seed)
        most = len(boundaries) - 1
    if found is not None:
        return found
    where = f" and a gap of {gap} rows" if gap else ""
    if groups is not None and boundaries is not None:
        few = int((by_group(y, groups) > 0).sum(axis=0).argmin())
        name = repr(classes[few]) if classes else few
        raise ValueError(
            f"tune: rows in order of time{where} whose groups are held out whole cannot be cut so that each model learns from"
            f" earlier rows of every class, of other groups ({len(y)} rows, {int(groups.max()) + 1} groups; class {name} comes from fewest)."
            " Bring more groups of it or a longer history, or leave --group or --time out."
        )
    raise ValueError(
        f"tune: rows in order of time{where} cannot be cut into a stretch to learn from, a block to tune on and a block to"
        f" judge by, so that each has rows of every class ({len(y)} rows, {len(cuts) + 1} different times). The labels come"
        " in stretches of one class, or the times are too few; bring a longer history or leave --time out."
    )


def _apart(y: np.ndarray, whole: Split, groups: np.ndarray, folds: int, seed: int) -> Split | None:
    """The same blocks with groups held out whole; None if some part would lack a class."""
    table = by_group(y, groups)
    parts = max(2, min(folds, int((table > 0).sum(axis=0).min()) // PER_FOLD))
    one = Split(TIME, whole.held, groups, whole.order, whole.gap, notes=whole.notes)
    kept = min(len(one.train(0, f)) / len(whole.train(0, f)) for f in range(whole.folds))
    if kept >= 1 - 1 / parts and _complete(y, one):
        return one
    rng = np.random.default_rng([seed, 3])
    block = whole.held[0]
    for k in range(parts, 1, -1):
        for _ in range(TRIES // 10):
            fold, _ = deal(table, k, rng)
            cell = np.where(block < 0, -1, block * k + fold[groups])
            there, number = np.unique(cell[block >= 0], return_inverse=True)  # a block may lack the groups of a part
            held = np.full(len(y), -1, dtype=np.int64)
            held[block >= 0] = number
            found = Split(
                TIME,
                held[None],
                groups,
                whole.order,
                whole.gap,
                tuple((there // k).tolist()),
                (*whole.notes, _parted(k)),
            )
            if _complete(y, found):
                return found
    return one if _complete(y, one) else None


def _complete(y: np.ndarray, split: Split) -> bool:
    """Every training part has 2 rows of each class, and rows that choose for a judged fold have one."""
    C = int(y.max()) + 1
    for f in range(split.folds):
        if np.bincount(y[split.train(0, f)], minlength=C).min() < LEARNED:
            return False
        if split.judged[split.out(0, f)[0]] and np.bincount(y[split.tunes(0, f)], minlength=C).min() < 1:
            return False
    return True


def _parted(k: int) -> str:
    return f"every test block is parted by groups into {k}, each judged by a model of earlier rows of other groups"


def _check(y: np.ndarray, time: np.ndarray, gap: int) -> None:
    if time.shape != y.shape:
        raise ValueError(
            f"tune: the times have shape {list(time.shape)}, the table has {len(y)} rows; give one per row."
        )
    if time.dtype.kind not in "biufMm":
        raise ValueError(f"tune: times are numbers or dates, got {time.dtype}; give dates as YYYY-MM-DD.")
    missing = np.isnat(time) if time.dtype.kind in "Mm" else np.isnan(time)
    if missing.any():
        raise ValueError(
            f"tune: the time is missing in {int(missing.sum())} of {len(y)} rows, so nobody knows what came before them. Fill"
            " it in, or leave those rows out."
        )
    if isinstance(gap, bool) or not isinstance(gap, (int, np.integer)) or gap < 0:
        raise ValueError(f"tune: gap must be a whole number of rows, at least 0, got {gap!r}.")


def _moved(boundaries: np.ndarray, rows: int, asked: int) -> tuple[str, ...]:
    k = len(boundaries)
    notes = []
    if k < asked:
        notes.append(
            f"test blocks lowered from {asked} to {k}: with more, some part in time would lack a class or tear an event apart"
        )
    sizes = np.diff(np.append(boundaries, rows))
    if np.abs(boundaries - rows * np.arange(1, k + 1) / (k + 1)).max() > 0.1 * rows / (k + 1):
        notes.append(
            f"blocks in time differ in size ({int(sizes.min())} to {int(sizes.max())} rows), so that equal times and events stay"
            " together and every block has every class"
        )
    return tuple(notes)
