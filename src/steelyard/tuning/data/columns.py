"""The columns that a model may learn from: what kind each is, and which hold no information."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from ...data.dates import resembling
from ...data.kinds import CATEGORY, NUMBER
from ...data.numbers import numeric
from ...data.tables import Table
from ...data.tally import arrow
from .prose import is_prose
from .text import Text, count

MANY = 30  # below this number of rows "every value differs" says nothing
EXACT = 2.0**53 - 1  # whole numbers beyond it are not all in float64
HUGE = 1e150  # numbers beyond it have no square


@dataclasses.dataclass(frozen=True)
class Number:
    """A numeric or yes-or-no column: float64 [rows], NaN where missing; `dated` if they are seconds since 1970."""

    name: str
    values: np.ndarray
    scaled: bool = True
    dated: bool = False

    def rows(self, keep: np.ndarray) -> "Number":
        return dataclasses.replace(self, values=self.values[keep])


@dataclasses.dataclass(frozen=True)
class Category:
    """Codes [rows] into `levels`, -1 where missing."""

    name: str
    codes: np.ndarray
    levels: tuple[str, ...]

    def rows(self, keep: np.ndarray) -> "Category":
        return dataclasses.replace(self, codes=self.codes[keep])


Column = Number | Category | Text


def column(name: str, table: Table, *, categorical: bool = False) -> tuple[Column, list[str]]:
    """A column, and what a reader should know about how it was read. `categorical`: whatever it holds, such as zip codes."""
    if categorical:
        codes, names = table.levels(name)
        return _category(name, codes, names), []
    kind = table.kind(name)
    if kind != CATEGORY:
        values = np.asarray(table.column(name), dtype=np.float64)
        huge = np.abs(values) > HUGE
        if not huge.any():
            if said := _rounded(name, table, values):
                return _category(name, *table.levels(name)), said
            return Number(name, values, scaled=kind == NUMBER, dated=table.columns[name].dated), []
        note = f"column {name!r}: {int(huge.sum())} numbers beyond {HUGE:g} are read as missing"
        return Number(name, np.where(huge, np.nan, values), scaled=kind == NUMBER), [note]
    texts = table.arrow(name)
    if is_prose(texts):
        text = count(name, texts)
        return text, ["; ".join([f"column {name!r} holds text; it is read as {text.what} (TF-IDF)", *text.unread])]
    encoded = texts.dictionary_encode().combine_chunks()
    return _category(name, encoded.indices.fill_null(-1).to_numpy(), encoded.dictionary.to_pylist()), []


def _rounded(name: str, table: Table, values: np.ndarray) -> list[str]:
    """A note where whole numbers that differ in the table are one number in float64, or none."""
    long = np.abs(values) > EXACT
    if not long.any():
        return []
    written, kept = (len(np.unique(v[long])) for v in (table.levels(name)[0], values))
    if written <= kept:
        return []
    return [
        f"column {name!r}: {written} whole numbers beyond 2^53 would be {kept} after rounding, so it is read as categories;"
        " as numbers, bring it with fewer digits"
    ]


def _category(name: str, codes: np.ndarray, names: Sequence[str]) -> Category:
    """With the levels in the order of their names."""
    levels = np.array(names, dtype=object).astype(str)
    order = np.argsort(levels, kind="stable")
    place = np.full(len(levels) + 1, -1, dtype=np.int32)
    place[order] = np.arange(len(levels))
    return Category(name, place[codes], tuple(levels[order].tolist()))  # -1 takes the last entry


def useless(column: Column) -> str:
    """Why a column cannot help, or "": constant, empty, an identifier that differs in every row, nothing twice."""
    if isinstance(column, Text):
        return "" if len(column.terms) else "it is text in which no word, sign or part of a word occurs in two rows"
    if isinstance(column, Number):
        known = column.values[~np.isnan(column.values)]
        if not len(known):
            return "every value is missing"
        if known.min() == known.max() and len(known) == len(column.values):
            return f"every value is {known[0]:g}"
        return "it numbers the rows (an identifier)" if _numbers_rows(known) else ""
    times = np.bincount(column.codes + 1, minlength=len(column.levels) + 1)[1:]
    known, distinct = int(times.sum()), np.flatnonzero(times)
    if not known:
        return "every value is missing"
    if len(distinct) == 1 and known == len(column.codes):
        return f"every value is {column.levels[distinct[0]]!r}"
    if known >= MANY and len(distinct) >= 0.9 * known:
        return f"{len(distinct)} different texts in {known} rows (an identifier)"
    return ""


def looks_numeric(table: Table, name: str) -> str:
    """ "looks like a number, such as ..." of a column of texts most of which are numbers, or dates, by themselves, or ""."""
    _, pc = arrow()
    pairs = pc.value_counts(table.arrow(name).drop_null())
    times = dict(zip(pairs.field("values").to_pylist(), pairs.field("counts").to_pylist(), strict=True))
    share, examples = numeric(times)
    if share < 0.5:
        return (
            f"looks like dates, such as {' and '.join(map(repr, list(times)[:2]))}" if resembling(times) >= 0.5 else ""
        )
    return f"looks like a number, such as {' and '.join(map(repr, examples))}"


def _numbers_rows(known: np.ndarray) -> bool:
    """Whole numbers that never repeat and are in order or nearly without gaps: measurements are neither."""
    head = known[:1000]  # most columns are settled by it, without sorting them
    if len(known) < MANY or len(np.unique(head)) < len(head) or np.any(head != np.floor(head)):
        return False
    distinct = np.unique(known)
    if len(distinct) < len(known) or np.any(distinct != np.floor(distinct)):
        return False
    steps = np.diff(known)
    dense = distinct[-1] - distinct[0] < 2 * len(distinct)
    return bool(dense or np.all(steps > 0) or np.all(steps < 0))
