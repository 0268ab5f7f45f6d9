"""Label columns of tables as sources of labels: one column of classes, or several of yes and no."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..counts import Counts
from . import arff, conll, delimited, digest, parquet, typed
from .classes import CELLS, Cells, classes_of
from .gather import ONE_EACH, Gather, refuse_options
from .labels import short
from .notes import Doubt
from .paths import CONLL, ends_in, is_parquet, is_typed, table_files
from .several import count_parts, hinting, in_order, note_on_parts
from .source import Shard, Source, Tally, Tell
from .tables import Table, all_parquet, all_typed, read_table
from .tally import refuse_too_many
from .tokens import Reader
from .yes_no import YesNo, answer_counts, answers_of

GROUPS = 1 << 23  # rows of a Parquet file that are one shard


@dataclass(frozen=True, kw_only=True)
class Column(Source):
    """One column: the class of each row, streamed and never held. A column of lists is multi-label; of kind "exclusive" every element
    counts, as every token of tagged text does."""

    label: str | int
    kind: str | None = None

    def shards(self) -> Sequence[Shard]:
        return table_shards(self.path)

    def read(self, shard: Shard, tell: Tell) -> Tally:
        part = Tally()
        if shard.stop is not None:
            into = self._gather()
            name = parquet.tally_column(shard, self.label, into, tell)
            part.digest = parquet.column_digest(shard, [name])
            if self.classes is None:
                part.notes.extend(parquet.lost_levels(shard.path, [name]))
        else:
            part.digest = digest.of_file(shard.path)
            name, into = self._read_file(shard.path, part, tell)
        part.names, part.cells, part.tokens, part.items = [name], into.cells, into.tokens, into.tokens.rows
        part.facts["lists"] += into.lists
        refuse_too_many(part.cells.times, f"{self.path}: column {short(name)}")
        return part

    def _read_file(self, file: Path, part: Tally, tell: Tell) -> tuple[str, Gather]:
        into = self._gather()
        if is_typed(file):
            return typed.tally_column(file, self.label, into, part.notes, tell), into
        if ends_in(file, (".arff",)):
            name, times, decimal = arff.tally_column(file, self.label, part.notes)
            into.add_cells(Cells(times, CELLS, decimal=decimal), f"{file}: column {short(name)}")
            return name, into
        if ends_in(file, CONLL) or (self.separator is None and conll.serves(file, self.label, self.kind, part.notes)):
            part.facts["tagged"] += 1
            return conll.tally_column(file, self.label, into, part.notes, tell), into
        return delimited.tally_column(file, self.label, self._gather, part.notes, tell)

    def _gather(self) -> Gather:
        read = Reader(ignore=self.ignore, missing=self.missing, classes=self.classes)
        return Gather(read, self.separator if self.kind == "exclusive" else None)

    def counts(self, total: Tally) -> tuple[Counts, list[str]]:
        name = total.names[0]
        what = f"{self.path}, column {short(name)}"
        if total.facts["lists"] or (self.separator is not None and self.kind == "exclusive"):
            return self._several(total, what)
        if self.separator is not None:
            refuse_options(what, same_case=self.same_case, separator=self.separator, lists=False)
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
        if self.kind == "multilabel":
            raise ValueError(f"{what}{ONE_EACH}")
        with hinting(lambda: total.cells.times):
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

    def _several(self, total: Tally, what: str) -> tuple[Counts, list[str]]:
        """Of cells that hold several labels: of tokens, or of rows."""
        lists = bool(total.facts["lists"])
        refuse_options(what, same_case=self.same_case, separator=self.separator, lists=lists)
        if lists and any(cell is not None and n for cell, n in total.cells.times.items()):
            raise ValueError(f"{what} holds lists in some files and single labels in others; count them apart.")
        total.tokens.unknown += sum(total.cells.times.values())
        kind = "exclusive" if self.kind is None and total.facts["tagged"] else self.kind
        classes = self.classes if lists or self.classes is not None else in_order(total.tokens.times, self.ignore)
        counts, notes = total.tokens.counts(kind, what, classes=classes, ignore=self.ignore, digest=total.digest)
        held = total.tokens.times.total() + total.tokens.ignored.total() + total.tokens.absent
        if not lists and held <= total.tokens.rows:
            notes.append(Doubt(f"no cell holds the separator {self.separator!r}"))
        if kind is None and total.tokens.recurring:
            notes.append(
                Doubt(
                    f"{what} has rows that hold a label more than once ({total.tokens.recurring:,} times too often), and it counted once in"
                    " each; if they are sequences, such as tags of tokens, --kind exclusive (kind='exclusive') counts every element"
                )
            )
        return counts, [*total.notes, *notes]


@dataclass(frozen=True, kw_only=True)
class Indicators(Source):
    """Several columns of 0 and 1: yes or no for each label; nothing and -1 are unknown, for that label alone."""

    label: tuple[str | int, ...]
    picked: str | None = None  # a note on how these columns were chosen
    kind: str | None = None

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
        facts = Counter(empty=answers.empty, single=answers.single)
        also = {"unknown": answers.unknown, "minus": answers.minus}
        return Tally(answers.yes, items=answers.rows, also=also, facts=facts, digest=mark, notes=list(table.notes))

    def counts(self, total: Tally) -> tuple[Counts, list[str]]:
        unknown, minus, facts = total.also["unknown"], total.also["minus"], total.facts
        answers = YesNo(total.labels, unknown, minus, total.items, facts["empty"], facts["single"])
        mark = digest.written(total.digest)
        counts, notes = answer_counts(answers, self.classes, self.path, mark, self.kind)
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
