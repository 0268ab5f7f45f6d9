"""Reading Parquet with pyarrow."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import text
from .find import find_column
from .tally import pyarrow, refuse_too_many, tally


def read(file: Path, columns: Sequence[str | int] | None, notes: list[str]) -> Any:
    """The pyarrow.Table."""
    opened = _open(file)
    names = opened.schema_arrow.names
    wanted = None if columns is None else [find_column(names, c, str(file)) for c in columns]
    table = opened.read(columns=wanted)
    renamed: list[str] = []
    table = table.rename_columns(text.distinct_names(table.column_names, renamed))
    text.add_notes(notes, renamed)
    return table


def column_names(file: Path) -> tuple[str, ...]:
    return text.distinct_names(_open(file).schema_arrow.names, [])


def tally_column(file: Path, label: str | int) -> tuple[str, Counter[Any]]:
    """(name of the column, how often each value occurs in it), in a stream."""
    pa = pyarrow()
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
        found.update(tally(batch.column(0)))
        refuse_too_many(found, f"{file}: column {name!r}")
    if is_text:
        for mark in [v for v in found if v is not None and v.strip() in text.MISSING]:
            found[None] += found.pop(mark)
    return name, found


def _open(file: Path, **options: Any) -> Any:
    pa = pyarrow()
    try:
        return pa.parquet.ParquetFile(file, **options)
    except (pa.ArrowException, OSError) as error:
        raise ValueError(f"{file}: this Parquet file cannot be read ({str(error)[:200]}); write it again.") from None
