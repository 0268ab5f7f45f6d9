"""From the distinct cells of a label column, and how often each occurs, to classes. Every store and both commands read labels here:
CSV, ARFF, Parquet and tables in memory, `count` and `tune`."""

import datetime
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from ..counts import Counts
from . import digest as digests
from . import labels
from .cells import MISSING
from .ignored import in_place, without_a_place
from .notes import Doubt, Scope, ignored
from .tally import pyarrow, refuse_too_many, tally, values_of

# What a store says about the cells of a column. CELLS is text that nobody declared as text (CSV, ARFF): it may hold numbers.
CELLS, TEXT, NUMBER, BOOLEAN, TIME, NOTHING = "cells", "text", "number", "boolean", "time", "nothing"
KINDS = (CELLS, TEXT, NUMBER, BOOLEAN, TIME, NOTHING)
NONE = "none"  # of missing=: no text stands for missing
SHOWN = 3  # examples in a note
HEADER = 10  # a header that stands again inside a table takes less than a tenth of the rows

_PLAIN = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")
_LOOSE = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_THOUSANDS = re.compile(r"[+-]?[1-9][0-9]{0,2}(,[0-9]{3})+")  # or three decimals; as a class it stays as it is
_INFINITE = re.compile(r"[+-]?inf(inity)?", re.IGNORECASE)
_MIDNIGHT = re.compile(r"( 00:00:00)(?=$|[+Z-])")


@dataclass
class Cells:
    """The distinct cells of a label column.

    times    {cell as the store holds it: rows}; None where there is none
    kind     one of KINDS
    levels   what the type of the column itself fixes as its classes, in its order: ordered categories, an Enum, a ClassLabel
    decimal  "," where 1,5 may stand for one and a half
    """

    times: Counter[Any] = field(default_factory=Counter)
    kind: str = NOTHING
    levels: tuple[Any, ...] = ()
    decimal: str = "."

    def add(self, other: "Cells", what: str) -> None:
        self.kind = joined((self.kind, other.kind), what)
        self.times.update(other.times)
        self.decimal = "," if "," in (self.decimal, other.decimal) else "."
        self.levels = tuple(dict.fromkeys((*self.levels, *other.levels)))
        refuse_too_many(self.times, what)


@dataclass(frozen=True)
class Classes:
    """What a label column says.

    counts  of the rows that have a class
    number  {cell as the store holds it: number of its class}; -1 where it is missing or ignored
    notes   what was dropped, joined, or looks alike
    """

    counts: Counts
    number: Mapping[Any, int]
    notes: tuple[str, ...]


def of_arrow(array: Any, what: str) -> Cells:
    """The distinct cells of an Arrow array or chunked array. ValueError for lists and structures."""
    pa = pyarrow()
    cells = Cells()
    for chunk in array.chunks if isinstance(array, pa.ChunkedArray) else [array]:
        chunk = chunk.storage if isinstance(chunk, pa.ExtensionArray) else chunk
        kind = kind_of(chunk.type)
        if kind is None:
            raise ValueError(f"{what} holds {chunk.type}, which is not a label; choose another column.")
        ordered = pa.types.is_dictionary(chunk.type) and chunk.type.ordered
        cells.add(Cells(Counter(tally(chunk)), kind, tuple(values_of(chunk.dictionary)) if ordered else ()), what)
    return cells


def kind_of(arrow_type: Any) -> str | None:
    """One of KINDS, or None for lists, structures and the like."""
    types = pyarrow().types
    if types.is_dictionary(arrow_type):
        return kind_of(arrow_type.value_type)
    texts = types.is_string, types.is_large_string, types.is_string_view, types.is_binary_view, types.is_binary
    if any(is_one(arrow_type) for is_one in (*texts, types.is_large_binary, types.is_fixed_size_binary)):
        return TEXT
    if types.is_integer(arrow_type) or types.is_floating(arrow_type) or types.is_decimal(arrow_type):
        return NUMBER
    if types.is_temporal(arrow_type) and not types.is_interval(arrow_type):
        return TIME
    return BOOLEAN if types.is_boolean(arrow_type) else NOTHING if types.is_null(arrow_type) else None


def classes_of(
    cells: Cells,
    what: str,
    *,
    name: str,
    classes: Any = None,
    ignore: Any = None,
    missing: Any = None,
    same_case: bool = False,
    places: bool = True,
    digest: int | None = None,
) -> Classes:
    """The classes of a column: numbers ascending, text by its letters, or the levels of its type, or `classes`.

    what       the column, for errors and `Counts.source`
    name       its name, for notes
    classes    and `ignore` are those of `count`
    missing    the texts that stand for missing instead of MISSING; "none" for none. What `classes` names is never missing
    same_case  join the spellings of one class that differ by case, blanks, a final dot or zeros (1.0), under the commonest
    places     what is ignored counts 0 where its type declares it or where it is a number below others; otherwise it is gone

    ValueError if there is nothing to count, or if the column looks like measurements or identifiers.
    """
    rows = sum(cells.times.values())
    if not rows:
        raise ValueError(f"{what}: the table has no rows, only a header.")
    classes = labels.in_order(classes)
    marks = marks_of(missing, classes if classes is not None else cells.levels)
    values, notes = read_cells(cells, marks)
    if same_case:
        values, joins = _joined_spellings(values, cells.times)
        notes = [*notes, *joins]
    absent: Counter[str] = Counter()
    for cell, n in cells.times.items():
        if n and values[cell] is None:
            absent[cell.strip() if isinstance(cell, str) else ""] += n
    gone = sum(absent.values())
    dropped, why = _dropped(absent, missing, name)
    notes = [*(f"{note}: {name}" for note in notes), *why]
    times: Counter[Any] = Counter()
    for cell, n in cells.times.items():
        if values[cell] is not None:
            times[values[cell]] += n
    kept, _ = labels.drop(times, ignore)
    if classes is None:
        if not kept and not cells.levels:
            raise ValueError(f"{what} has no value at all ({rows:,} rows), so there is nothing to count{dropped}.")
        labels.refuse_continuous(_as_numbers(kept) if cells.kind == CELLS else kept, what)
        if cells.levels:
            classes = _levels(cells, values, () if places else ignore)
        elif places:
            classes = in_place(kept, ignore)
    source = what + (f" ({labels.left_out(gone)}{dropped})" if gone else "")
    mark = None if digest is None else digests.written(digest)
    counts = labels.by_value(kept, classes=classes, source=source, unit="rows", digest=mark)
    if gone:
        notes.append(Scope(f"{labels.left_out(gone)} of {rows:,}"))
    notes.extend(ignored(times, kept, "rows"))
    if again := sum(n for v, n in kept.items() if isinstance(v, str) and v.casefold() == name.casefold()):
        kind = Doubt if HEADER * again < rows else str  # many rows are a class of that name
        notes.append(
            kind(
                f"{again:,} {'row says' if again == 1 else 'rows say'} {name!r}, which is the column's name: if a header stands again"
                f" inside the table, leave it out with --ignore {name!r} (ignore={name!r})"
            )
        )
    if places and (note := without_a_place(times, counts.classes, ignore)):
        notes.append(note)
    at, renamed = {c: i for i, c in enumerate(counts.classes)}, labels.renames(classes)
    names = {value: labels.label_name(value) for value in kept}
    number = {cell: at[renamed.get(names[v], names[v])] if v in kept else -1 for cell, v in values.items()}
    return Classes(counts, number, tuple(notes))


def marks_of(missing: Any, classes: Any = None) -> frozenset[str]:
    """The texts that stand for missing; the empty one always does."""
    if missing is None:
        named = {*labels.renames(classes), *labels.names_in(classes)}
        return frozenset(m for m in MISSING if m not in named) | {""}
    wanted = [labels.label_name(m) for m in labels.listed(missing) if not labels.is_missing(m)]
    return frozenset({""} if wanted == [NONE] else {"", *(m.strip() for m in wanted)})


def read_cells(cells: Cells, marks: Iterable[str] = (*MISSING, "")) -> tuple[dict[Any, Any], list[str]]:
    """({cell: its value, None where missing}, notes on spellings that are one value).

    Blanks around text go; of CELLS also quotes. CELLS are numbers if every one of them can be written back as it stands (1, -3,
    0.5, 2.00), otherwise all stay text, so that 007 and 7, 1E1 and 10, or two numbers beyond 64 bits, are never one class.
    """
    marks = frozenset(marks)
    values = {cell: _plain(cell, marks, bare=cells.kind == CELLS) for cell in cells.times}
    notes = []
    if cells.kind == TIME:
        texts = [v for v in values.values() if v is not None]
        if texts and all(_MIDNIGHT.search(v) for v in texts):
            values = {c: v if v is None else _MIDNIGHT.sub("", v) for c, v in values.items()}
    if cells.kind == CELLS:
        values, notes = _numbers(values, cells.decimal)
    if cells.kind == NUMBER and (infinite := sum(n for c, n in cells.times.items() if _is_infinite(c))):
        notes.append(f"{infinite:,} infinite {'row' if infinite == 1 else 'rows'} read as missing")
    spellings: dict[Any, list[str]] = {}
    for cell, value in values.items():
        if value is not None and isinstance(cell, str) and cell:
            spellings.setdefault(value, []).append(cell)
    if cells.kind == CELLS and any(isinstance(c, str) and _bare(c) != c.strip() for c in values):
        notes = ["quotes around the cells were removed", *notes]
    several = [sorted(s) for s in spellings.values() if len({_bare(c) for c in s}) > 1 or _blanks_differ(s)]
    if several:
        shown = "; ".join(" and ".join(map(repr, s[:SHOWN])) for s in several[:SHOWN])
        more = f"; and {len(several) - SHOWN} more" if len(several) > SHOWN else ""
        notes.append(f"spellings read as one: {shown}{more}")
    return values, notes


def joined(kinds: Iterable[str], what: str) -> str:
    """The one kind of the parts of a column. ValueError where they differ."""
    different = set(kinds) - {NOTHING}
    if len(different) > 1:
        raise ValueError(
            f"{what}: the parts hold the column in types that do not join ({' and '.join(sorted(different))})."
        )
    return different.pop() if different else NOTHING


def look_alikes(names: Iterable[str], *, of_table: bool = True) -> Doubt | None:
    """A note on class names that differ only by case, blanks, a final dot or zeros (1 and 1.0), or None."""
    names = list(names)
    if all(name.isascii() and name.isdecimal() for name in names):  # there may be millions
        return None
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(_key(name), []).append(name)
    alike = [" and ".join(map(repr, g)) for g in groups.values() if len(g) > 1]
    if not alike:
        return None
    others = f" (so do {', '.join(alike[1:SHOWN])}" if len(alike) > 1 else ""
    others += f" and {len(alike) - SHOWN} more)" if len(alike) > SHOWN else ")" if others else ""
    joins = "--same-case (same_case=True) joins" if of_table else "classes={spelling: class, ...} joins"
    return Doubt(f"the classes {alike[0]} differ only in spelling{others}; are they one class? {joins} them")


def _plain(cell: Any, marks: frozenset[str], *, bare: bool) -> Any:
    """The value of a cell on its own: text without blanks around it, whole numbers as int, None where missing."""
    if labels.is_missing(cell) or _is_infinite(cell):
        return None
    cell = cell.item() if hasattr(cell, "item") else cell
    if isinstance(cell, bytes):
        cell = cell.decode("utf-8", "backslashreplace")
    if isinstance(cell, str):
        text = _bare(cell) if bare else cell.strip()
        return None if text in marks else text
    if isinstance(cell, Decimal):
        cell = int(cell) if cell == cell.to_integral_value() else cell.normalize()
    elif isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    elif isinstance(cell, (datetime.date, datetime.time, datetime.timedelta)):
        cell = str(cell)
    return None if labels.label_name(cell) in marks else cell


def _is_infinite(cell: Any) -> bool:
    return isinstance(cell, float) and cell in (float("inf"), float("-inf"))


def _bare(text: str) -> str:
    """Without blanks, and quotes, around it."""
    text = text.strip()
    return text[1:-1].strip() if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"" else text


def _blanks_differ(spellings: Sequence[str]) -> bool:
    """' a' alone is how some programs write a; 'a' and 'a ' beside each other are two spellings."""
    return len(spellings) > 1 and len({_bare(s) for s in spellings}) == 1


def _numbers(values: dict[Any, Any], decimal: str) -> tuple[dict[Any, Any], list[str]]:
    """The texts as numbers if all of them survive the way back."""
    texts = {v for v in values.values() if v is not None}
    infinite = {t for t in texts if _INFINITE.fullmatch(t)}
    numbers = {t: _number(t) for t in texts - infinite}
    notes: list[str] = []
    if decimal == "," and any("," in t and not _THOUSANDS.fullmatch(t) for t in numbers):
        with_point = {t: _number(t.replace(",", ".")) for t in numbers if "." not in t}
        if len(with_point) == len(numbers) and None not in with_point.values():
            numbers, notes = with_point, ["the decimal comma was read"]
    if not numbers or None in numbers.values():
        odd = sorted(t for t, n in numbers.items() if n is None)
        if odd and all(_LOOSE.fullmatch(t) for t in numbers):
            notes = [f"the labels stay text, because as a number {odd[0]!r} would be spelled differently"]
        return values, notes
    if infinite:
        notes.append(f"{' and '.join(map(repr, sorted(infinite)))} was read as missing")
    return {cell: None if v is None else numbers.get(v) for cell, v in values.items()}, notes


def _number(text: str) -> int | float | None:
    """The number that is written just so, zeros behind the point aside; None if there is none."""
    match = _PLAIN.fullmatch(text)
    if match is None or (text.startswith("-0") and not text.strip("-0.")):
        return None
    if not (match[2] or "").strip(".0"):
        whole = int(text.partition(".")[0])
        return whole if -(2**63) <= whole < 2**64 else None
    value = float(text)
    return value if repr(value) == text.rstrip("0") else None


def _as_numbers(times: Mapping[Any, int]) -> Mapping[Any, int]:
    """Text that stayed text, as numbers where it reads as such, to see whether it was measured."""
    if not times or not all(isinstance(v, str) and _LOOSE.fullmatch(v) for v in times):
        return times
    numbers: Counter[Any] = Counter()
    for text, n in times.items():
        numbers[float(text)] += n
    return numbers


def _key(name: str) -> str:
    """What spellings of one class have in common."""
    text = " ".join(unicodedata.normalize("NFKC", name).split()).casefold()
    if _PLAIN.fullmatch(text):
        return text.rstrip("0").rstrip(".") if "." in text else text
    return text.rstrip(".").rstrip() or text


def _joined_spellings(values: dict[Any, Any], times: Mapping[Any, int]) -> tuple[dict[Any, Any], list[str]]:
    """Each spelling under the commonest of those that look alike."""
    spelled: Counter[Any] = Counter()
    for cell, value in values.items():
        if value is not None:
            spelled[value] += times[cell]
    groups: dict[str, list[Any]] = {}
    for value, _ in sorted(spelled.items(), key=lambda pair: (-pair[1], labels.label_name(pair[0]))):
        groups.setdefault(_key(labels.label_name(value)), []).append(value)
    first = {value: group[0] for group in groups.values() for value in group}
    joins = [" and ".join(repr(labels.label_name(v)) for v in g) for g in groups.values() if len(g) > 1]
    notes = [f"spellings joined: {'; '.join(joins[:SHOWN])}"] if joins else []
    if len(joins) > SHOWN:
        notes[0] += f"; and {len(joins) - SHOWN} more"
    return {cell: None if v is None else first[v] for cell, v in values.items()}, notes


def _levels(cells: Cells, values: Mapping[Any, Any], ignore: Any) -> list[Any]:
    """The classes that the type of the column fixes, in its order, without what is missing or ignored."""
    ignored = {labels.label_name(v) for v in labels.listed(ignore) if not labels.is_missing(v)}
    all_cells = Counter({**dict.fromkeys(cells.levels, 0), **cells.times})
    spelled, _ = read_cells(Cells(all_cells, cells.kind, decimal=cells.decimal), frozenset({""}))
    read = [values.get(level, spelled[level]) for level in cells.levels]
    return [v for v in dict.fromkeys(read) if v is not None and labels.label_name(v) not in ignored]


def _dropped(absent: Mapping[str, int], missing: Any, name: str) -> tuple[str, list[str]]:
    """(": 'NA' 30", a note on it) of the rows that were dropped for what they say."""
    marks = sorted((mark, n) for mark, n in absent.items() if mark)
    if not marks:
        return "", []
    shown = ": " + ", ".join(f"{mark!r} {n:,}" for mark, n in marks)
    marks = [(mark, n) for mark, n in marks if not _INFINITE.fullmatch(mark)]  # of those another note speaks
    if not marks:
        return shown, []
    rows = sum(n for _, n in marks)
    what = f"{' and '.join(repr(m) for m, _ in marks)} was read as missing in {rows:,} {'row' if rows == 1 else 'rows'} of {name!r}"
    if missing is not None:
        return shown, [what]
    known = [mark for mark, _ in marks]
    return shown, [
        Doubt(f"{what}; if that is a class, say --missing none (missing='none'; missing={known} if it is none)")
    ]
