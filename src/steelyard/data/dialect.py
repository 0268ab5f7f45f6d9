"""How a text file holds a table: its encoding, delimiter, quotes and header, found by looking at its beginning."""

import bz2
import codecs
import csv
import gzip
import io
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from .cells import MISSING
from .column_names import distinct_names

HEAD = 1 << 20
ROWS = 2000
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}
BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))

_SAID = re.compile(r"\"?sep=([,;\t|])\"?(?:\r\n|\n|\r)", re.IGNORECASE)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?")


@dataclass(frozen=True)
class Dialect:
    """What a reader needs to know about one text file.

    quote        '"', or None where quotes are ordinary characters
    newlines     a quoted cell runs over a line end
    names        one name per column, all different
    skip         lines before the first row of data
    decimal      "," or "."; a comma is possible only where it does not separate the cells
    notes        what was done that a reader of a plain CSV would not expect
    """

    encoding: str
    delimiter: str
    quote: str | None
    newlines: bool
    names: tuple[str, ...]
    skip: int
    decimal: str
    notes: tuple[str, ...]


def open_bytes(path: Path) -> IO[bytes]:
    """The bytes of a file, unpacked if it ends in .gz or .bz2."""
    opener = {".gz": gzip.open, ".bz2": bz2.open}.get(path.suffix.lower(), open)
    return opener(path, "rb")  # type: ignore[return-value,operator]


def sniff(path: Path) -> Dialect:
    """Look at the first megabyte. ValueError if it holds no table."""
    try:
        with open_bytes(path) as file:
            head = file.read(HEAD)
    except (EOFError, gzip.BadGzipFile) as error:
        raise ValueError(f"{path}: the file is damaged ({error}); unpack it with another tool to check.") from None
    if not head.strip(b"\0 \t\r\n"):
        raise ValueError(f"{path}: the file is empty; give a table with a header and at least one row.")
    notes: list[str] = []
    encoding, text = _decode(head, path, notes)
    if len(head) == HEAD:  # the last line may be cut
        end = max(text.rfind("\n"), text.rfind("\r"))
        if end < 0:
            raise ValueError(f"{path}: no line ends in the first megabyte; this is not a table of text.")
        text = text[: end + 1]
    if not text.strip():
        raise ValueError(f"{path}: the file is empty; give a table with a header and at least one row.")
    said = _SAID.match(text)  # Excel's first line, which says the delimiter
    text = text[said.end() :] if said else text
    delimiter = said[1] if said else _delimiter(text)
    quote, rows = _quote(text, delimiter, notes)
    if not rows:
        raise ValueError(f"{path}: no rows can be read from this text; save it as CSV or Parquet.")
    if delimiter != "," and not (delimiter == "\t" and ".tsv" in path.suffixes):
        notes.append(f"the cells are separated by {DELIMITERS[delimiter]}s")
    names, skip = _header(text, delimiter, quote, rows, notes)
    skip += 1 if said else 0
    return Dialect(
        encoding=encoding,
        delimiter=delimiter,
        quote=quote,
        newlines=quote is not None and any("\n" in c or "\r" in c for row in rows for c in row),
        names=names,
        skip=skip,
        decimal="." if delimiter == "," else ",",
        notes=tuple(notes),
    )


def not_utf8(encoding: str) -> str:
    return f"the text is not UTF-8; it was read as {encoding}, so check letters with accents"


def is_number(cell: str, delimiter: str = ",") -> bool:
    """Whether a cell reads as a number, quotes and blanks aside; a decimal comma counts if it is not the delimiter."""
    cell = cell.strip().strip("'\"")
    return bool(_NUMBER.fullmatch(cell) or (delimiter != "," and _DECIMAL_COMMA.fullmatch(cell)))


def _decode(head: bytes, path: Path, notes: list[str]) -> tuple[str, str]:
    for mark, encoding in BOMS:
        if head.startswith(mark):
            kind = "the byte-order mark at the start was removed" if encoding == "utf-8" else "the text is UTF-16"
            notes.append(kind)
            try:
                text = codecs.getincrementaldecoder(encoding)().decode(head)
            except UnicodeDecodeError:
                break
            if "\0" not in text:
                return encoding, text.removeprefix("\ufeff")
    if b"\0" in head:
        raise ValueError(f"{path}: this is not text (it holds zero bytes); give a CSV, TSV or Parquet file.")
    try:
        return "utf-8", codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        pass
    try:
        encoding, text = "cp1252", head.decode("cp1252")
    except UnicodeDecodeError:
        encoding, text = "latin-1", head.decode("latin-1")
    notes.append(not_utf8(encoding))
    return encoding, text


def _parse(text: str, delimiter: str, quote: str | None, limit: int = ROWS) -> list[list[str]]:
    quoting = csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quotechar=quote or '"', quoting=quoting)
    rows: list[list[str]] = []
    try:
        for row in reader:
            if row:
                rows.append(row)
            if len(rows) == limit:
                break
    except csv.Error:
        return []
    return rows


def _delimiter(text: str) -> str:
    """The character that cuts the lines into equally many cells; a comma inside numbers is a decimal comma."""
    text = text[: 1 << 18]
    candidates: list[tuple[float, bool, int, str]] = []
    for delimiter in DELIMITERS:
        if delimiter not in text:
            continue
        rows = max((_parse(text, delimiter, quote) for quote in ('"', None)), key=_even)
        cells = [c.strip() for row in rows[1:] for c in row if "," in c] if delimiter != "," else []
        decimal = bool(cells) and all(_DECIMAL_COMMA.fullmatch(c) for c in cells)
        if rows and _width(rows) > 1:
            candidates.append((round(_even(rows), 2), decimal, _width(rows), delimiter))
    return max(candidates)[-1] if candidates else ","


def _width(rows: list[list[str]]) -> int:
    return Counter(map(len, rows)).most_common(1)[0][0]


def _even(rows: list[list[str]]) -> float:
    """The share of rows that have the most common number of cells."""
    return Counter(map(len, rows)).most_common(1)[0][1] / len(rows) if rows else 0.0


def _quote(text: str, delimiter: str, notes: list[str]) -> tuple[str | None, list[list[str]]]:
    if '"' not in text:
        return '"', _parse(text, delimiter, '"')
    quoted, bare = (_parse(text, delimiter, quote, limit=HEAD) for quote in ('"', None))
    swallows = any("\n" in c or "\r" in c for row in quoted for c in row)
    if bare and _even(bare) == 1 and _width(bare) > 1 and (swallows or _even(quoted) < 1):
        notes.append('the quotes (") are not in pairs, so they were read as ordinary characters')
        return None, bare
    return '"', quoted


def _header(
    text: str, delimiter: str, quote: str | None, rows: list[list[str]], notes: list[str]
) -> tuple[tuple[str, ...], int]:
    first, below = rows[0], rows[1:]
    why = _looks_like_data(first, below, delimiter)
    if why is not None:
        notes.append(
            f"there is no header: the first row looks like data ({why}), so the columns are named column_1 to"
            f" column_{len(first)}, and a column can be given by its number (-1 is the last)"
        )
        return tuple(f"column_{i}" for i in range(1, len(first) + 1)), 0
    quoting = csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quotechar=quote or '"', quoting=quoting)
    next(row for row in reader if row)
    return distinct_names(first, notes), reader.line_num


def _looks_like_data(first: list[str], below: list[list[str]], delimiter: str) -> str | None:
    """Why the first row is not a header, or None.

    A word above a column of numbers proves a header. A number above numbers, or a word that comes again in its own
    column, proves data. Without proof the first row is the header, as in most files; so is 0, 1, 2, ..., which is what
    pandas writes over columns without names.
    """
    numbered = [cell.strip() for cell in first if is_number(cell, delimiter)]
    if len(numbered) > 2 and any(numbered == [str(i + start) for i in range(len(numbered))] for start in (0, 1)):
        return None
    numbers, again = None, None
    for i, cell in enumerate(first):
        column = [row[i] for row in below if len(row) > i and row[i].strip().strip("'\"") not in MISSING]
        missing = cell.strip().strip("'\"") in MISSING
        numeric = is_number(cell, delimiter)
        if not missing and not numeric and column and all(is_number(c, delimiter) for c in column):
            return None
        if numeric and numbers is None and all(is_number(c, delimiter) for c in column):
            numbers = f"{cell.strip()} in column {i + 1}"
        if not missing and not numeric and again is None and cell in column:
            again = f"{_short(cell)} comes again in column {i + 1}"
    return numbers or again


def _short(cell: str) -> str:
    cell = cell.strip()
    return repr(cell if len(cell) <= 30 else cell[:29] + "…")
