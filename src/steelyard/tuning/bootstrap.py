"""Draws of rows with replacement within each class: the same draw for every arm and every repetition."""

from collections.abc import Iterator

import numpy as np

CHUNK = 2**23  # numbers in one [rows, draws] array


def draws(y: np.ndarray, count: int, seed: int) -> Iterator[np.ndarray]:
    """Multiplicities float32 [rows, some draws], `count` columns in all; how they are cut does not change them.

    Every class keeps its number of rows, so no draw lacks a class.
    """
    rng = np.random.default_rng([seed, 2])
    members = [np.flatnonzero(y == c) for c in range(int(y.max()) + 1)]
    size = max(1, CHUNK // len(y))
    for start in range(0, count, size):
        part = np.zeros((min(size, count - start), len(y)), np.float32)
        for row in part:
            for rows in members:
                row[rows] = np.bincount(rng.integers(0, len(rows), len(rows)), minlength=len(rows))
        yield np.ascontiguousarray(part.T)
