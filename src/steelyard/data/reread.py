"""Columns of one table, read again: by what the others prove, or without what somebody calls missing."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from .cells import from_arrow, from_text
from .kinds import NUMBER, Column, is_text
from .style import UNKNOWN, Style, common
from .tally import arrow, without_views

POINT = r"^[+-]?[0-9]*\.([0-9]{1,2}|[0-9]{4,})$|^[+-]?0?\.[0-9]+$"  # what shows that the point is the decimal sign


def together(columns: Mapping[str, Column | None]) -> dict[str, Column | None]:
    """The columns of one table, those that leave something open read again by what the others prove."""
    if not any(c is not None and c.open for c in columns.values()):
        return dict(columns)
    style = common(c.style if c.style != UNKNOWN else _shown(c) for c in columns.values() if c is not None)
    if style == UNKNOWN:
        return dict(columns)
    return {name: c if c is None or not c.open else _again(c, c.raw, style) for name, c in columns.items()}


def without(column: Column, marks: Iterable[str]) -> tuple[Column, int]:
    """(the column with these texts, and the numbers that they spell, missing too; how many rows say them)."""
    pa, pc = arrow()
    marks = list(marks)
    raw, rows = without_views(column.raw), 0
    of_names = pa.types.is_dictionary(raw.type) and is_text(raw.type.value_type)
    if of_names:
        raw = pc.cast(raw, pa.string())
    if is_text(raw.type):
        said = pc.is_in(bare(raw), value_set=pa.array(marks, raw.type)).fill_null(False)
        rows = pc.sum(said).as_py() or 0
        if rows:
            raw = pc.if_else(said, pa.scalar(None, raw.type), raw)
            column = _again(column, raw.dictionary_encode() if of_names else raw, column.style)
    numbers = [number for mark in marks if (number := number_of(mark)) is not None]
    if column.kind == NUMBER and not column.dated and numbers:
        said = pc.is_in(pc.cast(column.values, pa.float64(), safe=False), value_set=pa.array(numbers, pa.float64()))
        more = pc.sum(said).as_py() or 0
        if more:
            values = pc.if_else(said, pa.scalar(None, column.values.type), column.values)
            kept = column.raw if pa.types.is_dictionary(raw.type) else pc.if_else(said, pa.scalar(None, raw.type), raw)
            column, rows = replace(column, values=values, raw=kept), rows + more
    return column, rows


def _again(column: Column, raw: Any, style: Style) -> Column:
    read = (
        from_arrow(raw, style=style) if column.decimal is None else from_text(raw, decimal=column.decimal, style=style)
    )
    return column if read is None else read


def bare(raw: Any) -> Any:
    """Without blanks and quotes around the cells."""
    _, pc = arrow()
    return pc.utf8_trim_whitespace(
        pc.replace_substring_regex(pc.utf8_trim_whitespace(raw), r"^(?s:'(.*)'|\"(.*)\")$", r"\1\2")
    )


def number_of(mark: str) -> float | None:
    try:
        number = float(mark)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _shown(column: Column) -> Style:
    """The decimal sign that plain numbers prove."""
    pa, pc = arrow()
    if column.kind != NUMBER or column.open or column.dated or not pa.types.is_floating(column.values.type):
        return UNKNOWN
    raw = without_views(column.raw)
    shows = is_text(raw.type) and pc.any(pc.match_substring_regex(bare(raw), POINT)).as_py()
    return Style(".") if shows else UNKNOWN
