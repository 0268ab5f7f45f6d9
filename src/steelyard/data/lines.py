"""The lines of a text file on their way to the parser: in UTF-8, without comments, repeated headers and feet. Blocks in which
nothing of the kind begins a line pass unchanged."""

import codecs
import csv
import io
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO

import numpy as np

from . import feet
from .column_names import bare_name
from .dialect import Dialect
from .formats import position
from .head_lines import MARKS, fits, mark_of
from .rewrites import rewritten

FOOT = 1 << 12  # bytes at the end in which a foot is looked for
LONGEST = 1 << 28  # bytes of a row


@dataclass
class Dropped:
    """What was left out on the way: how many lines of each reason, and the first of them. `doubtful` begin with a mark, but are rows."""

    times: dict[str, int] = field(default_factory=dict)
    first: dict[str, str] = field(default_factory=dict)

    def add(self, reason: str, line: str) -> None:
        self.times[reason] = self.times.get(reason, 0) + 1
        self.first.setdefault(reason, " ".join(line.split())[:40])

    @property
    def notes(self) -> list[str]:
        return [REASONS[r](n, self.first[r]) for r, n in self.times.items()]


def _were(n: int) -> str:
    return "line" if n == 1 else "lines"


REASONS: dict[str, Callable[[int, str], str]] = {
    "comment": lambda n, line: f"{n:,} {_were(n)} of comment among the rows left out ({line!r})",
    "header": lambda n, line: f"the header stands {n:,} more {'time' if n == 1 else 'times'} among the rows; left out ({line!r})",
    "total": lambda n, line: f"{n:,} {_were(n)} of totals at the end left out ({line!r})",
    "foot": lambda n, line: f"{n:,} {_were(n)} below the table left out ({line!r})",
    "doubtful": lambda n, line: f"{n:,} {_were(n)} that may be comments were read as rows, since they have as many cells ({line!r}); delete what is no row",
}  # fmt: skip


class Lines(io.RawIOBase):
    """A stream for pyarrow. `rows` is how many lines went through, `dropped` what did not; `quotes` are counted where cells run over lines."""

    def __init__(self, opened: IO[bytes], dialect: Dialect, where: str) -> None:
        self.opened, self.dialect, self.where = opened, dialect, where
        self.decoder = None if dialect.encoding == "utf-8" else codecs.getincrementaldecoder(dialect.encoding)()
        self.dropped, self.rows, self.quotes = Dropped(), 0, 0
        self.held = b""  # what came in and is not cleaned yet
        self.ready, self.at = b"", 0  # what goes out
        self.begun = self.ended = False
        self.lookup = self._begins()
        self.headers = _spellings(dialect)
        self.names = {tuple(_key(n) for n in self._cells(h)) for h in dialect.headers}
        self.first = _key(dialect.headers[-1].split(dialect.delimiter)[0]).encode() if dialect.headers else b""

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return position(self.opened)

    def read(self, size: int = -1) -> bytes:
        while self.at >= len(self.ready) and not self.ended:
            self.ready, self.at = self._next(max(size, 1 << 20)), 0
        end = len(self.ready) if size < 0 else self.at + size
        part = self.ready[self.at : end]
        self.at += len(part)
        return part

    def _next(self, size: int) -> bytes:
        """The next lines, cleaned; held back are the last ones, until the end is seen."""
        chunk = self.opened.read(size)
        self.held += chunk if self.decoder is None else self.decoder.decode(chunk, final=not chunk).encode()
        if not chunk:
            self.ended = True
            block, self.held = self.held, b""
        else:
            limit = len(self.held) - FOOT
            end = (
                max(
                    self.held.rfind(b"\n", 0, max(limit, 0)),
                    self.held.rfind(b"\r", 0, max(limit - 1, 0)) if b"\n" not in self.held else -1,
                )
                + 1
            )
            if end <= 0:
                if len(self.held) > LONGEST:
                    raise ValueError(
                        f'{self.where}: a row is longer than 256 MB; a quote (") that is never closed does that.'
                    )
                return b""
            block, self.held = self.held[:end], self.held[end:]
        if not self.begun:
            block = self._below_header(block)
        if b"\0" in block:
            raise ValueError(
                f"{self.where}: the text holds zero bytes far from its start; take them out: tr -d '\\000' < {self.where} > new.csv."
            )
        if self.decoder is None and not block.isascii():
            block.decode()  # UnicodeDecodeError: pyarrow cannot show a row that does not fit where it is not UTF-8
        block = self._cleaned(rewritten(block, self.dialect.rewrites))
        if self.ended:
            block = self._without_foot(block)
        return block

    def _below_header(self, block: bytes) -> bytes:
        at = 3 if block.startswith(codecs.BOM_UTF8) else 0
        ends = re.compile(rb"\r\n|\n|\r")
        for _ in range(self.dialect.skip):
            match = ends.search(block, at)
            at = match.end() if match else len(block)
        self.begun = True
        return block[at:]

    def _begins(self) -> np.ndarray:
        """[256]: whether a line that begins with this byte has to be looked at."""
        lookup = np.zeros(256, bool)
        marks = [m for m in MARKS if m not in self.dialect.cells]
        begin = {h[:1].decode("latin-1") for h in _spellings(self.dialect)}
        firsts = {*(m[0] for m in marks), *begin, "(", "\xef", *(b.swapcase() for b in begin if b.isascii())}
        for letter in firsts:
            if letter:
                lookup[ord(letter)] = True
        lookup[ord("\n")] = lookup[ord("\r")] = False
        return lookup

    def _cleaned(self, block: bytes) -> bytes:
        if not block:
            return block
        content = np.frombuffer(block, np.uint8)
        if self.dialect.newlines and self.dialect.quote:
            self.quotes += int(np.count_nonzero(content == ord(self.dialect.quote)))
        ends = np.flatnonzero(content == 10)
        if not len(ends):
            ends = np.flatnonzero(content == 13)
        starts = np.concatenate([[0], ends + 1])
        starts = starts[starts < len(content)]
        begins = content[starts]
        self.rows += len(starts) - int(np.count_nonzero((begins == 10) | (begins == 13)))
        hits = np.flatnonzero(self.lookup[begins])
        if not len(hits):
            return block
        kept, last = [], 0
        for i in hits.tolist():
            start, end = int(starts[i]), int(starts[i + 1]) if i + 1 < len(starts) else len(block)
            line = block[start:end]
            reason = self._reason(line)
            if reason is None:
                continue
            text = line.decode("utf-8", "replace")
            self.dropped.add(reason, text)
            if reason != "doubtful":
                kept.append(block[last:start])
                last = end
                self.rows -= 1
        return b"".join([*kept, block[last:]]) if last else block

    def _reason(self, raw: bytes) -> str | None:
        line = raw.rstrip(b"\r\n")
        line = line.removeprefix(codecs.BOM_UTF8)
        if line in self.headers:
            return "header"
        if self.first and line[: len(self.first) + 3].lower().find(self.first) >= 0 and self._is_header(line):
            return "header"
        if self.dialect.newlines:  # the line may stand within a quoted cell
            return None
        text = line.decode("utf-8", "replace")
        if text.startswith("(") and feet.is_row_count(text):
            return "foot"
        mark = mark_of(text)
        if mark is None or mark in self.dialect.cells:
            return None
        if not fits(self._cells(text), len(self.dialect.columns), self.dialect.numeric, self.dialect.delimiter):
            return "comment"
        if self.dialect.mark == mark and text[len(mark) : len(mark) + 1].isspace():
            return "comment"
        return "doubtful"

    def _is_header(self, line: bytes) -> bool:
        """Whether it is the header but for case, blanks and quotes."""
        return tuple(_key(c) for c in self._cells(line.decode("utf-8", "replace"))) in self.names

    def _cells(self, text: str) -> list[str]:
        quoting = csv.QUOTE_MINIMAL if self.dialect.quote else csv.QUOTE_NONE
        try:
            rows = csv.reader(
                [text], delimiter=self.dialect.delimiter, quotechar=self.dialect.quote or '"', quoting=quoting
            )
            return next(rows, [])
        except csv.Error:
            return []

    def _without_foot(self, block: bytes) -> bytes:
        """Totals, "(1234 rows)", and notes below the table go, each said."""
        lines = block.splitlines(keepends=True)
        start, dialect = len(lines), self.dialect
        taken = 0
        while start and taken < feet.LAST:
            text = lines[start - 1].decode("utf-8", "replace").strip("\r\n\ufeff\x1a\f")
            cells = self._cells(text)
            if any(c.strip() for c in cells) and not feet.is_rule(text):
                if '"' in text and dialect.newlines:
                    break
                fit = fits(cells, len(dialect.columns), dialect.numeric, dialect.delimiter)
                above = lines[start - 2].strip(b"\r\n,;\t| ") if start > 1 else b"-"
                why = feet.reason(
                    text, cells, len(dialect.columns), fits=fit, below_blank=not above, words=dialect.totals
                )
                if why is None:
                    break
                self.dropped.add(why, text)
                self.rows -= 1
                taken += 1
            start -= 1
        return b"".join(lines[:start] if taken else lines)


def _spellings(dialect: Dialect) -> frozenset[bytes]:
    """The ways in which the header may be written again."""
    spelled = set[str]()
    for header in dialect.headers:
        names = [bare_name(n) for n in header.split(dialect.delimiter)]
        quoted = dialect.delimiter.join(f'"{n}"' for n in names)
        spelled |= {header, header.strip(), dialect.delimiter.join(names), quoted}
    return frozenset(s.encode() for s in spelled if s)


def _key(name: str) -> str:
    return bare_name(name).casefold()
