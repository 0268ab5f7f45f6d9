"""Rows that hold several labels each: in how many rows each label occurs, how often, and how long the rows are that hold it."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..counts import Counts
from . import digest as digests
from . import labels
from .classes import marks_of
from .ignored import in_place
from .notes import Scope, ignored
from .tally import arrow, values_of, without_views

ABSENT, IGNORED = object(), object()
DENSE = 1 << 23  # rows times labels of which a table is made


class Reader:
    """From an element to its label: ABSENT where there is none, IGNORED where it does not count. Elements of one class are one label, so
    that a row which holds both counts once for it.

    names    those of a ClassLabel, in which a number below 0 is no label
    missing  the texts that stand for no label; without it all text is a label
    """

    def __init__(
        self, *, ignore: Any = None, missing: Any = None, classes: Any = None, names: Sequence[str] | None = None
    ) -> None:
        self.ignored = {labels.label_name(v) for v in labels.listed(ignore) if not labels.is_missing(v)}
        self.marks = frozenset() if missing is None else marks_of(missing, classes)
        self.cell_marks = marks_of(missing, classes)  # of text that is split
        self.named, self.names = labels.renames(classes), names
        self.first: dict[str, Any] = {}  # the label of a class that stands for all of its labels

    def __call__(self, value: Any) -> Any:
        if labels.is_missing(value):
            return ABSENT
        if self.names is not None:
            if value < 0:
                return IGNORED if labels.label_name(value) in self.ignored else ABSENT
            value = self.names[value]
        name = labels.label_name(value)
        if name in self.ignored:
            return IGNORED
        if isinstance(value, str) and value.strip() in self.marks:
            return ABSENT
        return self.first.setdefault(self.named[name], value) if name in self.named else value


@dataclass
class Tokens:
    """The elements of rows by label; two of them add.

    times, within, sequences  elements; elements of the rows that hold the label; how many rows hold it
    rows                      rows, also those that hold nothing
    absent, ignored           elements that are no label, and those that do not count; neither belongs to a row
    unknown                   rows of which nothing is known; they are not among `rows`
    """

    times: Counter[Any] = field(default_factory=Counter)
    within: Counter[Any] = field(default_factory=Counter)
    sequences: Counter[Any] = field(default_factory=Counter)
    rows: int = 0
    absent: int = 0
    ignored: Counter[Any] = field(default_factory=Counter)
    unknown: int = 0

    @property
    def recurring(self) -> int:
        """Elements beyond the first of their label in a row."""
        return self.times.total() - self.sequences.total()

    def add(self, other: "Tokens") -> None:
        for mine, theirs in (
            (self.times, other.times),
            (self.within, other.within),
            (self.sequences, other.sequences),
            (self.ignored, other.ignored),
        ):
            mine.update(theirs)
        self.rows, self.absent, self.unknown = (
            self.rows + other.rows,
            self.absent + other.absent,
            self.unknown + other.unknown,
        )

    def add_row(self, elements: Iterable[Any], read: Reader, times: int = 1) -> None:
        """A row that occurs so many times."""
        held: Counter[Any] = Counter()
        for value, n in Counter(elements).items():
            label = read(value)
            if label is ABSENT:
                self.absent += n * times
            elif label is IGNORED:
                self.ignored[value] += n * times
            else:
                held[label] += n
        total = held.total()
        for label, n in held.items():
            self.times[label] += n * times
            self.within[label] += total * times
            self.sequences[label] += times
        self.rows += times

    def add_arrow(self, array: Any, read: Reader) -> None:
        """An Arrow array of lists; null is no row."""
        pa, pc = arrow()
        array = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
        self.unknown += array.null_count
        array = _of_plain_text(array).drop_null()
        self.rows += len(array)
        flat = without_views(pc.list_flatten(array))
        encoded = flat if pa.types.is_dictionary(flat.type) else flat.dictionary_encode()
        parents = pc.list_parent_indices(array).to_numpy(zero_copy_only=False)
        codes = pc.cast(encoded.indices, pa.int64()).fill_null(-1).to_numpy(zero_copy_only=False)
        values = [*values_of(encoded.dictionary), None]  # the code -1 takes the last
        often = np.roll(np.bincount(codes + 1, minlength=len(values)), -1).tolist()
        number: dict[Any, int] = {}
        to = np.full(len(values), -1)
        for at, value in enumerate(values):
            label = read(value)
            if label is ABSENT:
                self.absent += often[at]
            elif label is IGNORED:
                self.ignored[value] += often[at]
            else:
                to[at] = number.setdefault(label, len(number))
        coded = to[codes]
        parents, coded = parents[coded >= 0], coded[coded >= 0]
        if not len(coded):
            return
        length = np.bincount(parents, minlength=len(array))
        key = parents.astype(np.int64) * len(number) + coded
        if len(array) * len(number) <= DENSE:
            held = np.bincount(key, minlength=len(array) * len(number)).reshape(len(array), len(number)) > 0
            sequences, within = held.sum(axis=0).tolist(), (length @ held).tolist()
        else:
            row, label = np.divmod(np.unique(key), len(number))
            sequences = np.bincount(label, minlength=len(number)).tolist()
            within = np.bincount(label, length[row], len(number)).astype(np.int64).tolist()  # exact below 2**53
        times = np.bincount(coded, minlength=len(number)).tolist()
        for value, at in number.items():
            self.times[value] += times[at]
            self.within[value] += within[at]
            self.sequences[value] += sequences[at]

    def counts(
        self, kind: str | None, what: str, *, classes: Any, ignore: Any, digest: int | None = None
    ) -> tuple[Counts, list[str]]:
        """(Counts, notes): of tokens where the kind is "exclusive", else multi-label ones of rows."""
        gone: list[str] = [Scope(labels.left_out(self.unknown))] if self.unknown else []
        if self.absent and kind == "exclusive":
            gone.append(Scope(f"{self.absent:,} {'token' if self.absent == 1 else 'tokens'} without a label left out"))
        source = what + (f" ({', '.join(gone)})" if gone else "")
        classes = in_place(self.times, ignore) if classes is None else classes
        mark = None if digest is None else digests.written(digest)
        notes = [*gone, *ignored(self.ignored, {}, "labels")]
        if kind != "exclusive":
            return labels.by_value(
                self.sequences,
                classes=classes,
                source=source,
                unit="rows",
                kind="multilabel",
                items=self.rows,
                digest=mark,
            ), notes
        return labels.by_value(
            self.times,
            classes=classes,
            source=source,
            unit="tokens",
            items=self.rows,
            containing=self.within,
            also={"sequences": self.sequences},
            digest=mark,
        ), notes


def _of_plain_text(array: Any) -> Any:
    """Lists of text in the layout that every function of Arrow takes; polars has another."""
    pa, pc = arrow()
    if not pa.types.is_string_view(array.type.value_type):
        return array
    text = pa.large_string()
    fixed = pa.types.is_fixed_size_list(array.type)
    return pc.cast(array, pa.list_(text, array.type.list_size) if fixed else pa.large_list(text))
