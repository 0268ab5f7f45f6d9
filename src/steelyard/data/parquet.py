"""Reading Parquet with pyarrow."""

import base64
import binascii
import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from . import cells, classes, digest
from .column_names import distinct_names, find_column, find_columns, without_row_names
from .gate import one_line
from .gather import Gather
from .limits import allowed, in_words, refuse_beyond
from .notes import Doubt
from .source import Shard, Tell, add_notes
from .tally import holds_label_lists, pyarrow

TIMES = 512  # the size of a file that its cells may take in memory
CELL = 8  # bytes of a text, of which one is enough
WORDY = 1 << 24  # bytes of a file; in larger ones long texts that repeat would not be a trick
ROWS, ROWS_OF_A_BYTE = 2_000_000_000, 4096  # that are counted in a stream
BATCH = 1 << 18  # codes of one batch stay in the cache between reading and counting


def read(file: Path, columns: Sequence[str | int] | None, notes: list[str]) -> Any:
    """The pyarrow.Table. ValueError for a damaged file."""
    with _readable(file):
        opened = _open(file)
        renamed: list[str] = []
        names = without_row_names(opened.schema_arrow.names, renamed)
        wanted = names if columns is None else find_columns(names, columns, str(file))
        _refuse_large(file, opened, wanted)
        wanted = None if columns is None and len(names) == len(opened.schema_arrow.names) else wanted
        table = opened.read(columns=wanted)
        table.validate(full=True)  # text that is not UTF-8, codes without a level
    table = table.rename_columns(distinct_names(table.column_names, renamed))
    add_notes(notes, renamed)
    add_notes(notes, lost_levels(file, table.column_names))
    return table


def column_names(file: Path) -> tuple[str, ...]:
    with _readable(file):
        names = _open(file).schema_arrow.names
    return distinct_names(without_row_names(names, []), [])


def shards(file: Path, rows: int) -> list[Shard]:
    """The file in parts of whole row groups, of about so many rows each."""
    with _readable(file):
        about = _open(file).metadata
        groups = [about.row_group(i) for i in range(about.num_row_groups)]
    size = file.stat().st_size / max(1, sum(g.num_rows for g in groups))  # a bar needs no more than the average row
    parts, start, held = [], 0, 0
    for i, group in enumerate(groups):
        held += group.num_rows
        if held >= rows or i + 1 == len(groups):
            parts.append(Shard(file, int(held * size), start, i + 1))
            start, held = i + 1, 0
    return parts or [Shard(file, 0, 0, 0)]


def tally_column(shard: Shard, label: str | int, into: Gather, tell: Tell) -> str:
    """The name of the column, whose cells go `into` what collects them, in a stream."""
    pa, file = pyarrow(), shard.path
    with _readable(file):
        schema = _open(file).schema_arrow
        name = find_column(without_row_names(schema.names, []), label, str(file))
        kind, what = schema.field(name).type, f"{file}: column {name!r}"
        is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
        is_list = holds_label_lists(kind)
        if not is_list and classes.kind_of(kind) is None:
            raise ValueError(f"{what} holds {kind}, which is not a label; choose another column.")
        rows = 0
        # dictionary codes: a string is looked at once per batch, not once per row
        opened = _open(file, read_dictionary=[name] if is_text else None)
        groups = range(shard.start, shard.stop or 0)
        _refuse_many_rows(file, opened.metadata.num_rows)
        total = sum(opened.metadata.row_group(i).num_rows for i in groups)
        at_once = [[i] for i in groups] if is_list else [list(groups)]  # lists of codes do not run over row groups
        batches = (opened.iter_batches(batch_size=BATCH, columns=[name], row_groups=some) for some in at_once)
        for batch in itertools.chain.from_iterable(batches):
            values = batch.column(0)
            _check(values)
            if is_list:
                into.add_lists(values, what)
            else:
                into.add_cells(classes.of_arrow(values, what), what)
            rows += len(values)
            tell(shard.size * rows // max(1, total))
    into.lists = is_list
    return name


def lost_levels(file: Path, names: Sequence[str]) -> list[Doubt]:
    """Notes on columns that were ordered categories of anything but text when the file was written: Parquet keeps their values alone, without
    the order and the unused levels."""
    pa = pyarrow()
    with _readable(file):
        opened = _open(file)
        kept, written = opened.schema_arrow, (opened.metadata.metadata or {}).get(b"ARROW:schema")
    if written is None:
        return []
    try:
        schema = pa.ipc.read_schema(pa.py_buffer(base64.b64decode(written)))
    except (pa.ArrowException, binascii.Error, OSError):
        return []
    were = {f.name for f in schema if pa.types.is_dictionary(f.type) and f.type.ordered}
    are = {f.name for f in kept if pa.types.is_dictionary(f.type)}
    return [
        Doubt(
            f"{name!r} was an ordered category of values that are no text, and Parquet kept neither their order nor the unused ones: they"
            " stand ascending; --classes (classes=) says the order, and Arrow's own files (.feather) keep it"
        )
        for name in names
        if name in were - are
    ]


def columns(shard: Shard, wanted: Sequence[str | int]) -> tuple[dict[str, cells.Column], int, list[str]]:
    """(columns, rows, notes) of a part. ValueError for columns of lists or structures."""
    file = shard.path
    with _readable(file):
        opened = _open(file)
        known = without_row_names(opened.schema_arrow.names, [])
        names = find_columns(known, wanted, str(file))
        _refuse_large(file, opened, names)
        table = opened.read_row_groups(list(range(shard.start, shard.stop or 0)), columns=names).select(names)
        table.validate(full=True)
    typed = {name: cells.from_arrow(table[name]) for name in names}
    for name, column in typed.items():
        if column is None:
            raise ValueError(f"{file}: column {name!r} holds {table[name].type}, not 0 and 1; choose another column.")
    return {name: column for name, column in typed.items() if column is not None}, table.num_rows, []


def column_digest(shard: Shard, names: Sequence[str]) -> int:
    """`digest` of the bytes that hold these columns, row group by row group; other columns do not count."""
    about = _open(shard.path).metadata
    total = 0
    for group in map(about.row_group, range(shard.start, shard.stop or 0)):
        chunks = map(group.column, range(group.num_columns))
        held = [c for c in chunks if any(c.path_in_schema == n or c.path_in_schema.startswith(n + ".") for n in names)]
        first = [c.dictionary_page_offset if c.has_dictionary_page else c.data_page_offset for c in held]
        total += digest.of_ranges(shard.path, [(f, c.total_compressed_size) for f, c in zip(first, held, strict=True)])
    return total


def _check(values: Any) -> None:
    """Text that is not UTF-8, codes without a level. Plain numbers have nothing to check, and `tally` sees wrong codes."""
    pa = pyarrow()
    if pa.types.is_dictionary(values.type):
        values.dictionary.validate(full=True)
    elif not pa.types.is_primitive(values.type):
        values.validate(full=True)


def _open(file: Path, **options: Any) -> Any:
    return pyarrow().parquet.ParquetFile(file, **options)


@contextmanager
def _readable(file: Path) -> Iterator[None]:
    """What pyarrow says about a damaged file, as a ValueError of one line."""
    pa = pyarrow()
    try:
        yield
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        if isinstance(error, FileNotFoundError):
            raise
        raise ValueError(f"{file}: this Parquet file cannot be read ({one_line(error)}); write it again.") from None


def _refuse_large(file: Path, opened: Any, names: Sequence[str]) -> None:
    """ValueError, before a column is read, where the rows that the file says it has need more memory than so large a file may take:
    a column that says one thing a billion times is a few bytes."""
    pa, schema, rows = pyarrow(), opened.schema_arrow, opened.metadata.num_rows
    kinds = [schema.field(name).type for name in dict.fromkeys(names) if schema.names.count(name) == 1]
    widths = sum(max(1, kind.bit_width // 8) if pa.types.is_primitive(kind) else CELL for kind in kinds)
    what = f"a table of {rows:,} rows and {len(kinds):,} columns"
    refuse_beyond(file, rows * widths, file.stat().st_size, what, "write it with fewer rows in a file", times=TIMES)
    small = file.stat().st_size < WORDY
    for name, kind in zip(names, kinds, strict=False) if small else ():
        kind = kind.value_type if pa.types.is_dictionary(kind) else kind
        if pa.types.is_string(kind) or pa.types.is_binary(kind) or pa.types.is_large_string(kind):
            _refuse_wordy(file, name)


def _refuse_wordy(file: Path, name: str) -> None:
    """The same of a column of text, whose cells may all be one long text: they are looked at as codes."""
    pa, limit, size = pyarrow(), allowed(file.stat().st_size), 0
    for batch in _open(file, read_dictionary=[name]).iter_batches(batch_size=BATCH, columns=[name]):
        codes = batch.column(0)
        if not pa.types.is_dictionary(codes.type):
            return
        lengths = pa.compute.binary_length(codes.dictionary)
        size += pa.compute.sum(lengths.take(codes.indices)).as_py() or 0
        if size > limit:
            raise ValueError(
                f"{file}: the texts of column {name!r} take over {in_words(limit)} of memory; write it with fewer rows in a file."
            )


def _refuse_many_rows(file: Path, rows: int) -> None:
    most = max(ROWS, ROWS_OF_A_BYTE * file.stat().st_size)
    if rows > most:
        raise ValueError(
            f"{file}: it says that it has {rows:,} rows, and a file of its size may have {most:,}; write it again."
        )
