"""Where the marks of a forest plot stand: scales and ticks. Plain numbers in, plain numbers out."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

INSET = 3.0  # percent kept free at either end of a forest row
TINY = 1e-12  # an axis of that length shows nothing
ROOM = 0.3  # the shorter side of zero, as a share of the longer one: better and worse both stay in sight


@dataclass(frozen=True)
class Tick:
    at: float
    label: str


@dataclass(frozen=True)
class Mark:
    """One interval of a forest plot, in percent of the row's width."""

    low: float
    at: float
    high: float


@dataclass(frozen=True)
class Axis:
    """What the rows of a forest plot share, in percent of their width."""

    zero: float
    band: Mark | None
    ticks: tuple[Tick, ...]


def steps(low: float, high: float, about: int = 4) -> list[float]:
    """Round numbers in [low, high], 1, 2 or 5 times a power of ten apart; about as many as asked, from 3 on."""
    if not high > low:
        return [low]
    raw = (high - low) / about
    power = 10.0 ** math.floor(math.log10(raw))
    step = power * next(m for m in (1, 2, 5, 10) if m * power >= raw * (1 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [i * step for i in range(first, last + 1)]


def short(value: float, *, sign: bool = False) -> str:
    """0.02 as "0.02", 0 as "0", with a plus where asked."""
    text = f"{value:+.6g}" if sign and value else f"{value or 0:.6g}"
    return text.replace("e-0", "e-").replace("e+0", "e+")


def forest(intervals: Sequence[tuple[float, float, float]], margin: float | None) -> tuple[Axis, list[Mark]]:
    """A shared axis for (low, difference, high) of each row, zero and the margin always in sight."""
    ends = [0.0, *(v for interval in intervals for v in interval), *((-margin, margin) if margin else ())]
    low, high = min(ends), max(ends)
    if low == high:
        low, high = -1.0, 1.0
    low, high = min(low, -high * ROOM), max(high, -low * ROOM)
    place = _scale(low, high, INSET, 100 - INSET)
    marks = [Mark(place(a), place(d), place(b)) for a, d, b in intervals]
    band = Mark(place(-margin), place(0.0), place(margin)) if margin else None
    ticks = tuple(Tick(place(v), short(v, sign=True)) for v in steps(low, high, 6))
    return Axis(place(0.0), band, ticks), marks


def _scale(low: float, high: float, start: float, end: float):
    return lambda value: round(start + (end - start) * (value - low) / (high - low), 1) + 0.0


def end(values: Sequence[float]) -> float:
    """The end of both axes: the next tick beyond the largest value, at most 1."""
    largest = max(values, default=1.0)
    if largest <= TINY or largest >= 0.8:
        return 1.0
    marks = steps(0, largest, 4)
    step = marks[1] - marks[0] if len(marks) > 1 else largest
    return min(1.0, float(f"{math.ceil(largest / step - 1e-9) * step:.12g}"))
