"""Cells and lines near the head of a table: what may be a number, a header, a comment, a row."""

import re
from collections import Counter
from collections.abc import Sequence

from .cells import MISSING

MARKS = ("#", "%", "//", "--")  # what a line of comment begins with
ODD = {*MISSING, "-", "--", ".", "none", "None", "unknown", "missing", "N.A.", "n.a.", "\\N", "*", "x"}

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_UNLETTERED = re.compile(r"^[^A-Za-z]*\d[^A-Za-z]*$")  # 1 219,5 and $3: numbers in clothes
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?")


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
        is_missing(row[i]) or is_number(row[i], delimiter) or _UNLETTERED.search(row[i]) for i in numeric
    )


def may_be_header(row: Sequence[str], width: int) -> bool:
    filled = sum(bool(c.strip()) for c in row)
    if width == 1:
        return filled == 1 and len(row) == 1
    if len(row) == width - 1:
        return filled == len(row)
    return len(row) in (width, width + 1) and (filled > 1 or (width == 2 and filled == 1 and not row[0].strip()))


def second_line(rows: Sequence[Sequence[str]], at: int, width: int, numeric: frozenset[int]) -> bool:
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
    merged = is_merged(upper, row)
    return len(numeric) > 1 or bracketed or merged or not words


def is_merged(upper: Sequence[str], lower: Sequence[str]) -> bool:
    """Whether names of the upper line stand over several of the lower: the same one again, or none over a name."""
    named = [bare(c) for c in upper if c.strip()]
    return len(upper) == len(lower) and (
        len({*named}) < len(named) or any(bare(b) and not bare(a) for a, b in zip(upper, lower, strict=True))
    )


def is_rule(row: Sequence[str]) -> bool:
    """A line of dashes below the header, cell by cell."""
    return any(row) and all(re.fullmatch(r"\s*:?[-=]{2,}:?\s*", c) for c in row if c)


def is_missing(cell: str) -> bool:
    return cell.strip().strip("'\"") in MISSING


def short(cell: str) -> str:
    cell = " ".join(cell.split())
    return repr(cell if len(cell) <= 30 else cell[:29] + "…")
