"""Counts that somebody else has made: a table of classes and counts, or such a JSON."""

import json
from collections import Counter
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import numpy as np

from ..counts import FORMAT, Counts
from ..given import MOST
from . import labels
from .cells import NUMBER
from .classes import CELLS, NONE, Cells, marks_of, read_cells
from .ignored import in_place
from .notes import Scope, ignored
from .paths import ends_in, expanded
from .tables import column_names, read_table

COUNT = ("count", "counts", "n", "number", "frequency", "freq", "samples", "rows")
SMALL = 1 << 22  # bytes; larger files are data


def known_counts(
    path: Any, label: Any = None, *, classes: Any = None, ignore: Any = None
) -> tuple[Counts, list[str]] | None:
    """(Counts, notes) of a file that holds counts, or None: what `Counts.save` wrote; {"no": 900, "yes": 100} or
    [{"class": "no", "count": 900}, ...] in JSON; a table with a row for each class and a column named count."""
    if not isinstance(path, (str, PathLike)):
        return None
    if is_saved(path):
        return _again(Counts.load(expanded(path)), fspath(path), classes, ignore)
    try:
        file = expanded(path)
        if not file.is_file() or file.stat().st_size > SMALL:
            return None
        if ends_in(file, (".json",)):
            pairs, what = _pairs_of(json.loads(file.read_text(encoding="utf-8-sig"))), "a number for each class"
            pairs = pairs if pairs and len(pairs) > 1 else None
        elif ends_in(file, (".csv", ".tsv")):
            pairs, what = _rows_of(file, label)
        else:
            return None
    except (OSError, ValueError, RecursionError):  # whoever reads it as data says what is wrong
        return None
    if pairs is None:
        return None
    names = [labels.label_name(c) for c, _ in pairs]
    if not names or len(set(names)) < len(names) or not all(_is_count(n) for _, n in pairs):
        return None
    if all(name.isdecimal() for name in names):
        pairs = sorted(pairs, key=lambda pair: int(labels.label_name(pair[0])))
    times = {labels.label_name(c): int(n) for c, n in pairs}
    kept, _ = labels.drop(times, ignore)
    whole = all(name.isdecimal() and name == str(int(name)) for name in kept)
    places = in_place(map(int, kept), ignore) if whole else None
    order = (list(kept) if places is None else places) if classes is None else classes
    counts = labels.by_value(kept, classes=order, source=fspath(path), unit="rows")
    return counts, [Scope(f"the file was read as known counts ({what})"), *ignored(times, kept, "rows")]


def _again(counts: Counts, path: str, classes: Any, ignore: Any) -> tuple[Counts, list[str]]:
    """Counts that were saved, with the ignored classes at 0. ValueError where that needs the data."""
    if classes is not None and labels.names_in(classes) != list(counts.classes):
        raise ValueError(
            f"{path}: it holds Counts of {labels.some(counts.classes)}, which classes= cannot change; leave it out, or count the data again."
        )
    ignored = {labels.label_name(v) for v in labels.listed(ignore)}
    gone = np.array([name in ignored for name in counts.classes])
    if not gone.any():
        return counts, []
    if counts.kind == "multilabel":
        raise ValueError(f"{path}: it holds yes-or-no labels, and ignore= is for one label per row; leave it out.")
    kept = np.where(gone, 0, counts.per_class)
    items = None if counts.items == int(counts.per_class.sum()) else counts.items
    also = {name: np.where(gone, 0, n) for name, n in counts.also.items()}
    notes = [
        "how much of each image does not count is not in the file, so median frequency takes shares of all the data"
    ]
    again = Counts(kept, counts.classes, counts.unit, counts.source, items=items, also=also, digest=counts.digest)
    return again, notes if counts.containing is not None else []


def is_saved(path: Any) -> bool:
    """Whether a file holds Counts that were saved."""
    if not isinstance(path, (str, PathLike)) or not str(path).endswith(".json"):
        return False
    try:
        if not expanded(path).is_file():
            return False
        with expanded(path).open("rb") as file:
            return FORMAT.encode() in file.read(200)
    except OSError:
        return False  # the search for the file says what is wrong


def _pairs_of(data: Any) -> list[tuple[Any, Any]] | None:
    if isinstance(data, dict):
        return list(data.items())
    if not isinstance(data, list) or not all(isinstance(row, dict) and len(row) == 2 for row in data):
        return None
    named = [name for name in (data[0] if data else {}) if name.casefold() in COUNT]
    if len(named) != 1 or any(set(row) != set(data[0]) for row in data):
        return None
    other = next(name for name in data[0] if name != named[0])
    return [(row[other], row[named[0]]) for row in data]


def _rows_of(file: Path, label: Any) -> tuple[list[tuple[Any, Any]] | None, str]:
    names = column_names(file)
    counted = [name for name in names if name.casefold() in COUNT]
    if len(names) != 2 or len(counted) != 1:
        return None, ""
    table = read_table(file)
    other = next(name for name in names if name != counted[0])
    if label is not None and (not isinstance(label, (str, int)) or table.resolve(label) != other):
        return None, ""
    raw = table.columns[other].raw.to_pylist()
    values, _ = read_cells(Cells(Counter(raw), CELLS), marks_of(NONE))
    if None in values.values() or table.kind(counted[0]) != NUMBER:
        return None, ""
    pairs = zip((values[cell] for cell in raw), table.column(counted[0]).tolist(), strict=True)
    return list(pairs), f"columns {other!r} and {counted[0]!r}"


def _is_count(value: Any) -> bool:
    return (
        isinstance(value, (int, float))
        and not isinstance(value, bool)
        and 0 <= value <= MOST
        and float(value).is_integer()
    )
