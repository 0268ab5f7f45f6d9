"""How a text file holds a table: its encoding, delimiter, quotes and header, found by looking at its beginning."""

import csv
import gzip
import io
import lzma
import re
import zlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from .encoding import decode
from .feet import LAST, total_words
from .formats import open_bytes, refuse
from .head_lines import is_number, mark_of, width_of
from .heads import head_of
from .rewrites import SAID, is_drawn, rewritten

HEAD, LARGEST_HEAD = 1 << 20, 1 << 26  # bytes that are looked at: more only where a row is as long as that
LINES = 20  # that are looked at at least
ROWS, CELLS = 2000, 1 << 20  # looked at to find the header
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}
RARER = {":": "colon", "^": "caret", "~": "tilde", "\x01": "control-A"}  # only where none of the others serves
COMMENTS = 0.2  # share of the rows that begin with a mark above which these are cells, not comments

_SEP = re.compile(r"\"?sep=([^\w\s\"]|\t)\"?(?:\r\n|\n|\r)", re.IGNORECASE)
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?")
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r|$)")
_LIBSVM = re.compile(r"(?:[-+]?[\d.]+(?: qid:\d+)?(?: \d+:[-+.\deE]+)+[^\S\n]*(?:#.*)?\r?\n){2}")
_INNER = re.compile(r"\\\"(?!\s*(?:[,;\t|]|\r|\n|$))")


@dataclass(frozen=True)
class Dialect:
    """What a reader needs to know about one text file.

    quote     '"' or "'", or None where quotes are ordinary characters
    newlines  a quoted cell runs over a line end
    columns   one name per cell of a row, all different
    names     those that are read: not row names, nor what a separator at the end of each line makes
    skip      lines before the first row of data
    headers   the lines above the first row, the nearest ones, as they stand
    decimal   "," or "."; a comma is possible only where it does not separate the cells
    rewrites  what is done to the lines first, see rewrites.py
    numeric   which columns hold numbers
    mark      what the lines of comment above the header begin with, or ""
    cells     the marks that begin many rows, and so are no comments
    totals    (column, word) where rows of the table itself begin as totals do, see feet.py
    row       bytes of the longest line that was seen
    notes     what was done that a reader of a plain CSV would not expect
    """

    encoding: str
    delimiter: str
    quote: str | None
    newlines: bool
    columns: tuple[str, ...]
    names: tuple[str, ...]
    skip: int
    headers: tuple[str, ...]
    decimal: str
    rewrites: tuple[str, ...]
    numeric: frozenset[int]
    mark: str
    cells: frozenset[str]
    totals: frozenset[tuple[int, str]]
    row: int
    notes: tuple[str, ...]


def sniff(path: Path) -> Dialect:
    """Look at the first megabyte. ValueError if it holds no table."""
    head, whole = _beginning(path)
    refuse(path, head[:64])
    if not head.strip(b"\0 \t\r\n"):
        raise ValueError(f"{path}: the file is empty; give a table with a header and at least one row.")
    notes: list[str] = []
    encoding, text = decode(head, path, notes)
    if not whole:  # the last line may be cut
        end = max(text.rfind("\n"), text.rfind("\r"))
        if end < 0:
            raise ValueError(f"{path}: no line ends in the first {len(head) >> 20} MB; this is not a table of text.")
        text = text[: end + 1]
    if not text.strip():
        raise ValueError(f"{path}: the file is empty; give a table with a header and at least one row.")
    if _LIBSVM.match(text):
        raise ValueError(
            f"{path}: this is the sparse format of LIBSVM; write it as a table once: X, y = sklearn.datasets.load_svmlight_file({str(path)!r});"
            " pandas.DataFrame(X.toarray()).assign(y=y).to_parquet('t.parquet')."
        )
    if text.lstrip()[:1] in ("{", "[") and re.match(r"\s*(\[\s*)?\{\s*\"", text):
        raise ValueError(
            f"{path}: this is JSON, not a table of cells; give it the ending .jsonl (a row on each line) or .json."
        )
    said = _SEP.match(text)  # Excel's first line, which says the delimiter
    skip, text = (1, text[said.end() :]) if said else (0, text)
    above, mark, comment, text = _comments(text)
    skip += above
    drawn = is_drawn(text)
    drawn_with = rewritten(text.encode(), ("edges",)).decode() if drawn else text
    delimiter, rewrites = (
        ("|", ()) if drawn and "|" in drawn_with else _delimiter(drawn_with, said[1] if said else None)
    )
    rewrites = ("edges", *rewrites) if drawn else rewrites
    text = rewritten(text.encode(), rewrites).decode()
    if (
        delimiter * 2 in text
        and not drawn
        and (rows := parse(text[: 1 << 18], delimiter, '"')[0])
        and _is_doubled(rows)
    ):
        rewrites, text = (*rewrites, delimiter * 2), text.replace(delimiter * 2, delimiter)
    spaced = f'{delimiter} "'
    if spaced in text and _is_spaced(text, delimiter, spaced):
        rewrites, text = (*rewrites, spaced), rewritten(text.encode(), (spaced,)).decode()
    if _INNER.search(text) and _is_better(text, delimiter):
        rewrites, text = (*rewrites, "escapes"), rewritten(text.encode(), ("escapes",)).decode()
    quote, rows, ends = _quote(text, delimiter, notes)
    if not rows:
        raise ValueError(f"{path}: no rows can be read from this text; save it as CSV or Parquet.")
    notes.extend(SAID.get(name, f"the cells are separated by {name!r}") for name in rewrites if name != spaced)
    if width_of(rows) == 1 and _is_fixed_width(text):
        raise ValueError(
            f"{path}: this looks like columns of fixed width, with blanks inside the cells; write them with a separator:"
            f" pandas.read_fwf({str(path)!r}).to_csv('new.csv', index=False)."
        )
    if (
        not {"blanks", delimiter * 2} & {*rewrites}
        and delimiter != ","
        and not (delimiter == "\t" and ".tsv" in path.suffixes)
    ):
        notes.append(f"the cells are separated by {_called(delimiter)}")
    found = head_of(rows[: max(50, min(ROWS, CELLS // width_of(rows)))], delimiter, str(path), notes, comment)
    if above and "the header was read from the line of comment above the rows" not in notes:
        notes.append(
            f"{above} {'line' if above == 1 else 'lines'} of comment or blank above the header {'was' if above == 1 else 'were'} left out"
        )
    lines = text.splitlines()
    return Dialect(
        encoding=encoding,
        delimiter=delimiter,
        quote=quote,
        newlines=quote is not None and any("\n" in c or "\r" in c for row in rows for c in row),
        columns=found.columns,
        names=tuple(name for name in found.columns if name not in found.unused),
        skip=skip + (ends[found.first - 1] if found.first else 0),
        headers=tuple(filter(None, (_line(text, end) for end in ends[max(0, found.first - 3) : found.first]))),
        decimal="." if delimiter == "," else ",",
        rewrites=rewrites,
        numeric=found.numeric,
        mark=mark,
        cells=_common_marks(lines[ends[found.first - 1] if found.first else 0 :]),
        totals=total_words(rows[found.first : -LAST]),
        row=max(map(len, lines[:ROWS])),
        notes=tuple(notes),
    )


def _beginning(path: Path) -> tuple[bytes, bool]:
    """(the first bytes, whether they are the whole file)."""
    try:
        with open_bytes(path) as file:
            head = _read(file, HEAD)
            while len(head) % HEAD == 0 and len(head) < LARGEST_HEAD and head.count(b"\n") + head.count(b"\r") < LINES:
                more = _read(file, len(head))
                if not more:
                    return head, True
                head += more
            return head, len(head) % HEAD != 0 or not file.read(1)
    except (EOFError, gzip.BadGzipFile, zlib.error, lzma.LZMAError, OSError) as error:
        if isinstance(error, FileNotFoundError):
            raise
        raise ValueError(f"{path}: the file is damaged ({error}); unpack it with another tool to check.") from None


def _read(file: IO[bytes], size: int) -> bytes:
    """So many bytes, also from streams that give less at a time."""
    parts, held = [], 0
    while held < size and (part := file.read(size - held)):
        parts.append(part)
        held += len(part)
    return b"".join(parts)


def _comments(text: str) -> tuple[int, str, str, str]:
    """(lines of comment or blank at the start, their mark, the last of them without it, the rest); none where what
    looks like a mark begins many rows."""
    at, lines, mark, last = 0, 0, "", ""
    while match := _LINE.match(text, at):
        line = match[0].strip()
        if match.end() == at or (line and mark_of(line) is None):
            break
        if line:
            mark, last = mark_of(line) or "", line
        at, lines = match.end(), lines + 1
    if not last:
        return 0, "", "", text
    below = text[at:].splitlines()[:ROWS]
    if not any(map(str.strip, below)) or mark in _common_marks(below):
        return 0, "", "", text
    return lines, mark, last.lstrip(mark[0]).strip(), text[at:]


def _common_marks(lines: list[str]) -> frozenset[str]:
    """The marks that begin more than a few of the lines."""
    begun = [m for line in lines[:ROWS] if (m := mark_of(line.lstrip())) is not None]
    return frozenset(m for m in set(begun) if begun.count(m) > max(1, COMMENTS * min(len(lines), ROWS)))


def parse(text: str, delimiter: str, quote: str | None, limit: int = ROWS) -> tuple[list[list[str]], list[int]]:
    """(rows that are not empty, the line at which each ends); none where quotes do not close."""
    quoting = csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quotechar=quote or '"', quoting=quoting)
    rows: list[list[str]] = []
    ends: list[int] = []
    try:
        for row in reader:
            if len(row) > 1 or (row and row[0].strip(" \t\f\x1a")):
                rows.append(row)
                ends.append(reader.line_num)
            if len(rows) == limit:
                break
    except csv.Error:
        return [], []
    return rows, ends


def _delimiter(text: str, given: str | None) -> tuple[str, tuple[str, ...]]:
    """(the character that cuts the lines into equally many cells, rewrites); a comma inside numbers is a decimal comma."""
    if given is not None:
        return given, ()
    text = text[: 1 << 18] if len(text.splitlines()[0]) < 1 << 16 else text
    candidates: list[tuple[float, bool, int, str]] = []
    for delimiter in DELIMITERS:
        if delimiter not in text:
            continue
        rows = max((parse(text, delimiter, quote)[0] for quote in ('"', None)), key=_even)
        cells = [c.strip() for row in rows[1:] for c in row if "," in c] if delimiter != "," else []
        decimal = bool(cells) and all(_DECIMAL_COMMA.fullmatch(c) for c in cells)
        if rows and width_of(rows) > 1:
            candidates.append((round(_even(rows), 2), decimal, width_of(rows), delimiter))
    best = max(candidates, default=(0.0, False, 1, ","))
    if best[0] > 0.7:
        return best[-1], ()
    for delimiter in RARER:
        rows, _ = parse(text, delimiter, '"')
        if rows and _even(rows) == 1 and len(rows) > 1 and width_of(rows) > 1:
            return delimiter, ()
    return _blanks(text) or (best[-1], ())


def _blanks(text: str) -> tuple[str, tuple[str, ...]] | None:
    """Blanks as the delimiter, where they cut all rows alike and columns of numbers bear it out."""
    rows, _ = parse(rewritten(text.encode(), ("blanks",)).decode(), "\t", '"')
    later = rows[len(rows) // 2 :]
    if len(rows) < 2 or _even(later) < 1 or width_of(later) < 2 or abs(len(rows[0]) - width_of(later)) > 1:
        return None
    numbers = any(all(is_number(row[i], "\t") for row in later) for i in range(width_of(later)))
    return ("\t", ("blanks",)) if numbers else None


def _is_spaced(text: str, delimiter: str, spaced: str) -> bool:
    """Whether blanks stand before quotes: only without them are the rows as even as can be, and as wide as the header."""
    text = text[: 1 << 18]
    plain, _ = parse(text, delimiter, '"')
    closer, _ = parse(rewritten(text.encode(), (spaced,)).decode(), delimiter, '"')
    fits = bool(closer) and len(closer[0]) == width_of(closer)
    return fits and (_even(closer), -width_of(closer)) > (_even(plain), -width_of(plain))


def _is_doubled(rows: list[list[str]]) -> bool:
    """Whether every other cell is empty everywhere: the separator is written twice."""
    width = width_of(rows)
    return width > 2 and width % 2 == 1 and all(not any(row[1::2]) for row in rows if len(row) == width)


def _is_fixed_width(text: str) -> bool:
    lines = [line for line in text.splitlines()[:200] if line.strip()]
    return len(lines) > 2 and sum(bool(re.search(r"\S {2,}\S", line)) for line in lines) >= 0.9 * len(lines)


def _even(rows: list[list[str]]) -> float:
    """The share of rows that have the most common number of cells."""
    return Counter(map(len, rows)).most_common(1)[0][1] / len(rows) if rows else 0.0


def _is_better(text: str, delimiter: str) -> bool:
    """Whether the rows are no less even where \\" is a quote within a cell."""
    text = text[: 1 << 18]
    plain, _ = parse(text, delimiter, '"')
    escaped, _ = parse(rewritten(text.encode(), ("escapes",)).decode("utf-8"), delimiter, '"')
    return bool(escaped) and _even(escaped) >= _even(plain)


def _quote(text: str, delimiter: str, notes: list[str]) -> tuple[str | None, list[list[str]], list[int]]:
    if '"' not in text:
        rows, ends = parse(text, delimiter, '"')
        if "'" in text and _even(rows) < 1:
            single, single_ends = parse(text, delimiter, "'")
            if single and _even(single) == 1 and width_of(single) > 1:
                notes.append("the quotes around the cells are single ones (')")
                return "'", single, single_ends
        return '"', rows, ends
    quoted, ends = parse(text, delimiter, '"', limit=HEAD)
    bare, bare_ends = parse(text, delimiter, None, limit=HEAD)
    swallows = any("\n" in c or "\r" in c for row in quoted for c in row)
    if bare and _even(bare) == 1 and width_of(bare) > 1 and (swallows or _even(quoted) < 1):
        notes.append('the quotes (") are not in pairs, so they were read as ordinary characters')
        return None, bare, bare_ends
    return '"', quoted, ends


def _line(text: str, number: int) -> str:
    """The line of that number, counted from 1, without its end."""
    for i, match in enumerate(_LINE.finditer(text), 1):
        if i == number:
            return match[0].rstrip("\r\n")
    return ""


def _called(delimiter: str) -> str:
    return {**DELIMITERS, **RARER}[delimiter] + "s"
