"""Where a table begins: titles, comments, the header in one or two lines, or none at all."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from .column_names import distinct_names
from .head_lines import bare, fits, is_missing, is_number, is_rule, may_be_header, second_line, short, width_of
from .head_names import fitted, names_above, names_in_comment

TITLES = 60  # rows that may stand above the header
PART = 4  # rows that a part has at least, where the header stands again above each
APART = 16  # rows below a first row of numbers and words that show whether its words are names
MOSTLY = 0.9


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


def head_of(rows: Sequence[Sequence[str]], delimiter: str, where: str, notes: list[str], comment: str = "") -> Head:
    """Find it. `comment` is the last line of comment above the rows, without its mark: in some files that is the header.

    ValueError if the header has another number of cells than the rows.
    """
    width = width_of(rows[min(len(rows) // 2, 3) :])
    numeric = _numeric(rows, width, delimiter)
    rule = next((i for i, r in enumerate(rows[:TITLES]) if i and is_rule(r)), None)
    first = _first_row(rows, width, numeric, delimiter) if rule is None else rule + 1
    above = list(rows[: first if rule is None else rule])
    named = names_in_comment(comment, delimiter, width) if not above else None
    if named is not None:
        notes.append("the header was read from the line of comment above the rows")
        names = named
    elif not above:
        return _without_header(rows, width, numeric, delimiter, notes)
    else:
        names, titles = names_above(above, rows[first:], width, numeric, notes)
        if titles:
            notes.append(
                f"{titles} {'line' if titles == 1 else 'lines'} above the header {'was' if titles == 1 else 'were'} left out"
                f" ({short(' '.join(c for c in above[0] if c.strip()) or 'separators only')})"
            )
    names, unused = fitted(list(names), rows[first:], width, where, notes)
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
        cells = [r[i] for r in later if not is_missing(r[i])]
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
            if fits(r, width, numeric, delimiter) and any(not is_missing(r[j]) for j in numeric)
        ),
        0,
    )
    if first == 0 and _counts_on(rows, numeric):
        return 1
    # a row that has an odd cell where the others have numbers is data, not a second line of the header
    while first > 1 and may_be_header(rows[first - 2], width) and not second_line(rows, first - 1, width, numeric):
        first -= 1
    return first


def _first_of_text(rows: Sequence[Sequence[str]], width: int, delimiter: str) -> int:
    skip = 0
    while skip < min(len(rows) - 1, TITLES) and not may_be_header(rows[skip], width):
        skip += 1
    skip = 0 if skip == min(len(rows) - 1, TITLES) else skip
    return skip if _looks_like_data(rows[skip], rows[skip + 1 :], delimiter) is not None and skip == 0 else skip + 1


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
        column = [row[i] for row in below if len(row) > i and not is_missing(row[i])]
        missing, numeric = is_missing(cell), is_number(cell, delimiter)
        if not missing and not numeric and column and all(is_number(c, delimiter) for c in column):
            return None
        if numeric and numbers is None and all(is_number(c, delimiter) for c in column) and (column or not copies):
            numbers = f"{cell.strip()} in column {i + 1}"
        if not missing and not numeric and again is None and cell in column:
            again = f"{short(cell)} comes again in column {i + 1}"
    return numbers or again


def _only_together(first: Sequence[str], below: Sequence[Sequence[str]]) -> bool:
    return all(
        list(row) == list(first) or not any(c.strip() and c == row[i] for i, c in enumerate(first[: len(row)]))
        for row in below
    )
