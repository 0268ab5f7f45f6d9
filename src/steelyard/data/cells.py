"""From a cell to a class: the text or the typed values of a column become missing values, numbers, booleans or names."""

from dataclasses import dataclass, replace
from typing import Any

from .numbers import dressed
from .tally import arrow, without_views

MISSING = ("", "?", "NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "NAN", "NULL", "null")
HEAD, SAMPLE = 200_000, 2_000  # rows above which a column is first looked at by its beginning
GROUPED = r"^[+-]?[1-9][0-9]{0,2}(,[0-9]{3})+$|^[^,]*$"  # what a comma may separate: thousands
NAME = 64  # bytes that a name may have
NUMBER, BOOLEAN, CATEGORY = "number", "boolean", "category"


@dataclass(frozen=True)
class Column:
    """Arrow values of one kind: "number" (int64 or float64), "boolean" or "category" (text), null where missing.

    raw      as the store holds it: what labels and groups are read from
    decimal  the decimal sign that may occur, where raw is text that nobody declared as text
    """

    values: Any  # pyarrow.ChunkedArray
    kind: str
    notes: tuple[str, ...] = ()
    raw: Any = None
    decimal: str | None = None


def from_text(raw: Any, *, decimal: str = ".") -> Column:
    """`_from_text` with the cells as they were."""
    return replace(_from_text(raw, decimal), raw=raw, decimal=decimal)


def from_arrow(raw: Any) -> Column | None:
    """`_from_arrow` with the cells as they were."""
    column = _from_arrow(without_views(raw))
    return None if column is None else replace(column, raw=raw)


def _from_text(raw: Any, decimal: str) -> Column:
    """Type a text column: blanks and quotes around a cell go, `?`, NA, NaN and nothing are missing.

    raw      pyarrow string array
    decimal  "," allows 1,5 for one and a half in a column where the point does not serve
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
    if pc.any(pc.and_(missing, pc.not_equal(values, ""))).as_py():
        marks = pc.unique(values.filter(missing)).to_pylist()
        notes.append(" and ".join(repr(m) for m in sorted(marks) if m) + " was read as missing")
    values = pc.if_else(missing, pa.scalar(None, values.type), values)
    numbers = _numbers(values)
    if numbers is None and decimal == "," and not pc.all(pc.match_substring_regex(values, GROUPED)).as_py():
        numbers = _numbers(pc.replace_substring(values, ",", "."))
        if numbers is not None:
            notes.append("the decimal comma was read")
    if numbers is not None:
        numbers, lost = finite(numbers)
        return Column(numbers, NUMBER, (*notes, *lost))
    words = pc.unique(pc.utf8_lower(values)).to_pylist()
    if set(words) <= {"true", "false", None}:
        return Column(values, BOOLEAN, tuple(notes))
    read = _dressed(values, decimal)
    if read is not None:
        return Column(read[0], NUMBER, (*notes, *read[1]))
    return Column(values, CATEGORY, tuple(notes))


def _from_arrow(raw: Any) -> Column | None:
    """Type a column that already has an Arrow type; None where it holds lists, structs or bytes."""
    pa, pc = arrow()
    kind = raw.type
    if pa.types.is_dictionary(kind):
        raw = pc.cast(raw, kind.value_type)
        kind = raw.type
    if pa.types.is_boolean(kind):
        return Column(raw, BOOLEAN)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return from_typed_text(raw)
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return _of_bytes(raw)
    if pa.types.is_null(kind):
        return Column(pc.cast(raw, pa.float64()), NUMBER)
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        whole = pa.types.is_integer(kind) and not pa.types.is_uint64(kind)
        values = pc.cast(raw, pa.int64() if whole else pa.float64(), safe=False)
        values, lost = finite(values)
        return Column(values, NUMBER, lost)
    if pa.types.is_temporal(kind) and not pa.types.is_interval(kind):
        dates = pa.types.is_date(kind) or pa.types.is_timestamp(kind)
        return Column(
            _seconds(raw), NUMBER, (f"{'dates' if dates else 'times'} were read as seconds{' since 1970' * dates}",)
        )
    return None


def _of_bytes(raw: Any) -> Column | None:
    """Short bytes are text; where they are no UTF-8 each odd byte is written out. None for long ones, such as pictures."""
    pa, pc = arrow()
    if (pc.max(pc.binary_length(raw)).as_py() or 0) > NAME:
        return None
    encoded = raw.dictionary_encode().combine_chunks()
    words = [None if b is None else b.decode("utf-8", "backslashreplace") for b in encoded.dictionary.to_pylist()]
    return from_typed_text(
        pc.cast(pa.chunked_array([pc.take(pa.array(words, pa.string()), encoded.indices)]), pa.string())
    )


def _seconds(raw: Any) -> Any:
    """Dates, times or durations as float64 seconds."""
    pa, pc = arrow()
    narrow = raw.type in (pa.date32(), pa.time32("s"), pa.time32("ms"))
    ticks = pc.cast(pc.cast(raw, pa.int32() if narrow else pa.int64()), pa.float64(), safe=False)
    if raw.type == pa.date32():
        return pc.multiply(ticks, 86_400.0)
    unit = "ms" if raw.type == pa.date64() else raw.type.unit
    return pc.divide(ticks, {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}[unit])


def from_typed_text(raw: Any) -> Column:
    """Text that a Parquet file or DataFrame declares as text stays text, numbers in clothes aside; the marks for missing go."""
    pa, pc = arrow()
    trimmed = pc.utf8_trim_whitespace(raw)
    missing = pc.is_in(trimmed, value_set=pa.array(MISSING, raw.type))
    values = pc.if_else(missing, pa.scalar(None, raw.type), trimmed)
    read = _dressed(values, ",", declared=True)
    return Column(values, CATEGORY) if read is None else Column(read[0], NUMBER, read[1])


def finite(values: Any) -> tuple[Any, tuple[str, ...]]:
    """NaN and infinite values become null; the infinite ones are mentioned."""
    pa, pc = arrow()
    if not pa.types.is_floating(values.type):
        return values, ()
    keep = pc.is_finite(values)
    infinite = pc.sum(pc.is_inf(values)).as_py() or 0
    values = pc.if_else(keep, values, pa.scalar(None, values.type))
    rows = "row" if infinite == 1 else "rows"
    return values, (f"{infinite} infinite {rows} (or beyond 1.8e308) read as missing",) if infinite else ()


def _numbers(values: Any) -> Any:
    pa, pc = arrow()
    for kind in (pa.int64(), pa.float64()):
        try:
            pc.cast(values.slice(0, 100), kind)  # a failed cast is slow, and most columns of words fail at once
            return pc.cast(values, kind)
        except pa.ArrowInvalid:
            continue
    return None


def _dressed(values: Any, decimal: str, *, declared: bool = False) -> tuple[Any, tuple[str, ...]] | None:
    """(float64 array, notes) of a column of numbers in clothes, or None. Of text that is `declared` as text only those that
    something was taken off, since text of plain digits may well be a code."""
    pa, pc = arrow()
    if len(values) > HEAD and dressed(_times(values.slice(0, SAMPLE)), decimal) is None:
        return None
    times = _times(values)
    read = dressed(times, decimal) if times else None
    if read is None or (declared and not read.undressed):
        return None
    encoded = values.dictionary_encode().combine_chunks()
    levels = [None if t is None else read.value[t] for t in encoded.dictionary.to_pylist()]
    numbers = pc.take(pa.array(levels, pa.float64()), encoded.indices)
    return pa.chunked_array([numbers]), read.notes


def _times(texts: Any) -> dict[str, int]:
    _, pc = arrow()
    pairs = pc.value_counts(texts.drop_null())
    return dict(zip(pairs.field("values").to_pylist(), pairs.field("counts").to_pylist(), strict=True))
