"""A column of another table, read as one was read before: by its spelling, cell by cell, whatever else the new column holds."""

import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np

from . import labels
from .cells import MISSING
from .date_forms import instant, spelled
from .kinds import BOOLEAN, NUMBER, Column, is_text
from .numbers import as_before, is_nothing, quoted, rows_of
from .reread import bare, number_of
from .spelling import BOOLEAN as YES_OR_NO
from .spelling import CLOCK, COMMA, DATE, DURATION, PLAIN, Spelling
from .tally import arrow, values_of, without_views

UNLIKE = 0.1  # of the cells that cannot be read as before, above which the column's own reading counts
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
ANSWERS = {"true": 1.0, "false": 0.0, "1": 1.0, "0": 0.0, "1.0": 1.0, "0.0": 0.0}


def names_alike(column: Column, marks: Collection[str] = ()) -> Any:
    """Text [rows] of a column of any kind, null where missing; numbers are spelled as `labels.label_name` does.

    marks  further texts that are missing
    """
    pa, pc = arrow()
    raw = without_views(column.values if column.raw is None else column.raw)
    if pa.types.is_dictionary(raw.type):
        raw = pc.cast(raw, raw.type.value_type)
    if pa.types.is_null(raw.type):
        return pc.cast(raw, pa.string())
    if not is_text(raw.type):
        encoded = raw.dictionary_encode().combine_chunks()
        names = [None if labels.is_missing(v) else labels.label_name(v) for v in values_of(encoded.dictionary)]
        raw = pa.chunked_array([pc.take(pa.array(names, pa.string()), encoded.indices)])
    texts = pc.utf8_trim_whitespace(raw) if column.decimal is None else bare(raw)
    missing = pc.is_in(texts, value_set=pa.array([*MISSING, *marks], texts.type))
    return pc.if_else(missing, pa.scalar(None, texts.type), texts)


def numbers_alike(
    name: str, column: Column, spelling: Spelling, marks: Collection[str] = ()
) -> tuple[np.ndarray, list[str]]:
    """(float64 [rows], NaN where missing; what could not be read, or is written otherwise, in sentences without a stop).

    A column most of which is not written as before is read by itself, where that gives numbers, and said.
    """
    own = _own(column, spelling)
    if _typed(column):
        values, notes = own, []
        if own is None:
            values = np.full(len(column.values), np.nan)
            held = len(column.values) - column.values.null_count
            notes = (
                [f"column {name!r}: {rows_of(held)} of another kind ({column.raw.type}) are read as missing"]
                if held
                else []
            )
        assert values is not None
        return _without(values, spelling, marks), notes
    texts = names_alike(column, marks)
    encoded = texts.dictionary_encode().combine_chunks()
    cells = encoded.dictionary.to_pylist()
    codes = encoded.indices.fill_null(-1).to_numpy()
    times = np.bincount(codes + 1, minlength=len(cells) + 1)[1:]
    read = _reader(spelling)
    number = [read(cell) for cell in cells]
    values = np.array([*(np.nan if n is None else n for n in number), np.nan])[codes]
    unread = {c: int(n) for c, n, v in zip(cells, times, number, strict=True) if v is None and not is_nothing(c)}
    lost, known = sum(unread.values()), int(times.sum())
    if own is not None and lost > UNLIKE * known and np.isfinite(own).sum() > np.isfinite(values).sum():
        how = "; ".join(column.notes) or "as plain numbers"
        return _without(own, spelling, marks), [f"column {name!r} is written otherwise than in the study: {how}"]
    notes = []
    if unread:
        what = "date" if spelling.how == DATE else "yes or no" if spelling.how == YES_OR_NO else "number"
        notes.append(
            f"column {name!r}: {quoted(unread)} ({rows_of(lost)}) is no {what} as in the study and is read as missing"
        )
    if own is not None:
        other = np.flatnonzero(
            ~np.isclose(own, values, rtol=1e-9, atol=0, equal_nan=True) & np.isfinite(own) & np.isfinite(values)
        )
        if len(other):
            i = other[0]
            notes.append(
                f"column {name!r}: {texts[int(i)].as_py()!r} is {values[i]:.10g} as the study read it; by itself this table would be"
                f" read as {own[i]:.10g} ({rows_of(len(other))})"
            )
    return _without(values, spelling, marks), notes


def _typed(column: Column) -> bool:
    """Whether the store itself says that these are no texts."""
    pa, _ = arrow()
    kind = without_views(column.raw).type
    return not is_text(kind.value_type if pa.types.is_dictionary(kind) else kind) and not pa.types.is_binary(kind)


def _own(column: Column, spelling: Spelling) -> np.ndarray | None:
    """The column as it is read by itself, or None where that is another kind of thing."""
    pa, pc = arrow()
    values = column.values
    if column.kind == BOOLEAN and spelling.how in (YES_OR_NO, PLAIN):
        if not pa.types.is_boolean(values.type):
            values = pc.equal(pc.utf8_lower(values), "true")
        values = pc.cast(values, pa.int8())
    elif column.kind != NUMBER or column.dated != (spelling.how == DATE):
        empty = values.null_count == len(values)
        return np.full(len(values), np.nan) if empty else None
    lasting = spelling.how in (CLOCK, DURATION)
    if lasting != (column.spelling.how in (CLOCK, DURATION)) and column.values.null_count < len(values):
        return None
    numbers = pc.cast(values, pa.float64(), safe=False).fill_null(float("nan")).to_numpy()
    if spelling.how == YES_OR_NO:
        return np.where(np.isin(numbers, (0.0, 1.0)), numbers, np.nan)
    return numbers


def _reader(spelling: Spelling) -> Callable[[str], float | None]:
    if spelling.how == PLAIN:
        return _plain
    if spelling.how == COMMA:
        return lambda cell: None if "." in cell else _plain(cell.replace(",", "."))
    if spelling.how == YES_OR_NO:
        return lambda cell: ANSWERS.get(cell.lower())
    if spelling.how == DATE:
        return lambda cell: _date(cell, spelling.order)
    return lambda cell: as_before(cell, spelling)


def _plain(cell: str) -> float | None:
    return float(cell) if _NUMBER.fullmatch(cell) else None


def _date(cell: str, order: str) -> float | None:
    date = spelled(cell)
    return None if date is None else instant(date, order if date.open else "ymd")


def _without(values: np.ndarray, spelling: Spelling, marks: Collection[str]) -> np.ndarray:
    """NaN where infinite, and where a mark for missing spells the number."""
    numbers = [] if spelling.how == DATE else [n for mark in marks if (n := number_of(mark)) is not None]
    return np.where(np.isfinite(values) & ~np.isin(values, numbers), values, np.nan)


def places_alike(texts: Any, levels: Mapping[str, int]) -> tuple[np.ndarray, Counter[str], Counter[str]]:
    """(int [rows]: where each text stands among the levels, -1 where missing, -2 where it is none; the new texts; those that are
    a level only as a number: 1067 where the level is 01067, or 3.0 for 3)."""
    encoded = texts.dictionary_encode().combine_chunks()
    cells = encoded.dictionary.to_pylist()
    codes = encoded.indices.fill_null(-1).to_numpy()
    times = np.bincount(codes + 1, minlength=len(cells) + 1)[1:].tolist()
    spelt: dict[float, list[int]] = {}
    for level, place in levels.items():
        if (n := _plain(level)) is not None:
            spelt.setdefault(n, []).append(place)
    new, turned = Counter[str](), Counter[str]()
    places = []
    for cell, n in zip(cells, times, strict=True):
        place = levels.get(cell)
        if place is None:
            amount = _plain(cell)
            alike = [] if amount is None else spelt.get(amount, [])
            place = alike[0] if len(alike) == 1 else -2
            (new if place == -2 else turned)[cell] += n
        places.append(place)
    return np.array([*places, -1], dtype=np.int64)[codes], new, turned
