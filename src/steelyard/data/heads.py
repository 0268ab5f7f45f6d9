"""Where a table begins: titles, comments, the header in one or two lines, units, and columns of row names."""

import itertools
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from .cells import MISSING
from .column_names import distinct_names

MARKS = ("#", "%", "//", "--")  # what a line of comment begins with
TITLES = 60  # rows that may stand above the header
PART = 4  # rows that a part has at least, where the header stands again above each
APART = 16  # rows below a first row of numbers and words that show whether its words are names
MOSTLY = 0.9
UNNAMED = re.compile(r"|Unnamed: \d+(\.\d+)*|\.\.\.1|row\.?names|__index_level_\d+__")
ODD = {*MISSING, "-", "--", ".", "none", "None", "unknown", "missing", "N.A.", "n.a.", "\\N", "*", "x"}

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_UNLETTERED = re.compile(r"^[^A-Za-z]*\d[^A-Za-z]*$")  # 1 219,5 and $3: numbers in clothes
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?")


@dataclass(frozen=True)
class Head:
    """What the first rows of a table say.

    columns  a name for each cell of a row, all different
    unused   {column: why it is not read}: row names, and what a separator at the end of each line makes
    first    which of the rows is the first row of data
    numeric  which columns hold numbers
    """

    columns: tuple[str, ...]
    unused: dict[str, str]
    first: int
    numeric: frozenset[int]


def is_number(cell: str, delimiter: str = ",") -> bool:
    """Whether a cell reads as a number, quotes and blanks aside; a decimal comma counts if it is not the delimiter."""
    cell = cell.strip().strip("'\"")
    return bool(_NUMBER.fullmatch(cell) or (delimiter != "," and _DECIMAL_COMMA.fullmatch(cell)))


def bare(cell: str) -> str:
    return cell.strip().strip("'\"").strip()


def mark_of(line: str) -> str | None:
    """The one of MARKS that a line begins with."""
    return next((m for m in MARKS if line.startswith(m)), None)


def width_of(rows: Sequence[Sequence[str]]) -> int:
    return Counter(map(len, rows)).most_common(1)[0][0]


def fits(row: Sequence[str], width: int, numeric: frozenset[int], delimiter: str) -> bool:
    """Whether a row may be data: as many cells as the others, and numbers where they have numbers."""
    return len(row) == width and all(
        _bare_missing(row[i]) or is_number(row[i], delimiter) or _UNLETTERED.search(row[i]) for i in numeric
    )


def head_of(rows: Sequence[Sequence[str]], delimiter: str, where: str, notes: list[str], comment: str = "") -> Head:
    """Find it. `comment` is the last line of comment above the rows, without its mark: in some files that is the header.

    ValueError if the header has another number of cells than the rows.
    """
    width = width_of(rows[min(len(rows) // 2, 3) :])
    numeric = _numeric(rows, width, delimiter)
    rule = next((i for i, r in enumerate(rows[:TITLES]) if i and _is_rule(r)), None)
    first = _first_row(rows, width, numeric, delimiter) if rule is None else rule + 1
    above = list(rows[: first if rule is None else rule])
    named = _names_in_comment(comment, delimiter, width) if not above else None
    if named is not None:
        notes.append("the header was read from the line of comment above the rows")
        names = named
    elif not above:
        return _without_header(rows, width, numeric, delimiter, notes)
    else:
        names, titles = _names_above(above, rows[first:], width, numeric, notes)
        if titles:
            notes.append(
                f"{titles} {'line' if titles == 1 else 'lines'} above the header {'was' if titles == 1 else 'were'} left out"
                f" ({_short(' '.join(c for c in above[0] if c.strip()) or 'separators only')})"
            )
    names, unused = _fitted(list(names), rows[first:], width, where, notes)
    renamed = distinct_names([n for n in names if n is not None], notes_on_names := [])
    it = iter(renamed)
    columns = tuple(next(it) if n is not None else f"\0{i}" for i, n in enumerate(names))
    notes.extend(notes_on_names)
    return Head(columns, {columns[i]: why for i, why in unused.items()}, first, numeric)


def _numeric(rows: Sequence[Sequence[str]], width: int, delimiter: str) -> frozenset[int]:
    """Columns that hold numbers in the later half of the rows, which titles and headers do not reach."""
    later = [r for r in rows[max(1, len(rows) // 2) if len(rows) < 60 else 30 :] if len(r) == width]
    if not later:
        return frozenset()
    found = []
    for i in range(width):
        cells = [r[i] for r in later if not _bare_missing(r[i])]
        if cells and sum(is_number(c, delimiter) for c in cells) >= MOSTLY * len(cells):
            found.append(i)
    return frozenset(found)


def _first_row(rows: Sequence[Sequence[str]], width: int, numeric: frozenset[int], delimiter: str) -> int:
    """The first row of data: 0 where there is no header."""
    if not numeric or len(rows) == 1:
        return _first_of_text(rows, width, delimiter)
    first = next(
        (
            i
            for i, r in enumerate(rows[:TITLES])
            if fits(r, width, numeric, delimiter) and any(not _bare_missing(r[j]) for j in numeric)
        ),
        0,
    )
    if first == 0 and _counts_on(rows, numeric):
        return 1
    # a row that has an odd cell where the others have numbers is data, not a second line of the header
    while first > 1 and _may_be_header(rows[first - 2], width) and not _second_line(rows, first - 1, width, numeric):
        first -= 1
    return first


def _first_of_text(rows: Sequence[Sequence[str]], width: int, delimiter: str) -> int:
    skip = 0
    while skip < min(len(rows) - 1, TITLES) and not _may_be_header(rows[skip], width):
        skip += 1
    skip = 0 if skip == min(len(rows) - 1, TITLES) else skip
    return skip if _looks_like_data(rows[skip], rows[skip + 1 :], delimiter) is not None and skip == 0 else skip + 1


def _may_be_header(row: Sequence[str], width: int) -> bool:
    filled = sum(bool(c.strip()) for c in row)
    if width == 1:
        return filled == 1 and len(row) == 1
    if len(row) == width - 1:
        return filled == len(row)
    return len(row) in (width, width + 1) and (filled > 1 or (width == 2 and filled == 1 and not row[0].strip()))


def _second_line(rows: Sequence[Sequence[str]], at: int, width: int, numeric: frozenset[int]) -> bool:
    """Whether row `at`, above the data, belongs to the header: units, or the second line of merged cells."""
    row, below = rows[at], rows[at + 1 :]
    if (
        len(row) != width
        or any(bare(row[i]) in ODD - {""} or is_number(row[i]) for i in numeric)
        or not any(row[i].strip() for i in numeric)
    ):
        return False
    words = [i for i in range(width) if i not in numeric and row[i].strip()]
    if any(row[i] == other[i] for i in words for other in below if len(other) == width):
        return False
    bracketed = all(re.fullmatch(r"[(\[].*[)\]]", bare(row[i])) for i in numeric if row[i].strip())
    upper = rows[at - 1]
    merged = _is_merged(upper, row)
    return len(numeric) > 1 or bracketed or merged or not words


def _is_merged(upper: Sequence[str], lower: Sequence[str]) -> bool:
    """Whether names of the upper line stand over several of the lower: the same one again, or none over a name."""
    named = [bare(c) for c in upper if c.strip()]
    return len(upper) == len(lower) and (
        len({*named}) < len(named) or any(bare(b) and not bare(a) for a, b in zip(upper, lower, strict=True))
    )


def _counts_on(rows: Sequence[Sequence[str]], numeric: frozenset[int]) -> bool:
    """Whether the first row is a header of whole numbers: 0, 1, 2, ... over columns without names, or years beside a word."""
    first = [bare(c) for c in rows[0]]
    if len(first) > 2 and any(first == [str(i + start) for i in range(len(first))] for start in (0, 1)):
        return True
    if _stands_apart(rows, numeric):
        return True
    cells = [first[i] for i in sorted(numeric)]
    if len(cells) < 2 or not all(c.isdecimal() for c in cells):
        return False
    numbers = list(map(int, cells))
    if any(b != a + 1 for a, b in itertools.pairwise(numbers)):
        return False
    if len(numbers) > 2 and numbers[0] in (0, 1):
        return True
    words = [i for i in range(len(first)) if i not in numeric]
    fresh = all(first[i] and all(first[i] != bare(r[i]) for r in rows[1:] if len(r) > i) for i in words)
    again = any(len(r) == len(first) and [bare(r[i]) for i in sorted(numeric)] == cells for r in rows[1:])
    return bool(words) and fresh and not again and 1900 <= numbers[0] <= 2100


def _stands_apart(rows: Sequence[Sequence[str]], numeric: frozenset[int]) -> bool:
    """Whether the words of the first row come nowhere again, although one of their columns has few values."""
    first, below = rows[0], [r for r in rows[1:] if len(r) == len(rows[0])]
    words = [i for i in range(len(first)) if i not in numeric]
    if len(below) < APART or not words or not all(bare(first[i]) for i in range(len(first))):
        return False
    levels = [{r[i] for r in below} for i in words]
    return not any(first[i] in held for i, held in zip(words, levels, strict=True)) and min(
        map(len, levels)
    ) * 8 <= len(below)


def _names_in_comment(comment: str, delimiter: str, width: int) -> list[str] | None:
    cells = [c.strip() for c in comment.split(delimiter)]
    if width > 1 and len(cells) != width:
        cells = comment.split()
    return cells if width > 1 and len(cells) == width and not any(is_number(c, delimiter) for c in cells) else None


def _names_above(
    above: list[Sequence[str]], below: Sequence[Sequence[str]], width: int, numeric: frozenset[int], notes: list[str]
) -> tuple[list[str], int]:
    """(names, lines above them)."""
    rows = [*above, *below[:200]]
    last = above[-1]
    if len(above) > 2 and sum(bool(c.strip()) for c in last) == 1 and last[0].strip() and len(last) == width:
        upper = above[-2]  # pandas writes the name of the index on a line of its own
        if len(upper) == width and not upper[0].strip():
            above = [*above[:-2], [last[0], *upper[1:]]]
            last = above[-1]
    if (
        len(above) > 1
        and _may_be_header(above[-2], width)
        and (not numeric or _second_line(rows, len(above) - 1, width, numeric))
    ):
        upper = above[-2]
        if numeric and len(upper) == width:
            if not _is_merged(upper, last):
                notes.append(
                    f"the line below the header was left out as units ({_short(', '.join(c for c in last if c.strip()))})"
                )
                return list(upper), len(above) - 2
            filled, names = "", []
            for cell, under in zip(upper, last, strict=True):
                filled = bare(cell) or filled
                names.append(" ".join(dict.fromkeys(part for part in (filled, bare(under)) if part)))
            notes.append("the header has two lines; each name joins both")
            return names, len(above) - 2
    return list(last), len(above) - 1


def _fitted(
    names: list[str], data: Sequence[Sequence[str]], width: int, where: str, notes: list[str]
) -> tuple[list[str | None], dict[int, str]]:
    """(a name for each cell of a row, None for those that are not read; why they are not)."""
    whole = [r for r in data if len(r) == width]
    empty_last = width > 1 and bool(whole) and all(not r[-1].strip() for r in whole)
    unused: dict[int, str] = {}
    fitted: list[str | None] = list(names)
    if len(names) == width + 1 and not names[-1].strip():
        fitted.pop()
        notes.append("the header ends with a separator")
    elif len(names) == width - 1 and empty_last:
        unused[width - 1] = "the lines end with a separator"
        fitted.append(None)
        notes.append("the lines end with a separator")
    elif len(names) == width - 1 and whole and _are_row_names([r[0] for r in whole]):
        unused[0] = "row names"
        fitted.insert(0, None)
        notes.append(
            "the header has one name less than the rows have cells, so the first column holds row names; it is not used and not"
            " numbered (to use it, give it a name)"
        )
    elif len(names) != width and data:
        raise ValueError(
            f"{where}: the header has {len(names)} {'name' if len(names) == 1 else 'names'} but the rows below have {width}"
            f" cells ({_short(' '.join(names))} above {_short(' '.join(data[0]))}). Give each column one name."
        )
    elif empty_last and not names[-1].strip():
        unused[width - 1] = "the lines end with a separator"
        fitted[-1] = None
        notes.append("the lines end with a separator")
    for i, name in enumerate(fitted):
        if name is None or width == 1 or not UNNAMED.fullmatch(bare(name)):
            continue
        cells = [bare(r[i]) for r in whole]
        counts = cells in ([str(j + start) for j in range(len(cells))] for start in (0, 1))
        if (i == 0 or name.strip()) and (
            counts or (i == 0 and len(cells) > 1 and len(set(cells)) == len(cells) and all(cells))
        ):
            unused[i] = "row names"
            fitted[i] = None
            called = f"column {i + 1} ({bare(name)!r})" if bare(name) else "the first column, which has no name,"
            notes.append(f"{called} holds row names; it is not used and not numbered (to use it, give it a name)")
    if all(n is None for n in fitted):
        return list(names), {}
    return fitted, unused


def _are_row_names(cells: list[str]) -> bool:
    """All different, and none the half of a cell that holds the separator."""
    return len(set(cells)) == len(cells) and not any(
        c.strip()[:1] in ("“", "„", "«", "'") or c.endswith("\\") for c in cells
    )


def _without_header(
    rows: Sequence[Sequence[str]], width: int, numeric: frozenset[int], delimiter: str, notes: list[str]
) -> Head:
    why = _looks_like_data(rows[0], rows[1:], delimiter) or "its numbers stand where the others have numbers"
    unused = {}
    whole = [r for r in rows if len(r) == width]
    columns = tuple(f"column_{i}" for i in range(1, width + 1))
    if width > 1 and len(whole) > 1 and all(not r[-1].strip() for r in whole):
        unused[columns[-1]] = "the lines end with a separator"
        notes.append("the lines end with a separator")
    used = len(columns) - len(unused)
    notes.append(
        f"there is no header: the first row looks like data ({why}), so the columns are named column_1 to column_{used}, and a"
        " column can be given by its number (-1 is the last); if it is the header, give its columns names that are no numbers"
        " and do not come again"
    )
    return Head(columns, unused, 0, numeric)


def _looks_like_data(first: Sequence[str], below: Sequence[Sequence[str]], delimiter: str) -> str | None:
    """Why the first row is not a header, or None.

    A word above a column of numbers proves a header. A number above numbers, or a word that comes again in its own
    column, proves data; unless all of them come again together: then a header stands inside the table again. Without proof
    the first row is the header, as in most files; so is 0, 1, 2, ..., which is what pandas writes over columns without names.
    """
    numbered = [cell.strip() for cell in first if is_number(cell, delimiter)]
    if len(numbered) > 2 and any(numbered == [str(i + start) for i in range(len(numbered))] for start in (0, 1)):
        return None
    copies = [row for row in below if list(row) == list(first)]
    if len(first) > 1 and len(copies) * PART <= len(below) and _only_together(first, below):
        below = [row for row in below if list(row) != list(first)]
    numbers, again = None, None
    for i, cell in enumerate(first):
        column = [row[i] for row in below if len(row) > i and not _bare_missing(row[i])]
        missing, numeric = _bare_missing(cell), is_number(cell, delimiter)
        if not missing and not numeric and column and all(is_number(c, delimiter) for c in column):
            return None
        if numeric and numbers is None and all(is_number(c, delimiter) for c in column) and (column or not copies):
            numbers = f"{cell.strip()} in column {i + 1}"
        if not missing and not numeric and again is None and cell in column:
            again = f"{_short(cell)} comes again in column {i + 1}"
    return numbers or again


def _only_together(first: Sequence[str], below: Sequence[Sequence[str]]) -> bool:
    return all(
        list(row) == list(first) or not any(c.strip() and c == row[i] for i, c in enumerate(first[: len(row)]))
        for row in below
    )


def _is_rule(row: Sequence[str]) -> bool:
    """A line of dashes below the header, cell by cell."""
    return any(row) and all(re.fullmatch(r"\s*:?[-=]{2,}:?\s*", c) for c in row if c)


def _bare_missing(cell: str) -> bool:
    return cell.strip().strip("'\"") in MISSING


def _short(cell: str) -> str:
    cell = " ".join(cell.split())
    return repr(cell if len(cell) <= 30 else cell[:29] + "…")
