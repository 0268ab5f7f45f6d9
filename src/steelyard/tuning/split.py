"""Repeated stratified folds that every arm shares, and what to do with classes too small for them."""

import numpy as np

PER_FOLD = 4  # rows of the rarest class that each fold should hold


def folds(y: np.ndarray, *, folds: int = 5, repeats: int = 5, seed: int = 0) -> np.ndarray:
    """[repeats, rows]: the fold in which each row is held out, by repetition.

    folds is lowered to (rows of the rarest class) // 4, at least 2. ValueError if a class has fewer than 2 rows.
    """
    from sklearn.model_selection import StratifiedKFold

    k = count_folds(y, folds)
    out = np.empty((repeats, len(y)), dtype=np.int64)
    for a in range(repeats):
        state = np.random.default_rng([seed, 1, a]).integers(2**31)
        splitter = StratifiedKFold(k, shuffle=True, random_state=int(state))
        for f, (_, held_out) in enumerate(splitter.split(np.zeros((len(y), 1)), y)):
            out[a, held_out] = f
    return out


def count_folds(y: np.ndarray, folds: int) -> int:
    rare = int(np.bincount(y).min())
    if rare < 2:
        raise ValueError(f"tune: a class has {rare} row; to be held out once and learned from once it needs 2.")
    return max(2, min(folds, rare // PER_FOLD))
