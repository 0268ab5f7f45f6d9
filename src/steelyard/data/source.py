"""What one part of the data holds, and what a source of parts is. Parts are read anywhere and add in any order."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from ..counts import Counts
from .dialect import add_notes

Tell = Callable[[int], None]  # told how many bytes of a part have been read so far


@dataclass(frozen=True)
class Shard:
    """A part that is read at once: a file, or the row groups start..stop of a Parquet file. size is in bytes."""

    path: Path
    size: int = 0
    start: int = 0
    stop: int | None = None


@dataclass
class Partial:
    """What was found: label values and how often, and further tallies by the same values.

    items       rows or images
    containing  pixels of the images that hold the value (masks)
    also        other tallies, such as {"images": Counter}
    told        whole numbers about the data as a whole, such as {"missing": 3}
    names       what the data itself calls its classes (COCO), or its label columns (tables)
    digest      see digest.py
    unread      (file, reason) for each file that could not be read
    """

    found: Counter[Any] = field(default_factory=Counter)
    items: int = 0
    containing: Counter[Any] = field(default_factory=Counter)
    also: dict[str, Counter[Any]] = field(default_factory=dict)
    told: Counter[str] = field(default_factory=Counter)
    names: list[str] = field(default_factory=list)
    digest: int = 0
    notes: list[str] = field(default_factory=list)
    unread: list[tuple[str, str]] = field(default_factory=list)

    def add(self, other: "Partial") -> None:
        """Take in what another part holds."""
        self.found.update(other.found)
        self.items += other.items
        self.containing.update(other.containing)
        for name, tally in other.also.items():
            self.also.setdefault(name, Counter()).update(tally)
        self.told.update(other.told)
        self.digest = (self.digest + other.digest) % 2**128
        self.names.extend(name for name in other.names if name not in self.names)
        add_notes(self.notes, other.notes)
        self.unread.extend(other.unread)


class Source(Protocol):
    """Data in parts. `read` depends on nothing but the source and the shard, so any process can do it."""

    @property
    def where(self) -> str: ...

    def shards(self) -> Sequence[Shard]:
        """The parts, in a fixed order."""
        ...

    def read(self, shard: Shard, tell: Tell) -> Partial:
        """What the part holds. ValueError or OSError, naming the file, if it cannot be read."""
        ...

    def counts(self, total: Partial) -> tuple[Counts, list[str]]:
        """(Counts, notes) of all parts together."""
        ...
