"""The split of a study: repeated stratified folds, folds of whole groups, or blocks in order of time.

Every arm of a study shares one Split. What is too small for the folds lowers their number, and that is said.
"""

from collections.abc import Sequence

import numpy as np

from ..split import GROUPED, PER_FOLD, STRATIFIED, Split, by_group
from .blocks import LEARNED
from .deal import TRIES, deal
from .forward import in_time


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
    time    [rows] numbers, dates or codes in order; then there is one repetition, and `seed` only deals groups
    gap     rows left out between training and test, for labels that are known late; with `time` only
    classes their names, for messages

    Stratified and grouped folds are lowered to (rare rows, or groups with a rare row) // 4, at least 2. In time there are
    `folds` test blocks after a first stretch as long as one of them; with groups too, see forward.py. ValueError where no such
    split exists.
    """
    y = np.asarray(y)
    if gap and time is None:
        raise ValueError(f"tune: a gap of {gap} rows needs rows in order of time; name the column with --time.")
    smallest = int(np.bincount(y).min())
    if smallest < LEARNED:
        raise ValueError(f"tune: a class has {smallest} row; to be held out once and learned from once it needs 2.")
    codes = None if groups is None else _codes(np.asarray(groups), len(y))
    if time is not None:
        return in_time(y, np.asarray(time), folds, gap, codes, seed, classes)
    if codes is not None:
        return _grouped(y, codes, folds, repeats, seed, classes)
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
    """Those of scikit-learn's StratifiedKFold(shuffle=True), without loading it."""
    k = count_folds(y, folds)
    held = np.empty((repeats, len(y)), dtype=np.int64)
    _, first, place = np.unique(y, return_index=True, return_inverse=True)
    y = np.argsort(np.argsort(first))[place]  # classes in the order in which they appear
    members = [np.flatnonzero(y == c) for c in range(len(first))]
    ordered = np.sort(y)
    sizes = np.stack([np.bincount(ordered[f::k], minlength=len(first)) for f in range(k)])
    for a in range(repeats):
        state = int(np.random.default_rng([seed, 1, a]).integers(2**31))
        shuffle = np.random.RandomState(state).shuffle  # the folds that scikit-learn deals from this state
        for c, rows in enumerate(members):
            fold = np.repeat(np.arange(k), sizes[:, c])
            shuffle(fold)
            held[a, rows] = fold
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
            fold, learned = deal(table, k, rng)
            if learned >= LEARNED:
                break
        else:
            raise ValueError(
                f"tune: {len(table)} groups cannot be dealt into {k} folds so that every training part has {LEARNED} rows of"
                " each class: some class comes from too few groups. Bring more groups of it, or merge it with another class."
            )
        held[a] = fold[groups]
    return Split(GROUPED, held, groups=groups, notes=_lowered(k, folds, few, "groups with the rarest class"))
