"""Events: runs of rows of one class in order of time. Five hundred rows of one failure tell about one failure.

What stands beside another row in time is like it, so that rows of one run are no independent evidence for anything.
"""

import numpy as np

from .weights import Weights, effective, whole

CLOSER = 0.5  # of the stretches between runs that chance would leave: with fewer, runs that lie close are one event
SHORT = 0.8  # of the stretches that chance would leave longer than one of those that are looked at
SIGMAS = 4.0  # by which they must be fewer


def events(y: np.ndarray, order: np.ndarray, c: int, groups: np.ndarray | None = None) -> np.ndarray:
    """int64 [rows]: the event of class c that the row belongs to, numbered from 0 in order of time; -1 for other classes.

    order   [rows] rank in time; groups [rows] codes: a run ends where the group does

    Runs that lie much closer together than chance explains, as of a label that flickers while one thing lasts, are one event.
    """
    sequence = np.argsort(order, kind="stable") if groups is None else np.lexsort((order, groups))
    at = np.flatnonzero(y[sequence] == c)
    out = np.full(len(y), -1, dtype=np.int64)
    if not len(at):
        return out
    between = np.diff(at) - 1  # rows of other classes before the next row of this one
    same = np.ones(len(between), dtype=bool) if groups is None else np.diff(groups[sequence[at]]) == 0
    apart = bridged(between[same & (between > 0)], len(y) - len(at))
    out[sequence[at]] = np.cumsum(np.append(0, (between > apart) | ~same))
    return out


def bridged(between: np.ndarray, others: int) -> int:
    """How many rows of other classes may part two runs of one event; 0 where runs lie as chance would have them.

    between  rows between each run and the next one; others  all rows of other classes

    Were runs strewn at random, `between` would be geometric with mean others / runs. Among short lengths, which at least 80 % of
    them should exceed, the one is taken beyond which fewest do of those that should, if these are fewer than half of them and by
    more than 4 sigma. What is then one run is looked at in the same way, until nothing more lies close.
    """
    apart = 0
    while len(between):
        if others <= len(between) + 1:
            break
        stay = np.log1p(-(len(between) + 1) / others)
        lengths = np.unique(between)
        lengths = lengths[lengths * stay >= np.log(SHORT)]
        share = np.exp(lengths * stay)  # of the stretches that chance would leave longer than this
        longer = len(between) - np.searchsorted(np.sort(between), lengths, side="right")
        expected = len(between) * share
        clear = (longer < CLOSER * expected) & (expected - longer > SIGMAS * np.sqrt(expected * (1 - share)))
        if not clear.any():
            break
        here = int(lengths[np.argmin(np.where(clear, longer / expected, np.inf))])
        left = between[between > here]
        others -= int(between.sum() - left.sum()) + here * len(left)
        apart, between = apart + here, left - here
    return apart


def background(y: np.ndarray, classes: int) -> int:
    """The most common class, the last one that could lack events: what happens, happens before it."""
    return int(np.bincount(y, minlength=classes).argmax())


def number(event: np.ndarray, weights: Weights = None) -> int:
    """How many there are; where rows are weighted, so many of equal weight as vary alike, an event having the mean weight of its rows."""
    inside = event >= 0
    sizes = np.bincount(event[inside])
    sizes = sizes[sizes > 0]
    if weights is None or not len(sizes):
        return len(sizes)
    mean = np.bincount(event[inside], weights=weights[inside])
    mean = mean[mean > 0] / sizes  # a weight is above 0
    return int(whole(effective(mean.sum(), np.square(mean).sum())))


def untorn(y: np.ndarray, order: np.ndarray) -> tuple[np.ndarray, list[int]]:
    """(where rows in order of time can be cut without tearing an event, in 1..rows - 1; the rows that each event lasts).

    Events of the most common class are none: what is between the others is no event.
    """
    n, classes = len(y), int(y.max()) + 1
    sequence = np.argsort(order, kind="stable")
    common, lengths = background(y, classes), []
    under_way = np.zeros(n + 1, dtype=np.int64)  # events that last over the boundary before each row
    for c in range(classes):
        event = events(y, order, c)[sequence]
        at = np.flatnonzero(event >= 0)
        if c == common or not len(at):
            continue
        new = np.flatnonzero(np.diff(event[at]))
        first, last = at[np.append(0, new + 1)], at[np.append(new, -1)]
        np.add.at(under_way, first + 1, 1)
        np.subtract.at(under_way, last + 1, 1)
        lengths.extend((last - first + 1).tolist())
    return np.flatnonzero(np.cumsum(under_way)[1:n] == 0) + 1, lengths


def units(y: np.ndarray, order: np.ndarray, gap: int = 0) -> np.ndarray:
    """int64 [rows]: consecutive stretches in order of time that tear no event apart, to be drawn together.

    A stretch is as long as `stretch` says, or longer where an event is.
    """
    n = len(y)
    cuts, lengths = untorn(y, order)
    length = stretch(n, max(gap, int(np.mean(lengths or [1]))))
    starts = [0]
    while (i := int(np.searchsorted(cuts, starts[-1] + length))) < len(cuts) and n - cuts[i] >= length / 2:
        starts.append(int(cuts[i]))
    out = np.empty(n, dtype=np.int64)
    out[np.argsort(order, kind="stable")] = np.searchsorted(starts, np.arange(n), side="right") - 1
    return out


def stretch(rows: int, least: int) -> int:
    """Consecutive rows that are drawn together: rows^(1/3), at least the gap, as labels that are known late overlap that
    long, and the mean event; but never more than a fifth of the rows, or there would be nothing to draw."""
    return max(1, min(max(int(np.ceil(rows ** (1 / 3))), least), rows // 5))
