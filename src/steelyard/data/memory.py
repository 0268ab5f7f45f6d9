"""Labels in memory: what an array, a list or a batch holds, and Counts from one or many of them."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..counts import Counts
from ..progress import counted
from . import arrays, labels
from .image import apart, no_labels
from .notes import Doubt, Scope, ignored
from .sequences import ASK, refuse_recurring, sequences_in, tokens_of
from .several import note_on_parts
from .tally import DISTINCT
from .tokens import ABSENT, Reader
from .yes_no import YesNo, answered, answers_in

INDICES, VALUES, YES_NO, LISTS = "indices", "values", "yes or no", "lists"


@dataclass
class Piece:
    """What one piece of data holds. Pieces of one form add.

    form   INDICES: logit indices. VALUES: text or booleans. YES_NO: columns of 0 and 1. LISTS: a set of labels per item
    tally  {label: how often}, or {label: in how many sets}; of YES_NO there are `answers` instead
    items  rows; of an exclusive form, labels
    shape  columns of YES_NO; otherwise dimensions
    within {label: labels of the images that hold it}, and `images` {label: images that hold it}, of masks [N, H, W], where
           `pictures` says how many images there are
    """

    form: str
    tally: Counter[Any]
    items: int
    shape: int
    within: Counter[Any] = field(default_factory=Counter)
    images: Counter[Any] = field(default_factory=Counter)
    pictures: int = 0
    answers: YesNo | None = None
    unit: str = "pixels"

    def add(self, other: "Piece") -> None:
        multilabel = (YES_NO, LISTS)
        if self.form != other.form and (self.form in multilabel or other.form in multilabel):
            raise ValueError(
                "count: some batches hold one label per item and others are multi-label; count them apart."
            )
        if bool(self.pictures) != bool(other.pictures) or self.unit != other.unit:
            raise ValueError("count: some batches hold sequences of labels and others do not; count them apart.")
        if self.answers is not None and other.answers is not None and self.shape != other.shape:
            raise ValueError(
                f"count: one batch has {self.shape} label columns and another {other.shape}; count them apart."
            )
        if self.answers is not None and other.answers is not None:
            self.answers.add(other.answers)
        if self.form != other.form:
            self.form = VALUES
        self.tally.update(other.tally)
        self.items += other.items
        self.within.update(other.within)
        self.images.update(other.images)
        self.pictures += other.pictures

    def counts(self, classes: Any, ignore: Any, source: str = "") -> Counts:
        """ValueError where labels are missing, have no name, or nothing was found."""
        counts = self._counts(classes, ignore, source)
        kept, missing = labels.drop(self.tally, ignore)
        notes = ignored(self.tally, kept, counts.unit)
        if missing:
            notes.append(Scope(f"{missing:,} missing labels left out, as was said"))
        if self.form != INDICES and counts.kind == "exclusive" and (parts := note_on_parts(kept)):
            what, _, _ = parts.partition("; to count each")
            notes.append(Doubt(f"{what}; to count each, give a list for each row, such as [['A', 'B'], ['A']]"))
        return counts.noted(notes)

    def _counts(self, classes: Any, ignore: Any, source: str) -> Counts:
        if self.answers is not None:
            return answered(self.answers, classes, source)
        if self.form == LISTS:
            return _of_lists(self, classes, ignore, source)
        if self.pictures:
            return _of_pictures(self, classes, ignore, source)
        unit = "rows" if self.shape < 2 else "elements"
        if self.form == INDICES and self.shape > 1 and classes is None:
            kept, _ = labels.drop(self.tally, ignore)
            _ask_what_255_is({value: n for value, n in kept.items() if min(kept) >= 0})
        if self.form == INDICES:
            return labels.from_indices(self.tally, classes=classes, ignore=ignore, source=source, unit=unit)
        kept, missing = labels.drop(self.tally, ignore)
        labels.refuse_missing(missing, ignore)
        return labels.by_value(kept, classes=classes, source=source, unit=unit)


def count_batches(data: Any, key: Any, classes: Any, ignore: Any, kind: str | None, progress: bool = False) -> Counts:
    """Counts of batch[key] over all batches; one batch is held at a time."""
    if isinstance(data, Mapping):
        raise ValueError("count: a dictionary is not data; if it holds counts, write Counts(d).")
    if not isinstance(data, Iterable):
        raise ValueError(f"count: key= is for a DataLoader or an iterable of batches, got {type(data).__name__}.")
    total: Piece | None = None
    for number, batch in enumerate(counted(data, "counting", "batches", shown=progress)):
        batch_labels = _labels_of(batch, key, number)
        piece = piece_of(batch_labels if dimensions(batch_labels) else [batch_labels], kind, ignore, classes)
        if total is None:
            total = piece
        else:
            total.add(piece)
    if total is None:
        raise ValueError("count: there is no label to count; the data holds no batch.")
    return total.counts(classes, ignore)


def _labels_of(batch: Any, key: Any, number: int) -> Any:
    """batch[key]. ValueError if there is none, or no key was given."""
    if key is None:
        if dimensions(batch) == 0:
            raise ValueError("count: the data is an iterator of single values; pass a list of them.")
        raise ValueError(
            f"count: batch {number} is {describe(batch)}; say with key= where its labels are, such as key=1 or key='label'."
        )
    try:
        return batch[key]
    except (KeyError, IndexError, TypeError):
        raise ValueError(
            f"count: batch {number} is {describe(batch)} and has no [{key!r}]; choose another key=."
        ) from None


def piece_of(data: Any, kind: str | None, ignore: Any = None, classes: Any = None) -> Piece:
    """What the data holds. Its type and shape decide, never its values: two dimensions are multi-label, so are sets and
    lists of text, unless `kind` is "exclusive". Then [N, H, W] (unless `kind` says otherwise), and lists of [H, W], are masks, image by
    image; so are [N, 1, H, W]."""
    if kind is None and _are_masks(data):
        kind = "exclusive"
    piece = _piece_of_sequences(data, kind, ignore, classes)
    if piece is not None:
        return piece
    if kind != "exclusive" and are_lists(data):
        read = Reader(classes=classes)
        tally = Counter(label for item in data for label in _once(map(_plain, item), read))
        return Piece(LISTS, tally, len(data), 1)
    if kind == "multilabel" or (kind is None and dimensions(data) >= 2):
        array = masked_or(data)
        answers = answers_in(array, ignore)
        if kind == "multilabel":
            answers.single = answers.pictured = 0  # as was said
        return Piece(YES_NO, Counter(), len(array), len(answers.yes), answers=answers)
    masks = _masks(data) if kind == "exclusive" else None
    if masks is not None:
        return _piece_of_masks(masks, ignore, Reader(classes=classes))
    tally, indices = arrays.tally_labels(data)
    return Piece(INDICES if indices else VALUES, Counter(tally), sum(tally.values()), dimensions(data))


def _piece_of_sequences(data: Any, kind: str | None, ignore: Any, classes: Any) -> Piece | None:
    """Of lists of labels: sequences, or a set of labels for each item; None of anything else. Lists of numbers, all of one length, are rows
    of yes and no unless `kind` is "exclusive"."""
    sequences = sequences_in(data, ignore)
    if sequences is None:
        return None
    if kind == "exclusive":
        tokens, indices = tokens_of(sequences, ignore, classes)
        piece = Piece(INDICES if indices else VALUES, tokens.times, tokens.times.total(), 2, unit="tokens")
        piece.within, piece.images, piece.pictures = tokens.within, tokens.sequences, tokens.rows
        return piece
    texts = all(isinstance(v, str) for row in sequences for v in row) and any(map(len, sequences))
    if not texts and len(set(map(len, sequences))) == 1:
        return None
    if kind is None:
        refuse_recurring(sequences)
        if not texts:
            raise ValueError(f"count: the items of the list have different lengths.{ASK}")
    read = Reader(classes=classes)
    return Piece(LISTS, Counter(v for row in sequences for v in _once(row, read)), len(sequences), 1)


def _once(row: Iterable[Any], read: Reader) -> set[Any]:
    """The labels of a row, of those that are one class the same one; None for what is missing."""
    return {None if label is ABSENT else label for label in map(read, row)}


def masked_or(data: Any) -> np.ndarray:
    """The array, a masked one with its mask; so are torch's masked tensors, whose mask says what is known."""
    if isinstance(data, np.ma.MaskedArray):
        return data
    if hasattr(data, "get_data") and hasattr(data, "get_mask"):
        return np.ma.MaskedArray(arrays.as_array(data.get_data()), ~arrays.as_array(data.get_mask()))
    return arrays.as_array(data)


def _are_masks(data: Any) -> bool:
    """[N, H, W], [N, 1, H, W], or a list of [H, W]: nothing multi-label has that shape. [N, C, H, W] might be one-hot, and is asked about."""
    shape = getattr(data, "shape", ())
    if len(shape) == 4:
        return shape[1] == 1
    return dimensions(data) == 3


def _masks(data: Any) -> list[np.ndarray] | None:
    """The masks of an array [N, H, W] (or with more axes), or of a list of arrays [H, W]; None if it is neither."""
    if isinstance(data, (list, tuple)) and data and all(is_array(v) and dimensions(v) >= 2 for v in data):
        return [arrays.as_array(v) for v in data]
    if dimensions(data) < 3:
        return None
    array = arrays.as_array(data)
    return list(array) if array.ndim > 2 and _refuse_no_labels(array) else None


def _refuse_no_labels(array: np.ndarray) -> bool:
    """ValueError for one-hot arrays and pictures in the place of labels, as for files."""
    reason = no_labels(array)
    channels = next((a for a in (1, 3) if array.ndim == 4 and array.shape[a] in (3, 4)), None)
    if (
        reason is None
        and channels is not None
        and min(s for i, s in enumerate(array.shape) if i not in (0, channels)) > 4
    ):
        reason = (
            f"the array {list(array.shape)} has {array.shape[channels]} numbers for each pixel on axis {channels}, as pictures in colours;"
            " masks have one, [N, H, W]"
        )
    if reason is not None:
        raise ValueError(f"count: {reason}.")
    return True


def _piece_of_masks(masks: list[np.ndarray], ignore: Any, read: Reader) -> Piece:
    total = Piece(VALUES, Counter(), 0, 3)
    for number, mask in enumerate(masks):
        _refuse_no_labels(mask)
        tally, indices = arrays.tally_labels(mask)
        total.form = INDICES if indices else VALUES
        total.tally.update(tally)
        kept, _ = labels.drop(tally, ignore)
        held = {read(value) for value in kept}  # two values of one class are one presence
        total.within.update(dict.fromkeys(held, sum(kept.values())))
        total.images.update(dict.fromkeys(held, 1))
        total.pictures = number + 1
    total.items = sum(total.tally.values())
    return total


def _of_pictures(piece: Piece, classes: Any, ignore: Any, source: str) -> Counts:
    """Pixels, and what is known of the images, as for masks in files."""
    kept, missing = labels.drop(piece.tally, ignore)
    labels.refuse_missing(missing, ignore)
    if classes is None and piece.unit == "pixels":
        _ask_what_255_is(kept)
    held = "images" if piece.unit == "pixels" else "sequences"
    if piece.form == VALUES:
        also = {held: piece.images}
        items = piece.pictures
        return labels.by_value(
            kept, classes=classes, source=source, unit=piece.unit, items=items, containing=piece.within, also=also
        )

    def counted(tally: Mapping[Any, int]) -> Counts:
        return labels.from_indices(tally, classes=classes, ignore=None, source=source, unit=piece.unit)

    counts, within, images = counted(kept), counted(piece.within), counted(piece.images)
    return Counts(
        counts.per_class,
        counts.classes,
        piece.unit,
        source,
        items=piece.pictures,
        containing=within.per_class,
        also={held: images.per_class},
    )


def _ask_what_255_is(tally: Mapping[Any, int]) -> None:
    """ValueError where masks hold 255 beside 0, or beside the numbers of classes, and so 256 logits would be needed. Of negative numbers
    in other arrays `labels.from_indices` speaks."""
    void = apart(tally)
    if void == 255 and set(tally) == {0, 255}:
        raise ValueError(
            "count: the masks hold 0 and 255, one class of objects, whose index is 1: count mask > 127 as integers, and train on that."
        )
    if void is not None:
        others = ", ".join(str(v) for v in sorted(set(tally) - {void})[:4])
        raise ValueError(
            f"count: the masks hold {void} beside {others} ({tally[void]:,} pixels). If it is void pass ignore={void}, and the same to"
            f" the loss; if it is a class pass classes=, such as classes={sorted(tally)[:30]}."
        )


def are_lists(data: Any) -> bool:
    """Whether each item is a set of labels, or a list or tuple of text: [["cat", "dog"], [], ["dog"]]."""
    if not isinstance(data, Sequence) or isinstance(data, (str, bytes)) or not len(data):
        return False
    if all(isinstance(item, Set) for item in data):
        return True
    if not all(isinstance(item, (Set, list, tuple)) for item in data):
        return False
    return any(len(item) for item in data) and all(isinstance(v, str) for item in data for v in item)


def dimensions(data: Any) -> int:
    if hasattr(data, "ndim"):
        return int(data.ndim)
    if isinstance(data, Sequence) and not isinstance(data, (str, bytes)):
        return 1 + max((dimensions(v) for v in data[:1]), default=0)
    return 1 if hasattr(data, "__len__") and not isinstance(data, (str, bytes)) else 0


def _of_lists(piece: Piece, classes: Any, ignore: Any, source: str) -> Counts:
    kept, missing = labels.drop(piece.tally, ignore)
    labels.refuse_missing(missing, ignore)
    if len(kept) > DISTINCT:
        raise ValueError(f"count: the lists hold over {DISTINCT:,} different labels; are they identifiers?")
    if kept and all(isinstance(v, int) and not isinstance(v, bool) for v in kept):
        # whole numbers are logit indices here too; how often each occurs, then the same with the rows as items
        counts = labels.from_indices(kept, classes=classes, ignore=None, source=source, unit="rows")
        return Counts(counts.per_class, counts.classes, "rows", source, kind="multilabel", items=piece.items)
    return labels.by_value(kept, classes=classes, source=source, unit="rows", kind="multilabel", items=piece.items)


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


def describe(data: Any) -> str:
    """What it is, in a few words, for an error."""
    if isinstance(data, Mapping):
        return f"a dictionary with {labels.some([str(k) for k in data])}"
    if isinstance(data, (list, tuple)):
        return f"a {type(data).__name__} of {len(data)}"
    return f"a {type(data).__name__}"


def is_array(data: Any) -> bool:
    return isinstance(data, np.ndarray) or any(
        hasattr(data, a) for a in ("detach", "to_numpy", "__array__", "__arrow_c_array__")
    )
