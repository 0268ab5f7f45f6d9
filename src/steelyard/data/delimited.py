"""Reading delimited text with pyarrow, once its dialect is known."""

import functools
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from .column_names import find_column
from .dialect import Dialect, not_utf8, open_bytes, sniff
from .source import Tell, add_notes
from .tally import pyarrow, refuse_too_many, tally

T = TypeVar("T")


def read(file: Path, columns: Sequence[str | int] | None, notes: list[str]) -> tuple[Any, str]:
    """(pyarrow.Table of text, the decimal sign that may occur)."""
    dialect = sniff(file)
    wanted = None if columns is None else [find_column(dialect.names, c, str(file)) for c in columns]
    add_notes(notes, dialect.notes)
    return _decoding(file, dialect, notes, functools.partial(_read_all, file, wanted)), dialect.decimal


def tally_column(
    file: Path, label: str | int, notes: list[str], tell: Tell = lambda size: None
) -> tuple[str, Counter[Any], str]:
    """(name of the column, how often each text occurs in it, the decimal sign that may occur), in a stream."""
    dialect = sniff(file)
    name = find_column(dialect.names, label, str(file))
    add_notes(notes, dialect.notes)
    return name, _decoding(file, dialect, notes, functools.partial(_tally_all, file, name, tell)), dialect.decimal


def _read_all(file: Path, wanted: list[str] | None, dialect: Dialect) -> Any:
    from pyarrow import csv

    with open_bytes(file) as opened:
        return csv.read_csv(opened, **_options(dialect, wanted))


def _tally_all(file: Path, name: str, tell: Tell, dialect: Dialect) -> Counter[Any]:
    from pyarrow import csv

    times: Counter[Any] = Counter()
    with open_bytes(file) as opened, csv.open_csv(opened, **_options(dialect, [name])) as reader:
        for batch in reader:
            times.update(tally(batch.column(0)))
            refuse_too_many(times, f"{file}: column {name!r}")
            tell(_bytes_read(opened))
    return times


def _options(dialect: Dialect, wanted: list[str] | None) -> dict[str, Any]:
    pa = pyarrow()
    return {
        "read_options": pa.csv.ReadOptions(
            column_names=list(dialect.names),
            skip_rows=dialect.skip,
            encoding="utf8" if dialect.encoding == "utf-8" else dialect.encoding,
            block_size=1 << 22,
        ),
        "parse_options": pa.csv.ParseOptions(
            delimiter=dialect.delimiter,
            quote_char=dialect.quote or False,
            newlines_in_values=dialect.newlines,
        ),
        "convert_options": pa.csv.ConvertOptions(
            column_types=dict.fromkeys(dialect.names, pa.string()),
            include_columns=wanted,
            strings_can_be_null=False,
        ),
    }


def _decoding(file: Path, dialect: Dialect, notes: list[str], read: Callable[[Dialect], T]) -> T:
    """Read; where the text turns out not to be UTF-8 far from the start, read again as cp1252, then latin-1."""
    pa = pyarrow()
    for encoding in (dialect.encoding, "cp1252", "latin-1"):
        try:
            result = read(replace(dialect, encoding=encoding))
        except UnicodeError:
            continue
        except pa.ArrowInvalid as error:
            if "invalid UTF8" in str(error):
                continue
            raise ValueError(f"{file}: {_why(str(error))}") from None
        except (pa.ArrowException, EOFError, OSError) as error:
            raise ValueError(f"{file}: the file cannot be read ({error}).") from None
        if encoding != dialect.encoding:
            add_notes(notes, [not_utf8(encoding)])
        return result
    raise ValueError(f"{file}: the text can be read neither as {dialect.encoding} nor as latin-1; save it as UTF-8.")


def _why(message: str) -> str:
    if "Expected" in message and "columns, got" in message:
        detail = message.partition("CSV parse error: ")[2][:160].replace("\n", " ")
        return f"a row has another number of cells than the others. {detail}. Correct that row, or quote its cells."
    if "Empty CSV" in message:
        return "the table has no rows, only a header."
    if "straddling" in message:
        return 'a row is longer than 4 MB; a quote (") that is never closed does that.'
    return f"the text cannot be read as a table ({message.splitlines()[0][:200]})."


def _bytes_read(opened: Any) -> int:
    """Of the file itself, also where it is unpacked on the way."""
    inner = getattr(opened, "fileobj", None) or getattr(opened, "_fp", None) or opened  # gzip, bz2
    return inner.tell()
