"""Numbers of many classes: from the largest to the smallest along their rank, where one bar each could not be read."""

from collections.abc import Sequence

import numpy as np

from ..shown import clean, fit
from ..theme import TITLE
from .panel import Words

MANY = 40  # classes, above which they are ranked


def order(numbers: np.ndarray) -> np.ndarray:
    """Places of the numbers, the largest first; equal ones as they stand."""
    return np.argsort(-numbers, kind="stable")


def told(classes: Sequence[str], numbers: np.ndarray, at: np.ndarray, said: Sequence[str]) -> list[Words]:
    """The first, the middle and the last of a ranking `at`, by name: text at (rank, number), the last one to its left."""
    n, names = len(at), [fit(clean(str(name)), TITLE) for name in classes]
    last = n - 1
    return [
        Words(
            [rank + 1],
            [float(numbers[at[rank]])],
            [f"{names[at[rank]]}: {said[at[rank]]}"],
            left=rank == last,
            above=rank < last,
            below=rank == last,
        )
        for rank in sorted({0, n // 2, last})
    ]
