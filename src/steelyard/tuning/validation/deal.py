"""Whole groups dealt into folds at random, so that every fold holds about as many that contain the rare classes."""

import numpy as np

TRIES = 100  # random deals of groups before a class counts as impossible to spread


def deal(table: np.ndarray, k: int, rng: np.random.Generator) -> tuple[np.ndarray, int]:
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
