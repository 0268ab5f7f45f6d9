"""From columns to a design matrix. What is learned from rows (medians, scales, levels) is learned in the training part."""

import dataclasses

import numpy as np

from ..data.tables import Table

RARE = 10  # a level needs this many training rows to get a column of its own
LEVELS = 50  # and it must be among this many most frequent ones
MANY = 30  # below this number of rows "every value differs" says nothing


@dataclasses.dataclass(frozen=True)
class Number:
    """A numeric or yes-or-no column: float64 [rows], NaN where missing."""

    name: str
    values: np.ndarray
    scaled: bool = True


@dataclasses.dataclass(frozen=True)
class Category:
    """Codes [rows] into `levels`, -1 where missing."""

    name: str
    codes: np.ndarray
    levels: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Features:
    """The columns a model may use, and notes on those it may not."""

    columns: tuple[Number | Category, ...]
    notes: tuple[str, ...] = ()

    def encode(self, train: np.ndarray) -> "Encoder":
        return Encoder(tuple(_learn(column, train) for column in self.columns))

    def rows(self, keep: np.ndarray) -> "Features":
        """The same columns for some of the rows."""
        field = {Number: "values", Category: "codes"}
        cut = [dataclasses.replace(c, **{field[type(c)]: getattr(c, field[type(c)])[keep]}) for c in self.columns]
        return Features(tuple(cut), self.notes)


@dataclasses.dataclass(frozen=True)
class Encoder:
    """Ready to turn any rows into numbers, with what one training part taught it."""

    parts: tuple["ScaledNumber | OneHot", ...]

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        """float64 [len(rows), p]"""
        made = [part(rows) for part in self.parts]
        return np.column_stack(made) if made else np.zeros((len(rows), 0))

    @property
    def names(self) -> list[str]:
        return [name for part in self.parts for name in part.names]


@dataclasses.dataclass(frozen=True)
class ScaledNumber:
    """(x - mean) / sd with the median where x is missing, and a 0/1 column that says so if the training part has gaps."""

    column: Number
    median: float
    mean: float
    deviation: float
    gaps: bool

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        x = self.column.values[rows]
        missing = np.isnan(x)
        scaled = (np.where(missing, self.median, x) - self.mean) / self.deviation
        return np.column_stack([scaled, missing]) if self.gaps else scaled[:, None]

    @property
    def names(self) -> list[str]:
        return [self.column.name, f"{self.column.name} is missing"] if self.gaps else [self.column.name]


@dataclasses.dataclass(frozen=True)
class OneHot:
    """One 0/1 column per frequent level, one for the rare levels together, one for missing; an unseen level has none."""

    column: Category
    place: np.ndarray  # [levels + 1]: the output column of each code, the last for missing
    names: list[str]

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        width = len(self.names)
        codes = self.column.codes[rows]  # -1 takes the last entry
        return np.eye(width + 1)[self.place[codes]][:, :width]


def _learn(column: Number | Category, train: np.ndarray) -> ScaledNumber | OneHot:
    if isinstance(column, Number):
        x = column.values[train]
        missing = np.isnan(x)
        median = float(np.median(x[~missing])) if not missing.all() else 0.0
        filled = np.where(missing, median, x)
        mean, deviation = (float(filled.mean()), float(filled.std())) if column.scaled else (0.0, 1.0)
        # a column that is constant in this part is left at (almost) zero instead of being blown up by its rounding
        safe = deviation if deviation > 1e-12 * max(1.0, abs(mean)) else 1.0
        return ScaledNumber(column, median, mean, safe, bool(missing.any()))
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


def read(table: Table, label: str) -> Features:
    """Every column of the table but the label, those without information left out with a note."""
    columns, notes = [], []
    for name in table.names:
        if name == label:
            continue
        column = _column(name, table.column(name), table.kind(name))
        reason = useless(column)
        if reason:
            notes.append(f"column {name!r} is left out: {reason}")
        else:
            columns.append(column)
    if not columns:
        raise ValueError(
            f"tune: no column besides {label!r} can be learned from. {'; '.join(notes) or 'There is no other column'}."
        )
    return Features(tuple(columns), tuple(notes))


def useless(column: Number | Category) -> str:
    """Why a column cannot help, or "": constant, empty, or an identifier that differs in every row."""
    if isinstance(column, Number):
        known = column.values[~np.isnan(column.values)]
        if not len(known):
            return "every value is missing"
        distinct = np.unique(known)
        if len(distinct) == 1 and len(known) == len(column.values):
            return f"every value is {distinct[0]:g}"
        return "it numbers the rows (an identifier)" if _numbers_rows(known, distinct) else ""
    known = column.codes[column.codes >= 0]
    if not len(known):
        return "every value is missing"
    distinct = np.unique(known)
    if len(distinct) == 1 and len(known) == len(column.codes):
        return f"every value is {column.levels[distinct[0]]!r}"
    if len(known) >= MANY and len(distinct) >= 0.9 * len(known):
        return f"{len(distinct)} different texts in {len(known)} rows (an identifier)"
    return ""


def _numbers_rows(known: np.ndarray, distinct: np.ndarray) -> bool:
    """Whole numbers that never repeat and are in order or nearly without gaps: measurements are neither."""
    if len(known) < MANY or len(distinct) < len(known) or np.any(distinct != np.floor(distinct)):
        return False
    steps = np.diff(known)
    dense = distinct[-1] - distinct[0] < 2 * len(distinct)
    return bool(dense or np.all(steps > 0) or np.all(steps < 0))


def _column(name: str, values: np.ndarray, kind: str) -> Number | Category:
    if kind != "category":
        return Number(name, np.asarray(values, dtype=np.float64), scaled=kind == "number")
    known = np.array([v is not None for v in values])
    codes = np.full(len(values), -1)
    levels, codes[known] = np.unique(values[known].astype(str), return_inverse=True)
    return Category(name, codes, tuple(levels.tolist()))
