"""Tables and sentences of a terminal: as wide as it is, and no number is ever cut."""

import re
import textwrap
from collections.abc import Sequence

GAP = 2
NAME = 14  # the least that the first column is squeezed to before the table is split into several
WHOLE = re.compile(r"\[-?\d[^\[\]]*\d\]|\d+ x \d+|\d+ %")  # never broken: intervals, 5 x 5, 26 %
KEPT = "\x00"  # stands for a blank that is not broken at


def wrapped(text: str, width: int, indent: str = "", first: str = "") -> str:
    """At blanks, and never within an interval or a number; a longer word stays whole."""
    kept = WHOLE.sub(lambda match: match[0].replace(" ", KEPT), text)
    filled = textwrap.fill(
        kept, width, initial_indent=first, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
    return filled.replace(KEPT, " ")


def aligned(rows: Sequence[Sequence[str]], width: int | None = None) -> str:
    """Columns two spaces apart, the first to the left, the others to the right; the first row is the head.

    width  of the terminal, or None for as wide as it gets. Where the columns do not fit, the heads break at blanks; then the
           first column folds; then the table is split: the other columns follow in further tables, each with the first column
    """
    if width is None:
        return "\n".join(_line(row, [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]) for row in rows)
    numbers = [_narrow(rows[0][i], [row[i] for row in rows[1:]], width) for i in range(1, len(rows[0]))]
    first = max(len(row[0]) for row in rows)
    parts: list[list[int]] = [[]]
    for i, least in enumerate(numbers, start=1):
        used = sum(GAP + numbers[j - 1] for j in parts[-1])
        if parts[-1] and min(first, NAME) + used + GAP + least > width:
            parts.append([])
        parts[-1].append(i)
    return "\n\n".join(_table(rows, part, [numbers[i - 1] for i in part], first, width) for part in parts)


def _narrow(head: str, cells: Sequence[str], width: int) -> int:
    """The least width of a column: its cells whole, its head broken at blanks."""
    word = max(map(len, head.split()), default=0)
    return max([min(word, width // 2), *map(len, cells)])


def _table(rows: Sequence[Sequence[str]], part: Sequence[int], numbers: list[int], first: int, width: int) -> str:
    room = max(NAME, width - sum(GAP + n for n in numbers))
    left = min(first, room)
    spare = width - left - sum(GAP + n for n in numbers)
    widths = list(numbers)
    for k, i in enumerate(part):  # a head that fits on one line is not broken
        more = min(max(0, len(rows[0][i]) - widths[k]), max(0, spare))
        if widths[k] + more >= len(rows[0][i]):
            widths[k] += more
            spare -= more
    lines = []
    for row in rows:
        cells = [folded(row[0], left), *(_fold_head(row[i], w) for i, w in zip(part, widths, strict=True))]
        height = max(map(len, cells))
        # heads stand on their line, names begin on it
        columns = [[*cells[0], *[""] * (height - len(cells[0]))]]
        columns += [
            [""] * (height - len(c)) + c if row is rows[0] else [*c, *[""] * (height - len(c))] for c in cells[1:]
        ]
        if row is rows[0]:
            columns[0] = [""] * (height - len(cells[0])) + cells[0]
        lines += [_line([column[h] for column in columns], [left, *widths]) for h in range(height)]
    return "\n".join(lines)


def folded(name: str, width: int) -> list[str]:
    """A name in lines: at blanks and before brackets first, anywhere if it must be."""
    if len(name) <= width:
        return [name]
    lines, line = [], ""
    for piece in re.findall(r"\(?[^\s(]+\s*|\s+|\(", name):
        if line and len((line + piece).rstrip()) > width:
            lines.append(line.rstrip())
            line = "  " if len(piece.rstrip()) + 2 <= width else ""
        line += piece
        while len(line.rstrip()) > width:
            lines.append(line[:width])
            line = line[width:]
    return [*lines, line.rstrip()] if line.strip() else lines


def _fold_head(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, break_on_hyphens=False) or [""] if len(text) > width else [text]


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True))]
    return (" " * GAP).join(cells).rstrip()
