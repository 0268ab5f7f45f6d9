"""The split of a study: repeated stratified folds, folds of whole groups, or blocks in order of time.

Every arm of a study shares one Split. What is too small for the folds lowers their number, and that is said.
"""

from collections.abc import Sequence

import numpy as np

from ..split import GROUPED, PER_FOLD, STRATIFIED, TIME, Split, by_group
from . import blocks
from .blocks import LEARNED

TRIES = 100  # random deals of groups before a class counts as impossible to spread


def split(
    y: np.ndarray,
    *,
    folds: int = 5,
    repeats: int = 5,
    seed: int = 0,
    groups: np.ndarray | None = None,
    time: np.ndarray | None = None,
    gap: int = 0,
    classes: Sequence[str] = (),
) -> Split:
    """The split of a study with labels y [rows] in 0..C-1; the same for the same seed.

    groups  [rows] of any values; rows of one group are held out together. Negative codes, NaN and None are gaps: an error
    time    [rows] numbers, dates or codes in order; then there is one repetition, and `seed` changes nothing
    gap     rows left out between training and test, for labels that are known late; with `time` only
    classes their names, for messages

    Stratified and grouped folds are lowered to (rare rows, or groups with a rare row) // 4, at least 2. In time there are
    `folds` test blocks after a first stretch as long as one of them. ValueError where no such split exists.
    """
    y = np.asarray(y)
    if groups is not None and time is not None:
        raise ValueError(
            "tune: rows are split by group or by time, not by both; if a group must not be on both sides of a date, give"
            " --time and let a gap (--gap) keep them apart."
        )
    if gap and time is None:
        raise ValueError(f"tune: a gap of {gap} rows needs rows in order of time; name the column with --time.")
    smallest = int(np.bincount(y).min())
    if smallest < LEARNED:
        raise ValueError(f"tune: a class has {smallest} row; to be held out once and learned from once it needs 2.")
    if groups is not None:
        return _grouped(y, _codes(np.asarray(groups), len(y)), folds, repeats, seed, classes)
    if time is not None:
        return _in_time(y, np.asarray(time), folds, gap)
    return _stratified(y, folds, repeats, seed)


def count_folds(y: np.ndarray, folds: int) -> int:
    rare = int(np.bincount(y).min())
    if rare < LEARNED:
        raise ValueError(f"tune: a class has {rare} row; to be held out once and learned from once it needs 2.")
    return max(2, min(folds, rare // PER_FOLD))


def _lowered(k: int, asked: int, rare: int, what: str) -> tuple[str, ...]:
    if k >= asked:
        return ()
    return (f"folds lowered from {asked} to {k}: there are {rare} {what}, and a fold should hold {PER_FOLD}",)


def _stratified(y: np.ndarray, folds: int, repeats: int, seed: int) -> Split:
    from sklearn.model_selection import StratifiedKFold

    k = count_folds(y, folds)
    held = np.empty((repeats, len(y)), dtype=np.int64)
    nothing = np.zeros((len(y), 1))
    for a in range(repeats):
        state = np.random.default_rng([seed, 1, a]).integers(2**31)
        splitter = StratifiedKFold(k, shuffle=True, random_state=int(state))
        for f, (_, out) in enumerate(splitter.split(nothing, y)):
            held[a, out] = f
    return Split(STRATIFIED, held, notes=_lowered(k, folds, int(np.bincount(y).min()), "rows of the rarest class"))


# Groups ------------------------------------------------------------------------------------------------------------


def _codes(groups: np.ndarray, rows: int) -> np.ndarray:
    """int64 [rows] 0..G-1, without gaps."""
    if groups.shape != (rows,):
        raise ValueError(
            f"tune: the groups have shape {list(groups.shape)}, the table has {rows} rows; give one per row."
        )
    if groups.dtype.kind == "O":
        missing = np.array([g is None or g != g for g in groups])
        groups = np.where(missing, "", groups).astype(str)
    elif groups.dtype.kind in "fMm":
        missing = np.isnan(groups) if groups.dtype.kind == "f" else np.isnat(groups)
    else:
        missing = groups < 0 if groups.dtype.kind == "i" else np.zeros(rows, dtype=bool)
    if missing.any():
        raise ValueError(
            f"tune: the group is missing in {int(missing.sum())} of {rows} rows, so nobody knows which rows they belong with."
            " Fill them in, or leave those rows out."
        )
    distinct, codes = np.unique(groups, return_inverse=True)
    if len(distinct) == rows:
        raise ValueError(
            f"tune: every row is a group of its own ({rows} rows, {rows} groups), so --group changes nothing; leave it out."
        )
    return codes.astype(np.int64)


def _grouped(y: np.ndarray, groups: np.ndarray, folds: int, repeats: int, seed: int, classes: Sequence[str]) -> Split:
    """Whole groups, dealt so that folds differ by at most one in the groups that contain the rarest class.

    Not scikit-learn's StratifiedGroupKFold: it sorts groups by size, so that where all sizes differ every repetition is
    the same partition, and the variance between splits would be nothing.
    """
    table = by_group(y, groups)
    containing = (table > 0).sum(axis=0)
    few = int(containing.min())
    if few < 2:
        c = int(containing.argmin())
        raise ValueError(
            f"tune: all {int(table[:, c].sum())} rows of class {repr(classes[c]) if classes else c} come from one group (of {len(table)}), so it cannot"
            " be learned and checked in turn. Bring groups that contain it, or leave --group out if they do not matter."
        )
    k = max(2, min(folds, few // PER_FOLD))
    held = np.empty((repeats, len(y)), dtype=np.int64)
    for a in range(repeats):
        rng = np.random.default_rng([seed, 1, a])
        for _ in range(TRIES):
            fold, learned = _deal(table, k, rng)
            if learned >= LEARNED:
                break
        else:
            raise ValueError(
                f"tune: {len(table)} groups cannot be dealt into {k} folds so that every training part has {LEARNED} rows of"
                " each class: some class comes from too few groups. Bring more groups of it, or merge it with another class."
            )
        held[a] = fold[groups]
    return Split(GROUPED, held, groups=groups, notes=_lowered(k, folds, few, "groups with the rarest class"))


def _deal(table: np.ndarray, k: int, rng: np.random.Generator) -> tuple[np.ndarray, int]:
    """(the fold [groups] of each group, rows of the rarest class in the smallest training part).

    Groups are laid in piles by the rarest class they contain, each pile by size roughly (powers of two), in random order
    where sizes are alike. Of every k that follow one another each fold gets one, the largest the fold that has least.
    """
    rarity = np.argsort((table > 0).sum(axis=0), kind="stable")
    pile = np.argmax(table[:, rarity] > 0, axis=1)  # position in `rarity`
    fold = np.empty(len(table), dtype=np.int64)
    loads = np.zeros((k, table.shape[1]))
    counts = np.zeros(k)
    for position, c in enumerate(rarity):
        rows = np.flatnonzero(pile == position)
        size = table[rows, c] + table[rows].sum(axis=1) / (table.sum() + 1)  # by rows of c, then by all rows
        order = np.lexsort((rng.random(len(rows)), -np.floor(np.log2(size))))
        for start in range(0, len(rows), k):
            some = order[start : start + k]
            some = some[np.argsort(-size[some], kind="stable")]
            # a last pile of fewer than k goes where there are fewest groups, and among those least rows
            to = np.lexsort((rng.random(k), loads[:, c], counts if len(some) < k else np.zeros(k)))[: len(some)]
            fold[rows[some]] = to
            np.add.at(loads, to, table[rows[some]])
            counts[to] += 1
    outside = loads.sum(axis=0) - loads
    return fold, int(outside.min())


# Time --------------------------------------------------------------------------------------------------------------


def _in_time(y: np.ndarray, time: np.ndarray, folds: int, gap: int) -> Split:
    """Forward chaining: a first stretch, then test blocks of nearly equal size; equal times stay together."""
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
    sequence = np.argsort(time, kind="stable")
    ordered = time[sequence]
    cuts = np.flatnonzero(ordered[1:] != ordered[:-1]) + 1  # a boundary at p: rows of rank < p come before it
    boundaries = blocks.boundaries(y[sequence], cuts, folds, int(gap))
    if boundaries is not None:
        order = np.empty(len(y), dtype=np.int64)
        order[sequence] = np.arange(len(y))
        held = np.searchsorted(boundaries, order, side="right") - 1
        return Split(TIME, held[None], order=order, gap=int(gap), notes=_moved(boundaries, len(y), folds))
    where = f" and a gap of {gap} rows" if gap else ""
    raise ValueError(
        f"tune: rows in order of time{where} cannot be cut into a stretch to learn from, a block to tune on and a block to"
        f" judge by, so that each has rows of every class ({len(y)} rows, {len(cuts) + 1} different times). The labels come"
        " in stretches of one class, or the times are too few; bring a longer history or leave --time out."
    )


def _moved(boundaries: np.ndarray, rows: int, asked: int) -> tuple[str, ...]:
    k = len(boundaries)
    notes = []
    if k < asked:
        notes.append(f"test blocks lowered from {asked} to {k}: with more, some part in time would lack a class")
    sizes = np.diff(np.append(boundaries, rows))
    if np.abs(boundaries - rows * np.arange(1, k + 1) / (k + 1)).max() > 0.1 * rows / (k + 1):
        notes.append(
            f"blocks in time differ in size ({int(sizes.min())} to {int(sizes.max())} rows), so that equal times stay together"
            " and every block has every class"
        )
    return tuple(notes)
