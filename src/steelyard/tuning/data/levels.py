"""The levels of a category that a model does not tell apart, so that the owner can."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from ...data.labels import some
from .columns import Category, Column

MOST = 0.5  # of the rows in merged levels, above which the owner has to know before reading an answer
SHOWN = 3  # examples


@dataclasses.dataclass(frozen=True)
class Merged:
    """Levels of one category that share a column or a code.

    levels, rows        in them
    of_levels, of_rows  in all; rows without a value are not counted
    """

    name: str
    levels: int
    of_levels: int
    rows: int
    of_rows: int
    examples: str

    @property
    def share(self) -> str:
        rows = f"{self.rows:,} of {self.of_rows:,} rows"
        return f"{self.levels:,} of {self.of_levels:,} levels, in {rows}, are one: {self.examples}"


def merged(columns: Sequence[Column], most: int, rare: int = 1) -> list[Merged]:
    """Of every category the levels that are not among the `most` frequent, or in fewer than `rare` rows, where that is more
    than one level.

    Counted over all rows. A training part has fewer, so that it merges these and perhaps more.
    """
    merges = []
    for column in columns:
        if not isinstance(column, Category):
            continue
        times = np.bincount(column.codes + 1, minlength=len(column.levels) + 1)[1:]
        order = np.argsort(-times, kind="stable")
        rest = np.concatenate([order[:most][times[order[:most]] < rare], order[most:]])
        rest = rest[times[rest] > 0]
        if len(rest) > 1:
            names = some([column.levels[i] for i in rest], SHOWN)
            seen = int(np.count_nonzero(times))
            merges.append(Merged(column.name, len(rest), seen, int(times[rest].sum()), int(times.sum()), names))
    return merges


def doubts(merges: Sequence[Merged]) -> tuple[str, ...]:
    """What stands before the verdict: categories most of whose rows are in merged levels."""
    return tuple(f"most levels of {m.name} ({m.share})" for m in merges if m.rows > MOST * m.of_rows)
