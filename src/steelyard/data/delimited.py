"""Reading delimited text with pyarrow, once its dialect is known."""

import functools
import gzip
import lzma
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from .classes import CELLS, Cells
from .column_names import find_column, find_columns
from .dialect import Dialect, sniff
from .encoding import western
from .formats import open_bytes
from .gather import Gather
from .lines import Lines
from .ragged import Ragged, refuse_open_quote
from .source import Tell, add_notes
from .tally import pyarrow, tally

T = TypeVar("T")
BLOCK = 1 << 22


def read(file: Path, columns: Sequence[str | int] | None, notes: list[str]) -> tuple[Any, str]:
    """(pyarrow.Table of text, the decimal sign that may occur)."""
    dialect = sniff(file)
    names = dialect.names
    wanted = list(names) if columns is None else find_columns(names, columns, str(file))
    add_notes(notes, dialect.notes)
    return _reading(file, dialect, notes, functools.partial(_read_all, wanted), held=True), dialect.decimal


def tally_column(
    file: Path, label: str | int, start: Callable[[], Gather], notes: list[str], tell: Tell
) -> tuple[str, Gather]:
    """(name of the column, what it holds), in a stream. `start` makes what collects it, anew where the file has to be read again."""
    dialect = sniff(file)
    name = find_column(dialect.names, label, str(file))
    add_notes(notes, dialect.notes)
    read = functools.partial(_tally_all, file, name, dialect.decimal, start, tell)
    return name, _reading(file, dialect, notes, read)


def _read_all(wanted: list[str], lines: Lines, options: dict[str, Any]) -> tuple[Any, int]:
    from pyarrow import csv

    options["convert_options"].include_columns = wanted
    table = csv.read_csv(lines, **options)
    return table, table.num_rows


def _tally_all(
    file: Path,
    name: str,
    decimal: str,
    start: Callable[[], Gather],
    tell: Tell,
    lines: Lines,
    options: dict[str, Any],
) -> tuple[Gather, int]:
    from pyarrow import csv

    options["convert_options"].include_columns = [name]
    into, rows = start(), 0
    with csv.open_csv(lines, **options) as reader:
        for batch in reader:
            cells = Cells(Counter(tally(batch.column(0))), CELLS, decimal=decimal)
            into.add_cells(cells, f"{file}: column {name!r}")
            rows += len(batch)
            tell(lines.tell())
    into.cells.kind, into.cells.decimal = CELLS, decimal
    return into, rows


def _options(dialect: Dialect, ragged: Ragged) -> dict[str, Any]:
    pa = pyarrow()
    return {
        "read_options": pa.csv.ReadOptions(
            column_names=list(dialect.columns), encoding="utf8", block_size=max(BLOCK, 4 * dialect.row)
        ),
        "parse_options": pa.csv.ParseOptions(
            delimiter=dialect.delimiter,
            quote_char=dialect.quote or False,
            newlines_in_values=dialect.newlines,
            invalid_row_handler=ragged,
        ),
        "convert_options": pa.csv.ConvertOptions(
            column_types=dict.fromkeys(dialect.columns, pa.string()), strings_can_be_null=False
        ),
    }


def _reading(
    file: Path,
    dialect: Dialect,
    notes: list[str],
    read: Callable[[Lines, dict[str, Any]], tuple[T, int]],
    *,
    held: bool = False,
) -> T:
    """Read; again where something shows only far from the start: text that is not UTF-8, cells that run over lines."""
    while True:
        try:
            with _readable(file), open_bytes(file, held=held) as opened:
                lines = Lines(opened, dialect, str(file))
                ragged = Ragged(dialect, lines.dropped)
                result, rows = read(lines, _options(dialect, ragged))
        except _NotUtf8:
            more: list[str] = []
            dialect = replace(dialect, encoding=_encoding_of(file, more))
            add_notes(notes, more)
            continue
        ragged.refuse(file, dialect)
        if not dialect.newlines and lines.rows != rows + ragged.blank and refuse_open_quote(file, dialect):
            dialect = replace(dialect, newlines=True)
            continue
        if dialect.newlines and lines.quotes % 2:
            refuse_open_quote(file, dialect)
        add_notes(notes, lines.dropped.notes)
        return result


class _NotUtf8(Exception):
    pass


@contextmanager
def _readable(file: Path) -> Iterator[None]:
    """What pyarrow and the unpackers say about a text, as a ValueError of one line."""
    pa = pyarrow()
    try:
        yield
    except UnicodeError:
        raise _NotUtf8 from None
    except pa.ArrowInvalid as error:
        if "invalid UTF8" in str(error):
            raise _NotUtf8 from None
        raise ValueError(f"{file}: {_why(str(error))}") from None
    except (pa.ArrowException, EOFError, OSError, gzip.BadGzipFile, zlib.error, lzma.LZMAError) as error:
        raise ValueError(f"{file}: the file cannot be read ({error}); it may be damaged, so fetch it again.") from None


def _encoding_of(file: Path, notes: list[str]) -> str:
    """Of a text that is UTF-8 at its start only, from the first block that is not."""
    with open_bytes(file) as opened:
        while block := opened.read(BLOCK):
            block += opened.readline()
            try:
                block.decode()
            except UnicodeDecodeError:
                return western(block, file, notes)[0]
    raise ValueError(f"{file}: the text is not what it seemed at its start; save it as UTF-8.")


def _why(message: str) -> str:
    if "Empty CSV" in message:
        return "the table has no rows, only a header."
    if "straddling" in message:
        return 'a row is much longer than the others; a quote (") that is never closed does that.'
    return f"the text cannot be read as a table ({message.splitlines()[0][:200]})."
