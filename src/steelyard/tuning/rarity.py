"""How much evidence there is: what a verdict counts of the rarest class. Rows alone do not say it."""

import dataclasses

import numpy as np

from .events import background, events, number
from .split import Split, by_group
from .weights import Weights, effective, masses, take, whole


def rare(y: np.ndarray, split: Split, weights: Weights = None) -> int:
    """What the verdict counts of the rarest class: its rows; the groups that contain it; in time its events among the judged
    rows, or the groups that have one. Where rows are weighted, so many of equal weight as vary alike."""
    return int(_containing(y, split, weights).min())


def rarest(y: np.ndarray, split: Split, weights: Weights = None) -> int:
    """The class that `rare` counts; the last among equals, which of two classes is the positive one."""
    counts = _containing(y, split, weights)
    return int(np.flatnonzero(counts == counts.min())[-1])


def rare_by_block(y: np.ndarray, split: Split, weights: Weights = None) -> tuple[int, ...]:
    """The same in each judged block of time, every event in the block where it begins; () for the other kinds."""
    if split.order is None:
        return ()
    judged, happened = split.judged, judged_events(y, split)
    y, weights, classes = y[judged], take(weights, judged), int(y.max()) + 1
    firsts = {c: _beginnings(event, split.block_of[judged]) for c, event in happened.items()}
    counts = []
    for b, block in enumerate(split.blocks, 1):
        row = _rows(y[block], take(weights, block), classes)
        for c, event in happened.items():
            row[c] = number(np.where((event >= 0) & (firsts[c][event] == b), event, -1), weights)
        counts.append(int(row.min()))
    return tuple(counts)


def judged_events(y: np.ndarray, split: Split) -> dict[int, np.ndarray]:
    """{class: the events [judged rows] of it} of labels y [rows] in time, but for the most common class of all rows, which is what
    events stand out from: its rows are counted."""
    assert split.order is not None
    classes, judged = int(y.max()) + 1, split.judged
    groups = None if split.groups is None else split.groups[judged]
    common = background(y, classes)
    return {c: events(y[judged], split.order[judged], c, groups) for c in range(classes) if c != common}


@dataclasses.dataclass(frozen=True)
class Events:
    """In order of time, of one class: events in the whole table, among the judged rows, and in each judged block where they begin;
    `rows` of that class among the judged, and `groups` that hold one, or None without groups."""

    label: int
    everywhere: int
    judged: int
    by_block: tuple[int, ...]
    rows: int
    groups: int | None


def events_in(y: np.ndarray, split: Split) -> Events | None:
    """Of the class with fewest events; None where rows are not in order of time."""
    if split.order is None:
        return None
    judged = split.judged
    happened = judged_events(y, split)
    c = min(reversed(happened), key=lambda c: number(happened[c]))
    first = _beginnings(happened[c], split.block_of[judged])[:-1]
    return Events(
        c,
        in_table(y, split.order, split.groups)[c],
        number(happened[c]),
        tuple(np.bincount(first, minlength=len(split.blocks) + 1)[1:].tolist()),
        int(np.sum(y[judged] == c)),
        None if split.groups is None else len(np.unique(split.groups[judged][y[judged] == c])),
    )


def in_table(y: np.ndarray, order: np.ndarray, groups: np.ndarray | None = None) -> dict[int, int]:
    """{class: events of it}, but for the most common class."""
    C = int(y.max()) + 1
    return {c: number(events(y, order, c, groups)) for c in range(C) if c != background(y, C)}


def _beginnings(event: np.ndarray, block: np.ndarray) -> np.ndarray:
    """[events + 1] the first block of each; the last entry stands for no event."""
    first = np.full(int(event.max()) + 2, int(block.max()) + 1)
    np.minimum.at(first, event, block)
    return first


def _containing(y: np.ndarray, split: Split, weights: Weights) -> np.ndarray:
    """[classes]"""
    judged, classes = split.judged, int(y.max()) + 1
    happened = judged_events(y, split) if split.order is not None else {}
    y, weights = y[judged], take(weights, judged)
    if split.groups is not None:
        groups = split.groups[judged]
        if weights is None:
            return (by_group(y, groups, classes=classes) > 0).sum(axis=0)
        mass = by_group(y, groups, weights, classes=classes)
        return whole(effective(mass.sum(axis=0), np.square(mass).sum(axis=0)))
    counts = _rows(y, weights, classes)
    for c, event in happened.items():
        counts[c] = number(event, weights)
    return counts


def _rows(y: np.ndarray, weights: Weights, classes: int) -> np.ndarray:
    sums = masses(y, weights, classes)
    return sums if weights is None else whole(effective(sums, masses(y, np.square(weights), classes)))
