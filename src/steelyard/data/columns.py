"""Label columns of tables as sources of labels: one column of classes, or several of yes and no."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..counts import Counts
from . import arff, delimited, digest, labels, parquet
from .classes import CELLS, Cells, classes_of
from .ignored import in_place
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
            classes=in_place(kept, self.ignore) if self.classes is None else self.classes,
            source=what,
            unit="rows",
            kind="multilabel",
            items=total.items,
            digest=digest.written(total.digest),
        )


@dataclass(frozen=True, kw_only=True)
class Indicators(Source):
    """Several columns of 0 and 1: yes or no for each label; nothing and -1 are unknown, for that label alone."""

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
        answers = indicators(columns, self.ignore)
        facts = Counter(empty=answers.empty)
        also = {"unknown": answers.unknown, "minus": answers.minus}
        return Tally(answers.yes, items=answers.rows, also=also, facts=facts, digest=mark, notes=list(table.notes))

    def counts(self, total: Tally) -> tuple[Counts, list[str]]:
        answers = YesNo(total.labels, total.also["unknown"], total.also["minus"], total.items, total.facts["empty"])
        counts, notes = indicator_counts(answers, self.classes, self.path, digest.written(total.digest))
        return counts, [*total.notes, *notes]


def table_shards(path: str) -> list[Shard]:
    """A shard for each text file, and for about 8 million rows of each Parquet file."""
    files = table_files(path)
    if not all_parquet(files, path):
        return [Shard(file, file.stat().st_size) for file in files]
    return [shard for file in files for shard in parquet.shards(file, GROUPS)]


@dataclass(frozen=True)
class YesNo:
    """Columns of yes and no: how many rows say yes, how many say nothing (nothing or -1), how many say -1, of `rows` in all; `empty`
    rows say nothing at all."""

    yes: Counter[str]
    unknown: Counter[str]
    minus: Counter[str]
    rows: int
    empty: int


def indicators(columns: Mapping[str, np.ndarray], ignore: Any) -> YesNo:
    """What columns of 0 and 1 say, float64 with NaN. A row that does not say one label still counts for the others."""
    if ignore is not None:
        raise ValueError("count: ignore= is for one label per row; multi-label columns are 0 or 1 everywhere.")
    for name, column in columns.items():
        odd = [] if column.dtype == object else column[~np.isnan(column) & ~np.isin(column, (0, 1, -1))][:1].tolist()
        if column.dtype == object or odd:
            example = odd[0] if odd else "text"
            raise ValueError(f"count: several label columns are multi-label, 0 or 1, but {name!r} holds {example!r}.")
    array = np.stack(list(columns.values()), axis=1)
    unknown = np.isnan(array) | (array == -1)

    def by_name(marked: np.ndarray) -> Counter[str]:
        return Counter(dict(zip(columns, np.count_nonzero(marked, axis=0).tolist(), strict=True)))

    empty = int(np.count_nonzero(unknown.all(axis=1)))
    return YesNo(by_name(array == 1), by_name(unknown), by_name(array == -1), len(array), empty)


def indicator_counts(answers: YesNo, classes: Any, source: str, mark: str | None = None) -> tuple[Counts, list[str]]:
    """(multi-label Counts, notes). `classes` gives the columns other names, in their order."""
    columns, items = list(answers.yes), answers.rows - answers.empty
    if not items:
        raise ValueError(f"count: no row has a value in any of {labels.some(columns)}, so there is nothing to count.")
    for name in columns:
        if answers.minus[name] and answers.yes[name] + answers.unknown[name] == answers.rows:
            raise ValueError(
                f"count: column {name!r} holds -1 and 1 but no 0. If -1 means no, write 0 for it; if it means unknown, no row"
                " says no, and there is nothing to weigh."
            )
    names = columns if classes is None else labels.names_in(classes)
    if len(names) != len(columns):
        raise ValueError(f"count: classes= names {len(names)} labels, but there are {len(columns)} columns.")
    note = labels.left_out(answers.empty)
    where = source + (f" ({note})" if answers.empty else "")
    unknown = [answers.unknown[name] - answers.empty for name in columns]
    also = {"unknown": unknown} if any(unknown) else None
    yes = [answers.yes[name] for name in columns]
    counts = Counts(yes, names, "rows", where, kind="multilabel", items=items, also=also, digest=mark)
    notes = [note] if answers.empty else []
    if any(unknown):
        shown = ", ".join(f"{name} {n:,}" for name, n in list(zip(names, unknown, strict=True))[:8] if n)
        notes.append(f"unknown (nothing or -1) is not no, and such a row counts for its other labels: {shown}")
    return counts, notes
