"""From columns to a design matrix. What is learned from rows (medians, scales, levels, words) is learned in the training part."""

import dataclasses
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import numpy as np

from ...data.spelling import Spelling
from ...data.tables import Table
from .columns import Category, Column, Number, column, looks_numeric, useless
from .levels import doubts as doubts_of
from .levels import merged
from .text import Text, TfIdf, learn
from .trees import LEVELS as MOST_CODES
from .trees import Raw

RARE = 10  # a level needs this many training rows to get a column of its own
LEVELS = 50  # and it must be among this many most frequent ones
CHUNK = 2**15  # rows encoded at a time, so that what lies between columns and matrix stays small


@dataclasses.dataclass(frozen=True)
class Features:
    """The columns a model may use, and notes on those it may not.

    dropped  {column: why it is not used}
    doubts   the same of columns that look as if they should be, such as "amount (looks like a number, such as '5 kg', '6 lb')"
    guesses  how columns were read that leave open what they mean, such as "amount: 1,219 as 1219; if it is 1.219, write a point"
    spellings  {column: how its cells were read}, and `marks` the texts that are missing beside the usual ones: for reading other tables
    """

    columns: tuple[Column, ...]
    notes: tuple[str, ...] = ()
    dropped: Mapping[str, str] = dataclasses.field(default_factory=dict)
    doubts: tuple[str, ...] = ()
    guesses: tuple[str, ...] = ()
    spellings: Mapping[str, Spelling] = dataclasses.field(default_factory=dict)
    marks: tuple[str, ...] = ()

    def encode(self, train: np.ndarray) -> "Encoder":
        """For models that need every number finite and of about the same size; `train` are row numbers."""
        dense = tuple(_learn(c, train) for c in self.columns if not isinstance(c, Text))
        return Encoder(dense, tuple(learn(c, train) for c in self.columns if isinstance(c, Text)))

    def raw(self) -> Raw:
        """For trees, which read gaps and codes of categories as they are; nothing is learned, so it serves all parts."""
        return Raw.of(self.columns)

    def limits(self, encoding: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """What a model with this encoding does not tell apart: notes, and what has to be known before its answer."""
        if encoding == "raw":
            raw = self.raw()
            return raw.notes, doubts_of(raw.merged)
        merges = merged(self.columns, LEVELS, RARE)
        notes = [
            f"column {m.name!r}: {m.share}; each is in fewer than {RARE} rows of a training part or beyond the {LEVELS} most"
            " frequent levels. Join levels that mean alike, such as the first digits of a code, or take"
            f" --model boosting, which keeps {MOST_CODES} apart"
            for m in merges
        ]
        return tuple(notes), doubts_of(merges)

    def rows(self, keep: np.ndarray) -> "Features":
        """The same columns for some of the rows."""
        return dataclasses.replace(self, columns=tuple(column.rows(keep) for column in self.columns))


@dataclasses.dataclass(frozen=True)
class Scaling:
    """What the columns of a design matrix are called, and what was subtracted from each and divided by, [p]."""

    names: tuple[str, ...]
    mean: np.ndarray
    deviation: np.ndarray


@dataclasses.dataclass(frozen=True)
class Encoder:
    """Ready to turn any rows into numbers, with what one training part taught it."""

    parts: tuple["ScaledNumber | OneHot", ...]
    texts: tuple[TfIdf, ...] = ()

    def __call__(self, rows: np.ndarray) -> Any:
        """float64 [len(rows), p]: an array, or a scipy CSR matrix where there is text, whose columns come last."""
        if not self.texts:
            return self._dense(rows)
        from scipy import sparse

        pieces = [sparse.csr_matrix(self._dense(part)) for part in _chunks(rows)]
        left = sparse.vstack(pieces, format="csr") if pieces else sparse.csr_matrix((0, self._width))
        return sparse.hstack([left, *(text(rows) for text in self.texts)], format="csr")

    def _dense(self, rows: np.ndarray) -> np.ndarray:
        out = np.zeros((len(rows), self._width))
        for start, part in zip(range(0, len(rows), CHUNK), _chunks(rows), strict=True):
            at = 0
            for learned in self.parts:
                learned.write(part, out[start : start + len(part), at : at + learned.width])
                at += learned.width
        return out

    @property
    def _width(self) -> int:
        return sum(part.width for part in self.parts)

    @property
    def names(self) -> list[str]:
        return [name for part in (*self.parts, *self.texts) for name in part.names]

    @property
    def scaling(self) -> Scaling:
        names = tuple(self.names)
        mean, deviation, at = np.zeros(len(names)), np.ones(len(names)), 0
        for part in self.parts:
            if isinstance(part, ScaledNumber):
                mean[at], deviation[at] = part.mean, part.deviation
            at += part.width
        return Scaling(names, mean, deviation)


@dataclasses.dataclass(frozen=True)
class ScaledNumber:
    """(x - mean) / sd with the median where x is missing, and a 0/1 column that says so if the training part has gaps."""

    column: Number
    median: float
    mean: float
    deviation: float
    gaps: bool

    def write(self, rows: np.ndarray, out: np.ndarray) -> None:
        """Into zeros [len(rows), width]."""
        x = self.column.values[rows]
        missing = np.isnan(x)
        x[missing] = self.median
        x -= self.mean
        np.divide(x, self.deviation, out=out[:, 0])
        if self.gaps:
            out[:, 1] = missing

    @property
    def width(self) -> int:
        return 2 if self.gaps else 1

    @property
    def names(self) -> list[str]:
        return [self.column.name, f"{self.column.name} is missing"] if self.gaps else [self.column.name]


@dataclasses.dataclass(frozen=True)
class OneHot:
    """One 0/1 column per frequent level, one for the rare levels together, one for missing; an unseen level has none."""

    column: Category
    place: np.ndarray  # [levels + 1]: the output column of each code, the last for missing; `width` for none
    names: list[str]

    def write(self, rows: np.ndarray, out: np.ndarray) -> None:
        """Into zeros [len(rows), width]."""
        place = self.place[self.column.codes[rows]]  # -1 takes the last entry
        known = np.flatnonzero(place < self.width)
        out[known, place[known]] = 1

    @property
    def width(self) -> int:
        return len(self.names)


def breadth(column: Column) -> int:
    """Columns of a design matrix that it may become."""
    if isinstance(column, Text):
        return len(column.terms)
    return min(len(column.levels), LEVELS) if isinstance(column, Category) else 1


def _learn(column: Number | Category, train: np.ndarray) -> ScaledNumber | OneHot:
    if isinstance(column, Number):
        x = column.values[train]
        missing = np.isnan(x)
        gaps = bool(missing.any())
        known = x[~missing] if gaps else x
        median = float(np.median(known)) if len(known) else 0.0
        x[missing] = median
        mean, deviation = (float(x.mean()), float(x.std())) if column.scaled and len(x) else (0.0, 1.0)
        # a column that is constant in this part is left at (almost) zero instead of being blown up by its rounding
        safe = deviation if deviation > 1e-12 * abs(mean) else 1.0
        return ScaledNumber(column, median, mean, safe, gaps)
    seen = np.bincount(column.codes[train] + 1, minlength=len(column.levels) + 1)
    counts, missing = seen[1:], int(seen[0])
    order = np.argsort(-counts, kind="stable")[:LEVELS]
    kept = np.sort(order[counts[order] >= RARE])
    place = np.full(len(column.levels) + 1, -1)
    names: list[str] = []
    for codes, name in (
        *(([i], f"{column.name} = {column.levels[i]}") for i in kept),
        (np.setdiff1d(np.flatnonzero(counts), kept), f"{column.name} = other"),
        ([-1] if missing else [], f"{column.name} is missing"),
    ):
        if len(codes):
            place[codes] = len(names)
            names.append(name)
    place[place < 0] = len(names)
    return OneHot(column, place, names)


def _chunks(rows: np.ndarray) -> Iterator[np.ndarray]:
    return (rows[start : start + CHUNK] for start in range(0, len(rows), CHUNK))


def read(
    table: Table, label: str, *, without: Mapping[str, str] | None = None, categorical: Collection[str] = ()
) -> Features:
    """Every column of the table but the label, those without information left out with a note.

    without      {column: why it is left out}, such as the column that says the groups
    categorical  columns that are categories although they hold numbers, such as zip codes
    """
    columns: list[Column] = []
    notes: list[str] = []
    dropped: dict[str, str] = {}
    doubts: list[str] = []
    guesses: list[str] = []
    for name in table.names:
        if name == label:
            continue
        reason, said = (without or {}).get(name, ""), []
        known = bool(reason)
        if not reason:
            found, said = column(name, table, categorical=name in categorical)
            reason = useless(found)
            wide = name not in categorical and isinstance(found, Category) and (reason or len(found.levels) > LEVELS)
            if wide and (look := looks_numeric(table, name)):
                doubts.append(f"{name} ({look})" if reason else f"most levels of {name} ({look})")
            if isinstance(found, Text) and found.doubt:
                doubts.append(f"most of {name} ({found.doubt})")
            if not reason:
                columns.append(found)
                if name not in categorical and (guess := table.columns[name].guess):
                    guesses.append(f"{name}: {guess}")
        if reason:
            notes.append(f"column {name!r} is left out: {reason}")
        if reason and not known:
            dropped[name] = reason
        notes.extend([] if reason else said)
    if not columns:
        raise ValueError(
            f"tune: no column besides {label!r} can be learned from. {'; '.join(notes) or 'There is no other column'}."
        )
    spellings = {c.name: Spelling() if c.name in categorical else table.columns[c.name].spelling for c in columns}
    return Features(tuple(columns), tuple(notes), dropped, tuple(doubts), tuple(guesses), spellings)
