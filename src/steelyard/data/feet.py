"""What stands below a table, or among its rows, and is no row: totals, "(1234 rows)", notes."""

import re
from collections.abc import Sequence

LAST = 10  # lines that a foot may have
TOTALS = {"total", "totals", "grand total", "sum", "subtotal", "mean", "average", "avg", "median", "count", "std", "min", "max", "minimum", "maximum", "stdev", "std dev", "sd", "25%", "50%", "75%", "gesamt", "summe", "insgesamt", "mittelwert", "durchschnitt", "somme", "moyenne", "suma", "media", "promedio", "totale", "totaal"}  # fmt: skip
_ROWS = re.compile(r"\(?\s*[\d.,]+ (?:rows?|records?|Zeilen?|lignes?|filas?)\b[^,;\t|]*", re.IGNORECASE)
_NOTE = re.compile(
    r"[*†©]|\[\d|(?:source|note|quelle|hinweis|footnote|legend|generated|exported|copyright|nota)s?\b", re.IGNORECASE
)
_RULE = re.compile(r"[-=+|:,;\s]*[-=]{3,}[-=+|:,;\s]*")


def is_row_count(line: str) -> bool:
    """ "(1234 rows)", as SQL tools write it."""
    return bool(_ROWS.fullmatch(line.strip()))


def is_rule(line: str) -> bool:
    """A line of dashes."""
    return bool(_RULE.fullmatch(line))


def total_word(cell: str) -> str:
    """The word that calls a row one of totals, or ""."""
    word = cell.strip("*:= '\"").casefold()
    return word if word in TOTALS else ""


def total_words(rows: Sequence[Sequence[str]]) -> frozenset[tuple[int, str]]:
    """(column, word) of rows of the table itself that begin as totals do: there it is a category."""
    return frozenset((i, word) for row in rows for i, cell in enumerate(row[:2]) if (word := total_word(cell)))


def reason(
    line: str, cells: Sequence[str], width: int, *, fits: bool, below_blank: bool, words: frozenset[tuple[int, str]]
) -> str | None:
    """Why one of the last lines is no row ("total", "foot"), or None."""
    filled = [c for c in cells if c.strip()]
    if is_row_count(line):
        return "foot"
    if not filled or width < 2:
        return None
    at = list(cells).index(filled[0])
    word = total_word(filled[0])
    if word and at < 2 and (at, word) not in words:
        return "total"
    alone = len(filled) == 1 or len(cells) != width
    noted = below_blank or bool(_NOTE.match(filled[0].strip("'\" ")))
    if alone and noted and (not fits or (width > 2 and len(filled) == 1 and cells[0].strip())):
        return "foot"
    return None
