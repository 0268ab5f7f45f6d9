"""From the cells of a column to its kind: text or typed values become numbers, booleans or names, null where missing."""

from dataclasses import replace
from typing import Any

from .kinds import BOOLEAN, CATEGORY, NUMBER, Column, finite, is_text
from .spelling import BOOLEAN as YES_OR_NO
from .spelling import CLOCK, DATE, PLAIN, Spelling
from .style import UNKNOWN, Style
from .tally import arrow, without_views
from .words import of_words

MISSING = ("", "?", "NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "NAN", "NULL", "null")
NAME = 64  # bytes that a name may have


def from_text(raw: Any, *, decimal: str = ".", style: Style = UNKNOWN) -> Column:
    """Type a text column: blanks and quotes around a cell go, `?`, NA, NaN and nothing are missing.

    raw      pyarrow string array
    decimal  "," allows 1,5 for one and a half in a column where the point does not serve
    style    what other columns of the table prove
    """
    pa, pc = arrow()
    notes: list[str] = []
    values = pc.utf8_trim_whitespace(raw)
    if pc.any(pc.match_substring_regex(values, r"^['\"]")).as_py():
        bare = pc.replace_substring_regex(values, r"^(?s:'(.*)'|\"(.*)\")$", r"\1\2")
        if pc.any(pc.not_equal(bare, values)).as_py():
            notes.append("quotes around the cells were removed")
            values = pc.utf8_trim_whitespace(bare)
    missing = pc.is_in(values, value_set=pa.array(MISSING, values.type))
    notes += _of_marks(values, missing)
    values = pc.if_else(missing, pa.scalar(None, values.type), values)
    column = of_words(values, decimal, style)
    return replace(column, notes=(*notes, *column.notes), raw=raw, decimal=decimal)


def from_arrow(raw: Any, *, style: Style = UNKNOWN) -> Column | None:
    """Type a column that already has an Arrow type; None where it holds lists, structs or bytes."""
    column = _from_arrow(without_views(raw), style)
    return None if column is None else replace(column, raw=raw)


def _from_arrow(raw: Any, style: Style) -> Column | None:
    pa, pc = arrow()
    kind = raw.type
    if pa.types.is_dictionary(kind):
        ordered = kind.ordered
        raw = pc.cast(raw, kind.value_type)
        kind = raw.type
        if is_text(kind):
            return _of_names(raw)
        if not ordered and (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
            return Column(pc.cast(raw, pa.string()), CATEGORY)
    if pa.types.is_boolean(kind):
        return Column(raw, BOOLEAN, spelling=Spelling(YES_OR_NO))
    if is_text(kind):
        return from_typed_text(raw, style)
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return _of_bytes(raw, style)
    if pa.types.is_null(kind):
        return Column(pc.cast(raw, pa.float64()), NUMBER, spelling=Spelling(PLAIN))
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        whole = pa.types.is_integer(kind) and not pa.types.is_uint64(kind)
        values = pc.cast(raw, pa.int64() if whole else pa.float64(), safe=False)
        values, lost = finite(values)
        return Column(values, NUMBER, lost, spelling=Spelling(PLAIN))
    if pa.types.is_temporal(kind) and not pa.types.is_interval(kind):
        dated = pa.types.is_date(kind) or pa.types.is_timestamp(kind)
        note = f"{'dates' if dated else 'times'} were read as seconds{' since 1970' * dated}"
        return Column(_seconds(raw), NUMBER, (note,), dated=dated, spelling=Spelling(DATE if dated else CLOCK))
    return None


def _of_bytes(raw: Any, style: Style) -> Column | None:
    """Short bytes are text; where they are no UTF-8 each odd byte is written out. None for long ones, such as pictures."""
    pa, pc = arrow()
    if (pc.max(pc.binary_length(raw)).as_py() or 0) > NAME:
        return None
    encoded = raw.dictionary_encode().combine_chunks()
    words = [None if b is None else b.decode("utf-8", "backslashreplace") for b in encoded.dictionary.to_pylist()]
    text = pa.chunked_array([pc.take(pa.array(words, pa.string()), encoded.indices)])
    return from_typed_text(pc.cast(text, pa.string()), style)


def _seconds(raw: Any) -> Any:
    """Dates, times or durations as float64 seconds."""
    pa, pc = arrow()
    narrow = raw.type in (pa.date32(), pa.time32("s"), pa.time32("ms"))
    ticks = pc.cast(pc.cast(raw, pa.int32() if narrow else pa.int64()), pa.float64(), safe=False)
    if raw.type == pa.date32():
        return pc.multiply(ticks, 86_400.0)
    unit = "ms" if raw.type == pa.date64() else raw.type.unit
    return pc.divide(ticks, {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}[unit])


def from_typed_text(raw: Any, style: Style = UNKNOWN) -> Column:
    """Text that a Parquet file or DataFrame declares as text: the same answer as for the cells of a CSV, and said."""
    names = _of_names(raw)
    column = of_words(names.values, ",", style)
    column = replace(column, notes=(*names.notes, *column.notes))
    if column.kind != NUMBER or column.dated or not len(column.values.drop_null()):
        return column
    return replace(
        column, notes=(*column.notes, "text that spells numbers was read as numbers (--categorical keeps it)")
    )


def _of_names(raw: Any) -> Column:
    """Text without blanks around it; the marks for missing go."""
    pa, pc = arrow()
    trimmed = pc.utf8_trim_whitespace(raw)
    missing = pc.is_in(trimmed, value_set=pa.array(MISSING, raw.type))
    return Column(pc.if_else(missing, pa.scalar(None, raw.type), trimmed), CATEGORY, _of_marks(trimmed, missing))


def _of_marks(values: Any, missing: Any) -> tuple[str, ...]:
    """A note on the texts that were read as missing."""
    _, pc = arrow()
    if not pc.any(pc.and_(missing, pc.not_equal(values, ""))).as_py():
        return ()
    marks = pc.unique(values.filter(missing)).to_pylist()
    return (" and ".join(repr(m) for m in sorted(marks) if m) + " was read as missing",)
