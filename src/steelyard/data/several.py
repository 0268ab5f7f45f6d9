"""Several labels in one cell: A|B, A; B, 0 2 4, ['A', 'B']."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from ..counts import Counts
from . import digest as digests
from . import labels
from .classes import Cells, marks_of, read_cells
from .ignored import in_place
from .notes import Doubt, Scope, ignored

SEPARATORS = ("|", ";", ",", "/", " ")
MOST = 10_000  # distinct cells that are looked at for labels that recur


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
    times: Counter[Any] = Counter()
    items = unknown = cut = 0
    for cell, n in cells.times.items():
        if values[cell] is None:
            unknown += n
            continue
        text = labels.label_name(values[cell])
        parts = parts_of(text, separator)
        items, cut = items + n, cut + n * (separator.strip() in text if separator.strip() else " " in text)
        for part in parts:
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
    names = sorted(kept, key=_order)
    places = in_place(map(int, names), ignore) if all(n.isdecimal() and n == str(int(n)) for n in names) else None
    counts = labels.by_value(
        {label: kept[label] for label in names},
        classes=(names if places is None else places) if classes is None else classes,
        source=source,
        unit="rows",
        kind="multilabel",
        items=items,
        digest=None if digest is None else digests.written(digest),
    )
    return counts, notes


def parts_of(text: str, separator: str) -> list[str]:
    """The labels of one cell, each once, without blanks, brackets and quotes around them."""
    text = text.strip()
    if len(text) > 1 and text[0] + text[-1] in ("[]", "()", "{}"):
        text = text[1:-1]
    parts = text.split() if separator == " " else text.split(separator)
    return list(dict.fromkeys(p for part in parts if (p := part.strip().strip("'\"").strip())))


def note_on_parts(times: Mapping[Any, int]) -> Doubt | None:
    """A note where classes look like several labels in one cell: their parts occur in other cells too; or None."""
    names = [name for name in times if isinstance(name, str)]
    if not 3 <= len(names) <= MOST:
        return None
    for separator in SEPARATORS:
        split = {name: parts_of(name, separator) for name in names}
        joint = [name for name in names if len(split[name]) > 1]
        if not joint:
            continue
        often = Counter(part for parts in split.values() for part in parts)
        recurring = [name for name in joint if all(often[part] > 1 for part in split[name])]
        alone = any(len(parts) == 1 and often[parts[0]] > 1 for parts in split.values())
        if alone and 2 * len(recurring) >= len(joint) and (separator != " " or len(recurring) == len(joint) > 1):
            return Doubt(
                f"{recurring[0][:40]!r} may be several labels in one cell, since its parts occur in other cells too; to count"
                f" each, say --separator {separator!r} (separator={separator!r})"
            )
    return None


def _order(name: str) -> tuple[bool, int, str]:
    """Whole numbers by size, before text by its letters."""
    return (not name.isdecimal(), int(name) if name.isdecimal() else 0, name)
