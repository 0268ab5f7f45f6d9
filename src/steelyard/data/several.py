"""Several labels in one cell: A|B, A; B, 0 2 4, ['A', 'B']."""

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ..counts import Counts
from . import digest as digests
from . import labels
from .classes import Cells, marks_of, read_cells
from .ignored import in_place
from .notes import Doubt, Scope, ignored
from .tokens import Reader

SEPARATORS = ("|", ";", ",", "/", " ")
MOST = 10_000  # distinct cells that are looked at for labels that recur
TAGS = 200  # more different words than that are text, not tags


def count_parts(
    cells: Cells,
    separator: str,
    what: str,
    *,
    classes: Any = None,
    ignore: Any = None,
    missing: Any = None,
    digest: int | None = None,
) -> tuple[Counts, list[str]]:
    """(multi-label Counts, notes): in how many rows each label occurs. [] is a row without a label; an empty cell is unknown and
    left out."""
    if not separator:
        raise ValueError(f"{what}: the separator is empty; give what stands between the labels, such as '|'.")
    marks = marks_of(missing, classes)
    values, notes = read_cells(cells, marks)
    times, read = Counter[Any](), Reader(classes=classes)
    items = unknown = cut = 0
    for cell, n in cells.times.items():
        if values[cell] is None:
            unknown += n
            continue
        text = labels.label_name(values[cell])
        parts = parts_of(text, separator)
        items, cut = items + n, cut + n * (separator.strip() in text if separator.strip() else " " in text)
        for part in dict.fromkeys(map(read, parts)):  # two labels of one class are one
            times[part] += n
    if not items:
        raise ValueError(f"{what} has no value at all, so there is nothing to count.")
    if not cut:
        notes.append(Doubt(f"no cell holds the separator {separator!r}"))
    if unknown:
        notes.append(Scope(labels.left_out(unknown)))
    kept, _ = labels.drop(times, ignore)
    notes.extend(ignored(times, kept, "rows"))
    source = what + (f" ({labels.left_out(unknown)})" if unknown else "")
    counts = labels.by_value(
        kept,
        classes=in_order(kept, ignore) if classes is None else classes,
        source=source,
        unit="rows",
        kind="multilabel",
        items=items,
        digest=None if digest is None else digests.written(digest),
    )
    return counts, notes


def split(text: str, separator: str) -> list[str]:
    """The labels of one cell in their order, without blanks, brackets and quotes around them; "" where there is nothing between two
    separators."""
    text = text.strip()
    if len(text) > 1 and text[0] + text[-1] in ("[]", "()", "{}"):
        text = text[1:-1].strip()
    if not text:
        return []
    parts = text.split() if separator == " " else text.split(separator)
    return [part.strip().strip("'\"").strip() for part in parts]


def parts_of(text: str, separator: str) -> list[str]:
    """The same, each once."""
    return [part for part in dict.fromkeys(split(text, separator)) if part]


def in_order(names: Iterable[str], ignore: Any) -> list[Any]:
    """The classes of labels that were text: whole numbers by size, with the ignored ones in their place, before text by its letters."""
    ordered = sorted(names, key=_order)
    whole = all(n.isdecimal() and n == str(int(n)) for n in ordered)
    places = in_place(map(int, ordered), ignore) if whole else None
    return ordered if places is None else places


def note_on_parts(times: Mapping[Any, int]) -> Doubt | None:
    """A note where classes look like several labels in one cell: their parts occur in other cells too; or None."""
    names = [name for name in itertools.islice(times, MOST) if isinstance(name, str)]
    for separator in SEPARATORS if len(names) > 2 else ():
        cells = {name: [part for part in split(name, separator) if part] for name in names}
        joint = {name: parts for name, parts in cells.items() if len(parts) > 1}
        if not joint:
            continue
        often = Counter(part for parts in cells.values() for part in set(parts))
        recurring = [name for name, parts in joint.items() if all(often[part] > 1 for part in parts)]
        repeating = [name for name, parts in joint.items() if len(set(parts)) < len(parts)]
        alone = any(len(parts) == 1 and often[parts[0]] > 1 for parts in cells.values())
        are_sets = alone and 2 * len(recurring) >= len(joint) and (separator != " " or len(recurring) == len(joint) > 1)
        are_tags = separator != "/" and len(repeating) > 1 and 2 * len(repeating) >= len(joint) and len(often) <= TAGS
        if are_sets or are_tags:
            tags = "; of sequences, such as tags of tokens, --kind exclusive (kind='exclusive') beside it counts every element"
            return Doubt(
                f"{(recurring or repeating)[0][:40]!r} may be several labels in one cell, since its parts occur in other cells too; to count"
                f" each, say --separator {separator!r} (separator={separator!r}){tags if repeating else ''}"
            )
    return None


@contextmanager
def hinting(names: Callable[[], Iterable[Any]], also: str = "") -> Iterator[None]:
    """A ValueError also says where the classes look like several labels in one cell."""
    try:
        yield
    except ValueError as error:
        if parts := note_on_parts(dict.fromkeys(names(), 1)):
            raise ValueError(f"{error} {parts}{also}.") from None
        raise


def _order(name: str) -> tuple[bool, int, str]:
    """Whole numbers by size, before text by its letters."""
    return (not name.isdecimal(), int(name) if name.isdecimal() else 0, name)
