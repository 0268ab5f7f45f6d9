"""Label columns of tables as sources of labels: one column of classes, or several of yes and no."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..counts import Counts
from . import arff, delimited, digest, labels, parquet
from .arrays import count_indicators
from .classes import CELLS, Cells, classes_of
from .paths import ends_in, table_files
from .several import count_parts, note_on_parts
from .source import Shard, Source, Tally, Tell
from .tables import Table, all_parquet, read_table
from .tally import refuse_too_many

GROUPS = 1 << 23  # rows of a Parquet file that are one shard


@dataclass(frozen=True, kw_only=True)
class Column(Source):
    """One column: the class of each row, streamed and never held. A column of lists is multi-label."""

    label: str | int

    def shards(self) -> Sequence[Shard]:
        return table_shards(self.path)

    def read(self, shard: Shard, tell: Tell) -> Tally:
        if shard.stop is not None:
            name, cells, rows = parquet.tally_column(shard, self.label, tell)
            part = Tally(cells=cells, digest=parquet.column_digest(shard, [name]))
            if rows is not None:
                part.items, part.facts["lists"] = rows, 1
        else:
            part = Tally(digest=digest.of_file(shard.path))
            if ends_in(shard.path, (".arff",)):
                name, times, decimal = arff.tally_column(shard.path, self.label, part.notes)
            else:
                name, times, decimal = delimited.tally_column(shard.path, self.label, part.notes, tell)
            part.cells = Cells(times, CELLS, decimal=decimal)
        part.names = [name]
        refuse_too_many(part.cells.times, f"{self.path}: column {name!r}")
        return part

    def counts(self, total: Tally) -> tuple[Counts, list[str]]:
        name = total.names[0]
        what = f"{self.path}, column {name!r}"
        if total.facts["lists"]:
            return self._lists(total, what), total.notes
        if self.separator is not None:
            counts, notes = count_parts(
                total.cells,
                self.separator,
                what,
                classes=self.classes,
                ignore=self.ignore,
                missing=self.missing,
                digest=total.digest,
            )
            return counts, [*total.notes, *notes]
        read = classes_of(
            total.cells,
            what,
            name=name,
            classes=self.classes,
            ignore=self.ignore,
            missing=self.missing,
            same_case=self.same_case,
            digest=total.digest,
        )
        parts = note_on_parts(dict.fromkeys(read.counts.classes, 1))
        return read.counts, [*total.notes, *read.notes, *([parts] if parts else [])]

    def _lists(self, total: Tally, what: str) -> Counts:
        kept, _ = labels.drop(total.cells.times, self.ignore)
        return labels.by_value(
            kept,
            classes=self.classes,
            source=what,
            unit="rows",
            kind="multilabel",
            items=total.items,
            digest=digest.written(total.digest),
        )


@dataclass(frozen=True, kw_only=True)
class Indicators(Source):
    """Several columns of 0 and 1: yes or no for each label. Rows with any of them missing are left out."""

    label: tuple[str | int, ...]

    def shards(self) -> Sequence[Shard]:
        return table_shards(self.path)

    def read(self, shard: Shard, tell: Tell) -> Tally:
        if shard.stop is not None:
            table = Table(str(shard.path), *parquet.columns(shard, self.label))
            mark = parquet.column_digest(shard, table.names)
        else:
            table, mark = read_table(shard.path, columns=list(self.label)), digest.of_file(shard.path)
        columns = {name: table.column(name) for name in table.names}
        yes, rows, missing = indicators(columns, self.ignore)
        return Tally(Counter(yes), items=rows, facts=Counter(missing=missing), digest=mark, notes=list(table.notes))

    def counts(self, total: Tally) -> tuple[Counts, list[str]]:
        counts, left_out = indicator_counts(
            total.labels, total.items, total.facts["missing"], self.classes, self.path, digest.written(total.digest)
        )
        return counts, [*total.notes, *left_out]


def table_shards(path: str) -> list[Shard]:
    """A shard for each text file, and for about 8 million rows of each Parquet file."""
    files = table_files(path)
    if not all_parquet(files, path):
        return [Shard(file, file.stat().st_size) for file in files]
    return [shard for file in files for shard in parquet.shards(file, GROUPS)]


def indicators(columns: Mapping[str, np.ndarray], ignore: Any) -> tuple[dict[str, int], int, int]:
    """({label: how many rows say yes}, rows, rows left out) of columns of 0 and 1, float64 with NaN."""
    if ignore is not None:
        raise ValueError("count: ignore= is for one label per row; multi-label columns are 0 or 1 everywhere.")
    for name, column in columns.items():
        odd = [v for v in column[:10_000].tolist() if not labels.is_missing(v) and v not in (0, 1)]
        if column.dtype == object or odd:
            example = odd[0] if odd else "text"
            raise ValueError(f"count: several label columns are multi-label, 0 or 1, but {name!r} holds {example!r}.")
    array = np.stack(list(columns.values()), axis=1)
    keep = ~np.isnan(array).any(axis=1)
    missing = int(len(array) - keep.sum())
    if missing == len(array):
        return dict.fromkeys(columns, 0), 0, missing
    per_class = count_indicators(array[keep], classes=None, source="").per_class.tolist()
    return dict(zip(columns, per_class, strict=True)), len(array) - missing, missing


def indicator_counts(
    yes: Mapping[str, int], rows: int, missing: int, classes: Any, source: str, mark: str | None = None
) -> tuple[Counts, list[str]]:
    """(multi-label Counts, notes). `classes` gives the columns other names, in their order."""
    if not rows:
        raise ValueError(f"count: no row has a value in all of {labels.some(list(yes))}, so there is nothing to count.")
    names = list(yes) if classes is None else labels.names_in(classes)
    if len(names) != len(yes):
        raise ValueError(f"count: classes= names {len(names)} labels, but there are {len(yes)} columns.")
    note = labels.left_out(missing)
    where = source + (f" ({note})" if missing else "")
    counts = Counts(list(yes.values()), names, "rows", where, kind="multilabel", items=rows, digest=mark)
    return counts, [note] if missing else []
