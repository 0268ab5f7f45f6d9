"""Rows that do not fit: another number of cells than the header has names, or a quote that is never closed."""

import csv
import io
from collections import Counter
from pathlib import Path
from typing import Any

from .dialect import Dialect
from .feet import is_row_count
from .formats import open_bytes
from .head_lines import MARKS, mark_of
from .lines import Dropped
from .rewrites import rewritten

MOST = 10_000  # rows that do not fit, after which no more are counted
RUNS_ON = 100  # lines that a cell may have


class Ragged:
    """Counts them for pyarrow, which asks what to do with each; lines of comment are `dropped`."""

    def __init__(self, dialect: Dialect, dropped: Dropped) -> None:
        self.width, self.marks, self.dropped = len(dialect.columns), frozenset(MARKS) - dialect.cells, dropped
        self.cells: Counter[int] = Counter()
        self.first = ""
        self.blank = 0  # lines that are no rows

    def __call__(self, row: Any) -> str:
        if not row.text.strip(" \t\r\n\f\x1a"):
            self.blank += 1
            return "skip"
        if mark_of(row.text) in self.marks or is_row_count(row.text):
            self.dropped.add("foot" if is_row_count(row.text) else "comment", row.text)
            self.blank += row.text.count("\n") + 1
            return "skip"
        self.first = self.first or row.text
        self.cells[row.actual_columns] += 1
        return "skip" if self.cells.total() < MOST else "error"

    def refuse(self, file: Path, dialect: Dialect) -> None:
        """ValueError with their number and the line of the first."""
        if not self.cells:
            return
        n, at = self.cells.total(), _line_of(file, self.first, dialect)
        others = ", ".join(str(c) for c, _ in self.cells.most_common(3))
        raise ValueError(
            f"{file}: {n:,}{' or more' if n >= MOST else ''} {'row has' if n == 1 else 'rows have'} another number of cells than the"
            f" {self.width} of the others ({others}); the first is line {at}: {' '.join(self.first.split())[:80]!r}. Correct"
            f" {'it' if n == 1 else 'them'}, or quote cells that hold the separator."
        )


def refuse_open_quote(file: Path, dialect: Dialect) -> bool:
    """Whether cells run over line ends. ValueError where one runs to the end of the file, or over very many lines."""
    found, before = False, 0
    with open_bytes(file) as opened:
        text = io.TextIOWrapper(opened, encoding=dialect.encoding, errors="replace", newline="")
        source = (rewritten(line.encode(), dialect.rewrites).decode() for line in text) if dialect.rewrites else text
        reader = csv.reader(source, delimiter=dialect.delimiter, quotechar=dialect.quote or '"')
        csv.field_size_limit(1 << 30)
        for row in reader:
            run = reader.line_num - before
            cell = next((c for c in row if "\n" in c or "\r" in c), None) if run > 1 else None
            if cell is not None:
                found = True
                if run > RUNS_ON or (len(row) != len(dialect.columns) and before >= dialect.skip):
                    raise ValueError(
                        f"{file}: the quote ({dialect.quote}) that opens in line {before + 1} is not closed within {run:,} lines:"
                        f' {cell[:40].splitlines()[0]!r}. Close it, or double it ("") if it belongs to the text.'
                    )
            before = reader.line_num
        return found


def _line_of(file: Path, row: str, dialect: Dialect) -> str:
    """The number of the line, as editors count, or "unknown" """
    first = (row.splitlines() or [""])[0].encode()
    with open_bytes(file) as opened:
        text = io.TextIOWrapper(opened, encoding=dialect.encoding, errors="replace")
        for number, line in enumerate(text, 1):
            raw = line.encode()
            if number > dialect.skip and first in (
                raw.rstrip(b"\r\n"),
                rewritten(raw, dialect.rewrites).rstrip(b"\r\n"),
            ):
                return f"{number:,}"
    return "unknown"
