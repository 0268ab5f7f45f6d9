"""What text spells, a column at a time: numbers, booleans, dates, numbers in clothes, codes or names."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from .dates import Dates, dates
from .kinds import BOOLEAN, CATEGORY, NUMBER, Column, finite
from .numbers import Numbers, dressed, quoted, rows_of
from .spelling import BOOLEAN as YES_OR_NO
from .spelling import COMMA, DATE, PLAIN, Spelling
from .style import Style
from .tally import arrow

HEAD, SAMPLE = 200_000, 2_000  # rows above which a column is first looked at by its beginning
GROUPED = r"^[+-]?[1-9][0-9]{0,2}(,[0-9]{3})+$|^[^,]*$"  # what a comma may separate: thousands
POINTED = r"^[+-]?[1-9][0-9]{0,2}(\.[0-9]{3})?$|^0$"  # what may be 1219 as well as 1.219
MONTHLY = r"^(0?[1-9]|1[0-2])\.(19|20)[0-9]{2}$"  # 03.2024
CODE, DIGITS = r"^0[0-9]+$", r"^[0-9]+$"
CODES = 0.1  # of the rows: so many zeros in front are no slip

Found = TypeVar("Found", Numbers, Dates)


def of_words(values: Any, decimal: str, style: Style) -> Column:
    """Text without blanks around it, null where missing, as numbers, booleans, dates, numbers in clothes or categories."""
    pa, pc = arrow()
    numbers = _numbers(values)
    if numbers is not None:
        if _any(values, CODE) and _every(values, DIGITS):
            return _of_codes(values, numbers)
        if pa.types.is_integer(numbers.type) or not (_every(values, POINTED) or _every(values, MONTHLY)):
            numbers, lost = finite(numbers)
            return Column(numbers, NUMBER, lost, spelling=Spelling(PLAIN))
    if numbers is None and decimal == "," and not _every(values, GROUPED) and not _any(values, r"\."):
        numbers = _numbers(pc.replace_substring(values, ",", "."))
        if numbers is not None:
            numbers, lost = finite(numbers)
            return Column(
                numbers, NUMBER, ("the decimal comma was read", *lost), style=Style(","), spelling=Spelling(COMMA)
            )
    words = pc.unique(pc.utf8_lower(values)).to_pylist()
    if set(words) <= {"true", "false", None}:
        return Column(values, BOOLEAN, spelling=Spelling(YES_OR_NO))
    dated = _dated(values, style)
    if dated is not None:
        return dated
    read = _looked_up(values, lambda times: dressed(times, decimal, style))
    if read is None:
        return Column(values, CATEGORY)
    found, numbers = read
    numbers, lost = finite(numbers)
    return Column(
        numbers,
        NUMBER,
        (*found.notes, *lost),
        guess=found.guess,
        open=found.open,
        style=found.style,
        spelling=found.spelling,
    )


def _of_codes(values: Any, numbers: Any) -> Column:
    """Digits with zeros in front: codes if all have one width or many have such zeros; else numbers."""
    _, pc = arrow()
    padded = pc.match_substring_regex(values, CODE)
    often = pc.sum(padded).as_py() or 0
    width = pc.min_max(pc.utf8_length(values)).as_py()
    examples = {cell: often for cell in values.filter(padded.fill_null(False)).slice(0, 1).to_pylist()}
    if width["min"] == width["max"] or often >= CODES * (len(values) - values.null_count):
        return Column(values, CATEGORY, (f"codes such as {quoted(examples)} stay text for the zeros in front",))
    return Column(
        numbers,
        NUMBER,
        (f"zeros in front, such as in {quoted(examples)} ({rows_of(often)}), were left out",),
        spelling=Spelling(PLAIN),
    )


def _dated(values: Any, style: Style) -> Column | None:
    """A column of dates, as float64 seconds since 1970, UTC where no zone is said."""
    _, pc = arrow()
    known = values.drop_null()
    if not len(known):
        return None
    seconds = _iso(values, known)
    if seconds is not None:
        return Column(seconds, NUMBER, ("dates were read as seconds since 1970",), dated=True, spelling=Spelling(DATE))
    head = known.slice(0, SAMPLE)
    if dates(_times(head)) is None and len(known) > HEAD:
        return None
    encoded = values.dictionary_encode().combine_chunks()

    def descents(value: Mapping[str, float]) -> tuple[int, int]:
        seconds = _by_level(encoded, value.get).drop_null()
        steps = pc.pairwise_diff(seconds)
        return pc.sum(pc.less(steps, 0)).as_py() or 0, pc.sum(pc.greater(steps, 0)).as_py() or 0

    read = _looked_up(values, lambda times: dates(times, style, descents))
    if read is None:
        return None
    found, seconds = read
    return Column(
        seconds,
        NUMBER,
        found.notes,
        guess=found.guess,
        open=found.open,
        unsure=found.unsure,
        dated=True,
        style=found.style,
        spelling=found.spelling,
    )


def _iso(values: Any, known: Any) -> Any:
    """Float64 seconds of text that is all in ISO form, by Arrow, or None."""
    pa, pc = arrow()
    if not pc.match_substring_regex(known.slice(0, 1), r"^[0-9]{4}-[0-9]{2}-[0-9]{2}")[0].as_py():
        return None
    for unit, per_second, zone in (("us", 1e6, None), ("us", 1e6, "UTC"), ("ns", 1e9, None), ("ns", 1e9, "UTC")):
        kind = pa.timestamp(unit, zone)
        try:
            pc.cast(known.slice(0, 100), kind)  # casts that fail are slow
            ticks = pc.cast(pc.cast(values, kind), pa.int64())
        except pa.ArrowInvalid:
            continue
        return pc.divide(pc.cast(ticks, pa.float64(), safe=False), per_second)
    return None


def _numbers(values: Any) -> Any:
    pa, pc = arrow()
    for kind in (pa.int64(), pa.float64()):
        try:
            pc.cast(values.slice(0, 100), kind)  # a failed cast is slow, and most columns of words fail at once
            return pc.cast(values, kind)
        except pa.ArrowInvalid:
            continue
    return None


def _every(values: Any, pattern: str) -> bool:
    """Whether all known cells match, and there is one; most columns are told by their beginning."""
    _, pc = arrow()
    return all(
        pc.min(pc.match_substring_regex(part, pattern)).as_py() is True
        for part in (values.slice(0, 100).drop_null(), values.drop_null())
    )


def _any(values: Any, pattern: str) -> bool:
    _, pc = arrow()
    return bool(pc.any(pc.match_substring_regex(values, pattern)).as_py())


def _looked_up(values: Any, read: Callable[[Mapping[str, int]], Found | None]) -> tuple[Found, Any] | None:
    """(what the distinct cells say, float64 of each row), or None; long columns are first looked at by their beginning."""
    pa, _ = arrow()
    if len(values) > HEAD and read(_times(values.slice(0, SAMPLE))) is None:
        return None
    times = _times(values)
    found = read(times) if times else None
    if found is None:
        return None
    return found, pa.chunked_array([_by_level(values.dictionary_encode().combine_chunks(), found.value.get)])


def _by_level(encoded: Any, number: Callable[[str], float | None]) -> Any:
    """float64 of each row from the number of each distinct cell."""
    pa, pc = arrow()
    levels = [None if t is None else number(t) for t in encoded.dictionary.to_pylist()]
    return pc.take(pa.array(levels, pa.float64()), encoded.indices)


def _times(texts: Any) -> dict[str, int]:
    _, pc = arrow()
    pairs = pc.value_counts(texts.drop_null())
    return dict(zip(pairs.field("values").to_pylist(), pairs.field("counts").to_pylist(), strict=True))
