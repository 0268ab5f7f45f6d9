"""Tables from CSV, TSV, ARFF, Parquet, Arrow and JSON. What was repaired is said in notes."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import numpy as np

from ..counts import Counts
from . import arff, cells, conll, delimited, kinds, labels, parquet, typed
from .classes import CELLS, Cells, Classes, classes_of, of_arrow, read_cells
from .column_names import find_column
from .dialect import sniff
from .gate import gate
from .paths import CONLL, ends_in, is_parquet, is_typed, table_files
from .reread import together, without
from .tally import arrow, pyarrow, values_of, without_views

FEW = 10  # rows that a column must count to be called a counter


@dataclass(frozen=True)
class Table:
    """Columns that were read from one file or several, each a number, a boolean or a category.

    path      where from, as given
    names     the columns, in order
    rows      how many
    repaired  what a reader would not expect of the files: delimiter, encoding, renamed columns, ...
    nested    columns of lists, structures or bytes, which are left out

    A column can be asked for by its name or number (1 is the first, -1 the last).
    """

    path: str
    columns: Mapping[str, kinds.Column]
    rows: int
    repaired: list[str] = field(default_factory=list)
    nested: tuple[str, ...] = ()

    @property
    def notes(self) -> list[str]:
        """What a reader would not expect of the files and of all columns."""
        return self.notes_on(self.names)

    def notes_on(self, names: Sequence[str]) -> list[str]:
        """The same of the files and of these columns: missing marks, decimal commas, ..."""
        notes, kept = list(self.repaired), {name: self.columns[name] for name in names}
        _note("no value at all in", [n for n, c in kept.items() if c.values.null_count == self.rows], notes)
        counting = [n for n, c in kept.items() if c.kind == cells.NUMBER and _counts_rows(c.values)]
        _note(
            "the column counts the rows, and may say more than it should where they are sorted; leave it out with --drop",
            counting,
            notes,
        )
        for note in dict.fromkeys(n for c in kept.values() for n in c.notes):
            _note(note, [n for n, c in kept.items() if note in c.notes], notes)
        return notes

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.columns)

    def resolve(self, name: str | int) -> str:
        """The name of a column. ValueError with the nearest name and all names."""
        if isinstance(name, str) and name in self.columns:
            return name
        return find_column(self.names, name, self.path)

    def kind(self, name: str | int) -> str:
        """ "number", "boolean" or "category"."""
        return self.columns[self.resolve(name)].kind

    def arrow(self, name: str | int) -> Any:
        """The pyarrow.ChunkedArray; null where missing."""
        return self.columns[self.resolve(name)].values

    def column(self, name: str | int) -> np.ndarray:
        """float64 with NaN for numbers, 0.0 / 1.0 / NaN for booleans, text with None for categories."""
        with gate(self.path):
            pa, pc = arrow()
            column = self.columns[self.resolve(name)]
            values = column.values
            if column.kind == kinds.CATEGORY:
                return np.array(values.to_pylist() or [], dtype=object)
            if column.kind == kinds.BOOLEAN and not pa.types.is_boolean(values.type):
                values = pc.equal(pc.utf8_lower(values), "true")
            values = pc.cast(
                pc.cast(values, pa.int8()) if column.kind == kinds.BOOLEAN else values, pa.float64(), safe=False
            )
            return values.fill_null(float("nan")).to_numpy()

    def labels(self, name: str | int, **options: Any) -> tuple[np.ndarray, Counts]:
        """(class number of each row, Counts), with the classes of `count`; -1 where missing or ignored."""
        numbers, read = self.classes(name, **options)
        return numbers, read.counts

    def classes(self, name: str | int, **options: Any) -> tuple[np.ndarray, Classes]:
        """(class number of each row, what the column says). `options` are those of `classes_of`."""
        name = self.resolve(name)
        codes, values, cells = self._coded(name)
        what = f"{self.path}, column {labels.short(name)}"
        read = classes_of(cells, what, name=name, **options)
        return np.array([*(read.number.get(v, -1) for v in values), -1], dtype=np.int64)[codes], read

    def keys(self, name: str | int) -> np.ndarray:
        """int64 [rows]: the same number where the cells say the same, as `count` reads them; -1 where missing."""
        return self.levels(name)[0]

    def levels(self, name: str | int) -> tuple[np.ndarray, list[str]]:
        """(`keys`, what each of them says): a column of any kind as categories."""
        codes, values, cells = self._coded(self.resolve(name))
        read, _ = read_cells(cells)
        first: dict[Any, int] = {}
        known = [read.get(v) for v in values]
        numbers = [-1 if v is None else first.setdefault(v, len(first)) for v in known]
        return np.array([*numbers, -1], dtype=np.int64)[codes], [labels.label_name(v) for v in first]

    def missing(self, marks: Iterable[str], *, but: Collection[str] = ()) -> "Table":
        """The table with these texts, and the numbers that they spell, missing in all columns but some; what was is noted."""
        marks, columns, rows = list(marks), dict(self.columns), Counter[str]()
        for name in columns.keys() - but:
            columns[name], rows[name] = without(columns[name], marks)
        note = " and ".join(map(repr, marks)) + " was read as missing, as --missing (missing=) says"
        said = [f"{name} ({rows[name]:,} {'row' if rows[name] == 1 else 'rows'})" for name in self.names if rows[name]]
        repaired = list(self.repaired)
        _note(note, said, repaired)
        return replace(self, columns=columns, repaired=repaired)

    def _coded(self, name: str) -> tuple[np.ndarray, list[Any], Cells]:
        """(code of each row, -1 where null; the cell of each code; the distinct cells)."""
        with gate(self.path):
            pa, pc = arrow()
            column = self.columns[name]
            raw = without_views(column.values if column.raw is None else column.raw)
            if pa.types.is_null(raw.type):
                return np.full(len(raw), -1), [], Cells(Counter({None: len(raw)}))
            cells = of_arrow(raw, f"{self.path}, column {labels.short(name)}")
            if column.decimal is not None:
                cells.kind, cells.decimal = CELLS, column.decimal
            encoded = (raw if pa.types.is_dictionary(raw.type) else raw.dictionary_encode()).combine_chunks()
            codes = pc.cast(encoded.indices, pa.int64()).fill_null(-1).to_numpy()
            return codes, values_of(encoded.dictionary), cells


def read_table(
    path: str | PathLike[str], *, columns: Sequence[str | int] | None = None, most: int | None = None
) -> Table:
    """Read CSV, TSV, ARFF, Parquet, Arrow or JSON Lines: a file, a folder or a glob. `columns` keeps only these, of which there may
    be `most`.

    FileNotFoundError or ValueError, naming the file and what to do, if there is nothing to read.
    """
    files, where = table_files(path), fspath(path)
    notes: list[str] = []
    with gate(where, *files):
        typed, rows = _read(files, where, columns, most, notes)
    nested = tuple(name for name, column in typed.items() if column is None)
    if not rows:
        raise ValueError(f"{where}: the table has no rows, only the columns {labels.some(list(typed))}.")
    kept = {name: column for name, column in typed.items() if column is not None}
    _note("columns of lists, structures or bytes are left out", list(nested), notes)
    return Table(where, kept, rows, notes, nested)


def not_wider(columns: int, most: int | None, where: str) -> None:
    """ValueError if there are more columns than can be read as features: before any of them is."""
    if most is not None and columns > most:
        raise ValueError(
            f"{where}: the table has {columns:,} columns, and at most {most:,} can be tuned on; bring a table of those that"
            " matter (the ones that vary most, or some principal components of all of them), chosen without the label."
        )


def column_names(path: str | PathLike[str]) -> tuple[str, ...]:
    """The columns, without reading the rows."""
    file, *_ = table_files(path)
    with gate(file):
        if ends_in(file, (".arff",)):
            return arff.column_names(file)
        if is_typed(file):
            return typed.column_names(file)
        if ends_in(file, CONLL):
            return conll.column_names(file)
        return parquet.column_names(file) if all_parquet([file], fspath(path)) else sniff(file).names


def _read(
    files: list[Path], where: str, columns: Sequence[str | int] | None, most: int | None, notes: list[str]
) -> tuple[dict[str, kinds.Column | None], int]:
    pa = pyarrow()
    if tagged := next((file for file in files if ends_in(file, CONLL)), None):
        raise ValueError(
            f"{tagged}: this is tagged text, a token on each line, and not a table with what a label can be learned from; steelyard"
            " count and weigh read its tags."
        )
    if all_typed(files, where):
        parts, decimals = [(typed if is_typed(file) else parquet).read(file, columns, notes) for file in files], []
    else:
        readers = [arff.read if ends_in(file, (".arff",)) else delimited.read for file in files]
        read = [one(file, columns, notes) for one, file in zip(readers, files, strict=True)]
        parts, decimals = map(list, zip(*read, strict=True))
    names = [part.column_names for part in parts]
    not_wider(len(names[0]), most, where)
    for file, other in zip(files, names, strict=True):
        wrong = sorted(set(names[0]) ^ set(other))
        if wrong:
            raise ValueError(
                f"{file}: its columns differ from those of {files[0]}: {labels.some(wrong)}; read them apart."
            )
    try:
        raw = pa.concat_tables([part.select(names[0]) for part in parts], promote_options="permissive")
    except pa.ArrowException as error:
        raise ValueError(f"{where}: the files hold a column in types that do not join ({error}).") from None
    if not decimals:
        return together({name: cells.from_arrow(raw[name]) for name in names[0]}), raw.num_rows
    decimal = "," if "," in decimals else "."
    return together({name: cells.from_text(raw[name], decimal=decimal) for name in names[0]}), raw.num_rows


def all_parquet(files: list[Path], where: str) -> bool:
    """Whether all of them are Parquet. ValueError where one only says so, or where they are mixed with text."""
    are = [is_parquet(file) for file in files]
    for file, is_one in zip(files, are, strict=True):
        if not is_one and file.suffix.lower() in (".parquet", ".pq"):
            raise ValueError(f"{file}: this is not a Parquet file, although its name says so; write it again.")
    if any(are) and not all(are):
        raise ValueError(f"{where}: text and Parquet files are mixed; choose one kind with a glob such as '*.parquet'.")
    return all(are)


def all_typed(files: list[Path], where: str) -> bool:
    """The same of Parquet, Arrow and JSON files together, whose cells have types."""
    others = [file for file in files if not is_typed(file)]
    if others and len(others) < len(files) and not all_parquet(others, where):
        raise ValueError(f"{where}: text and JSON files are mixed; choose one kind with a glob such as '*.jsonl'.")
    return not others or all_parquet(others, where)


def _counts_rows(values: Any) -> bool:
    """Whether they are 0, 1, 2, ... or 1, 2, 3, ..."""
    pa, _ = arrow()
    if (
        len(values) < FEW
        or values.null_count
        or not pa.types.is_integer(values.type)
        or values[0].as_py() not in (0, 1)
    ):
        return False
    numbers = values.to_numpy()
    return bool(np.array_equal(numbers, np.arange(numbers[0], numbers[0] + len(numbers))))


def _note(what: str, names: list[str], notes: list[str]) -> None:
    if names:
        shown = ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
        notes.append(f"{what}: {shown}")
