"""Label columns of tables as sources of labels: one column of classes, or several of yes and no."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ..counts import Counts
from . import arff, delimited, digest, labels, parquet, typed
from .classes import CELLS, Cells, classes_of
from .ignored import in_place
from .paths import ends_in, is_parquet, is_typed, table_files
from .several import count_parts, note_on_parts
from .source import Shard, Source, Tally, Tell
from .tables import Table, all_parquet, all_typed, read_table
from .tally import refuse_too_many
from .yes_no import YesNo, answer_counts, answers_of

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
            if is_typed(shard.path):
                name, part.cells, rows = typed.tally_column(shard.path, self.label, part.notes, tell)
                if rows is not None:
                    part.items, part.facts["lists"] = rows, 1
            elif ends_in(shard.path, (".arff",)):
                name, times, decimal = arff.tally_column(shard.path, self.label, part.notes)
                part.cells = Cells(times, CELLS, decimal=decimal)
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
            notes = list(total.notes)
            if total.cells.recurring:
                notes.append(
                    f"column {name!r} has rows that hold a label more than once ({total.cells.recurring:,} times too often), and it counted once in"
                    " each; if they are sequences, such as tags of tokens, read the column in Python and pass it with kind='exclusive'"
                )
            return self._lists(total, what), notes
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
    picked: str | None = None  # a note on how these columns were chosen

    def shards(self) -> Sequence[Shard]:
        return table_shards(self.path)

    def read(self, shard: Shard, tell: Tell) -> Tally:
        if shard.stop is not None:
            table = Table(str(shard.path), *parquet.columns(shard, self.label))
            mark = parquet.column_digest(shard, table.names)
        else:
            table, mark = read_table(shard.path, columns=list(self.label)), digest.of_file(shard.path)
        columns = {name: table.column(name) for name in table.names}
        answers = answers_of(columns, self.ignore)
        facts = Counter(empty=answers.empty)
        also = {"unknown": answers.unknown, "minus": answers.minus}
        return Tally(answers.yes, items=answers.rows, also=also, facts=facts, digest=mark, notes=list(table.notes))

    def counts(self, total: Tally) -> tuple[Counts, list[str]]:
        answers = YesNo(total.labels, total.also["unknown"], total.also["minus"], total.items, total.facts["empty"])
        counts, notes = answer_counts(answers, self.classes, self.path, digest.written(total.digest))
        return counts, [*([self.picked] if self.picked else []), *total.notes, *notes]


def table_shards(path: str) -> list[Shard]:
    """A shard for each text file, and for about 8 million rows of each Parquet file."""
    files = table_files(path)
    if any(map(is_typed, files)):
        all_typed(files, path)
    elif all_parquet(files, path):
        return [shard for file in files for shard in parquet.shards(file, GROUPS)]
    whole = [file for file in files if is_typed(file) or not is_parquet(file)]
    groups = [shard for file in files if file not in whole for shard in parquet.shards(file, GROUPS)]
    return [*(Shard(file, file.stat().st_size) for file in whole), *groups]
