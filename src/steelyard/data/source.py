"""A source of labels is read shard by shard, anywhere and in any order; what the shards hold adds up."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..counts import Counts
from .classes import Cells
from .notes import Scope
from .paths import ends_in, expanded, holds, inside
from .tokens import Tokens

Tell = Callable[[int], None]  # hears how many bytes of a shard have been read so far


@dataclass(frozen=True)
class Shard:
    """A part that is read at once: a file, or the row groups start..stop of a Parquet file. size is in bytes."""

    path: Path
    size: int = 0
    start: int = 0
    stop: int | None = None


@dataclass
class Tally:
    """What a shard holds: label values and how often, and further tallies by the same values. Two of them add, in any order.

    items       rows or images
    containing  pixels of the images that hold the value (masks)
    also        other tallies, such as {"images": Counter}
    facts       whole numbers about the data as a whole, such as {"missing": 3}
    names       what the data itself calls its classes (COCO), or its label columns (tables)
    cells       of a label column, instead of labels
    tokens      of a label column whose cells hold several
    digest      see digest.py
    unread      (file, reason) for each file that could not be read
    wrong       what could not be read within a file that was, a sentence each
    """

    labels: Counter[Any] = field(default_factory=Counter)
    items: int = 0
    containing: Counter[Any] = field(default_factory=Counter)
    also: dict[str, Counter[Any]] = field(default_factory=dict)
    facts: Counter[str] = field(default_factory=Counter)
    names: list[str] = field(default_factory=list)
    cells: Cells = field(default_factory=Cells)
    tokens: Tokens = field(default_factory=Tokens)
    digest: int = 0
    notes: list[str] = field(default_factory=list)
    unread: list[tuple[str, str]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def add(self, other: "Tally") -> None:
        """Take in what another shard holds."""
        self.labels.update(other.labels)
        self.items += other.items
        self.containing.update(other.containing)
        for name, tally in other.also.items():
            self.also.setdefault(name, Counter()).update(tally)
        self.facts.update(other.facts)
        self.digest = (self.digest + other.digest) % 2**128
        self.cells.add(other.cells, f"the label column {' '.join(other.names)!r}")
        self.tokens.add(other.tokens)
        self.names = list(dict.fromkeys([*self.names, *other.names])) if other.names != self.names else self.names
        add_notes(self.notes, other.notes)
        self.unread.extend(other.unread)
        self.wrong.extend(other.wrong)


@dataclass(frozen=True, kw_only=True)
class Source(ABC):
    """Data in shards. `read` depends on nothing but the source and the shard, so any process can do it.

    path       as it was given; Counts and errors name it
    classes    and the others are those of `count`
    """

    path: str
    classes: Any = None
    ignore: Any = None
    missing: Any = None
    same_case: bool = False
    separator: str | None = None

    @abstractmethod
    def shards(self) -> Sequence[Shard]:
        """In a fixed order."""

    def beside(self, shards: Sequence[Shard]) -> list[str]:
        """Notes on what the folder holds besides these shards; none where a file or a glob says what is meant."""
        others = self.others(shards)
        return [Scope(f"in the folder, but not read: {holds(others)}")] if others else []

    def others(self, shards: Sequence[Shard], *known: str) -> list[Path]:
        """The files of the folder that are no shards and have none of the `known` endings."""
        folder = expanded(self.path)
        if not folder.is_dir():
            return []
        read = {shard.path for shard in shards}
        return [f for f in inside(folder) if f not in read and not (known and ends_in(f, known))]

    @abstractmethod
    def read(self, shard: Shard, tell: Tell) -> Tally:
        """What the shard holds. ValueError or OSError, naming the file, if it cannot be read."""

    @abstractmethod
    def counts(self, total: Tally) -> tuple[Counts, list[str]]:
        """(Counts, notes) of all shards together."""


def add_notes(notes: list[str], more: Sequence[str]) -> None:
    """Append what is new; the same note about a second file, with another example in brackets, is not."""
    known = {note.partition(" (")[0] for note in notes}
    notes.extend(note for note in more if note.partition(" (")[0] not in known)
