"""Columns as trees read them: a gap is NaN and a category its code. Nothing is learned, so one encoding serves all parts."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from .columns import Category, Column, Number
from .levels import Merged, merged

LEVELS = 254  # codes that histograms of 255 bins can hold, one left for all rarer levels together
TERMS, CELLS = 300, 2**27  # the most frequent terms of a text, and fewer where the matrix would pass a gigabyte
CHUNK = 2**15  # rows encoded at a time


@dataclasses.dataclass(frozen=True)
class Raw:
    """Ready to turn any rows into numbers.

    A category's codes are ordered by frequency over all rows, 0 the most frequent. A text becomes the counts of its most
    frequent terms: trees split on single columns, so that thousands of rare words would cost time and memory and hold
    little each; left out altogether, a table of texts would have nothing to learn from.
    """

    parts: tuple["Single | Counts", ...]
    notes: tuple[str, ...]
    merged: tuple[Merged, ...] = ()

    @classmethod
    def of(cls, columns: Sequence[Column]) -> "Raw":
        parts: list[Single | Counts] = []
        notes: list[str] = []
        for column in columns:
            if isinstance(column, Number):
                parts.append(Single(column.name, column.values, False))
            elif isinstance(column, Category):
                parts.append(Single(column.name, _by_frequency(column), True))
            else:
                most = min(TERMS, CELLS // max(1, len(column.missing)))
                kept = column.frequent(most)
                if len(kept) < len(column.terms):
                    notes.append(
                        f"column {column.name!r}: this model counts only the {len(kept)} most frequent of"
                        f" {len(column.terms)} {column.what}"
                    )
                parts.append(Counts(column.name, column.counts[:, kept], tuple(column.terms[kept])))
        merges = tuple(merged(columns, LEVELS))
        notes += [
            f"column {m.name!r}: beyond the {LEVELS} most frequent {m.share}; join levels that mean alike to keep them apart"
            for m in merges
        ]
        return cls(tuple(parts), tuple(notes), merges)

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        """float64 [len(rows), p]"""
        out = np.empty((len(rows), len(self.names)))
        for start in range(0, len(rows), CHUNK):
            part, at = rows[start : start + CHUNK], 0
            for column in self.parts:
                width = len(column.names)
                column.write(part, out[start : start + CHUNK, at : at + width])
                at += width
        return out

    @property
    def names(self) -> list[str]:
        return [name for part in self.parts for name in part.names]

    @property
    def categorical(self) -> np.ndarray:
        """bool [p]"""
        return np.array(
            [isinstance(part, Single) and part.categorical for part in self.parts for _ in part.names], dtype=bool
        )


@dataclasses.dataclass(frozen=True)
class Single:
    """One column: numbers, or codes of levels as float32; NaN where missing."""

    name: str
    values: np.ndarray
    categorical: bool

    def write(self, rows: np.ndarray, out: np.ndarray) -> None:
        out[:, 0] = self.values[rows]

    @property
    def names(self) -> list[str]:
        return [self.name]


@dataclasses.dataclass(frozen=True)
class Counts:
    """How often each of some terms occurs."""

    name: str
    counts: Any  # scipy CSR [rows, terms]
    terms: tuple[str, ...]

    def write(self, rows: np.ndarray, out: np.ndarray) -> None:
        out[:] = self.counts[rows].toarray()

    @property
    def names(self) -> list[str]:
        return [f"{self.name}: {term}" for term in self.terms]


def _by_frequency(column: Category) -> np.ndarray:
    """float32 [rows] codes by falling frequency, NaN where missing; levels beyond the most frequent share the last code."""
    times = np.bincount(column.codes + 1, minlength=len(column.levels) + 1)[1:]
    place = np.empty(len(times) + 1, dtype=np.float32)
    place[np.argsort(-times, kind="stable")] = np.minimum(np.arange(len(times)), LEVELS)
    place[-1] = np.nan
    return place[column.codes]
