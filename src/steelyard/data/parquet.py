"""Reading Parquet with pyarrow."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from . import text
from .find import find_column
from .tally import pyarrow, refuse_too_many, tally


def read(file: Path, columns: Sequence[str | int] | None, notes: list[str]) -> Any:
    """The pyarrow.Table. ValueError for a damaged file."""
    with _readable(file):
        opened = _open(file)
        names = opened.schema_arrow.names
        wanted = None if columns is None else [find_column(names, c, str(file)) for c in columns]
        table = opened.read(columns=wanted)
        table.validate(full=True)  # text that is not UTF-8, codes without a level
    renamed: list[str] = []
    table = table.rename_columns(text.distinct_names(table.column_names, renamed))
    text.add_notes(notes, renamed)
    return table


def column_names(file: Path) -> tuple[str, ...]:
    with _readable(file):
        names = _open(file).schema_arrow.names
    return text.distinct_names(names, [])


def tally_column(file: Path, label: str | int) -> tuple[str, Counter[Any]]:
    """(name of the column, how often each value occurs in it), in a stream."""
    pa = pyarrow()
    with _readable(file):
        schema = _open(file).schema_arrow
        name = find_column(schema.names, label, str(file))
        kind = schema.field(name).type
        is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
        if pa.types.is_nested(kind):
            raise ValueError(f"{file}: column {name!r} holds {kind}, which is not a label; choose another column.")
        found: Counter[Any] = Counter()
        # dictionary codes: a string is looked at once per batch, not once per row
        opened = _open(file, read_dictionary=[name] if is_text else None)
        for batch in opened.iter_batches(batch_size=1 << 20, columns=[name]):
            values = batch.column(0)
            values.validate(full=True)
            found.update(tally(values))
            refuse_too_many(found, f"{file}: column {name!r}")
    if is_text:
        for mark in [v for v in found if v is not None and v.strip() in text.MISSING]:
            found[None] += found.pop(mark)
    return name, found


def _open(file: Path, **options: Any) -> Any:
    return pyarrow().parquet.ParquetFile(file, **options)


@contextmanager
def _readable(file: Path) -> Iterator[None]:
    """What pyarrow says about a damaged file, as a ValueError of one line."""
    pa = pyarrow()
    try:
        yield
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        said = " ".join(str(error).split())[:200]
        said = "".join(letter if letter.isprintable() else "?" for letter in said)
        raise ValueError(f"{file}: this Parquet file cannot be read ({said}); write it again.") from None
