"""Where marks stand: scales, ticks and SVG paths. Plain numbers in, plain numbers out."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 420, 340  # of a chart's own coordinates; the page scales them
LEFT, RIGHT, TOP, BOTTOM = 40, 408, 30, 296
MOST_POINTS = 400  # more cannot be seen at this size
INSET = 3.0  # percent kept free at either end of a forest row
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


@dataclass(frozen=True)
class Line:
    """One curve: its name for the key, its CSS class, its SVG path and the points to mark."""

    name: str
    style: str
    path: str
    points: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True)
class Chart:
    """A picture with two axes, in the coordinates WIDTH x HEIGHT. `desc` says in words what it shows."""

    key: str
    title: str
    desc: str
    caption: str
    x_label: str
    y_label: str
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    lines: tuple[Line, ...]


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


def path(points: Iterable[Sequence[float]], x_top: float = 1.0, y_top: float = 1.0) -> str:
    """The SVG path through (x, y) in [0, x_top] x [0, y_top]."""
    x, y = _scale(0, x_top, LEFT, RIGHT), _scale(0, y_top, BOTTOM, TOP)
    kept = thin([(x(p[0]), y(p[1])) for p in points])
    return "M" + "L".join(f"{a:g},{b:g}" for a, b in kept) if kept else ""


def dots(points: Iterable[Sequence[float]], x_top: float, y_top: float) -> tuple[tuple[float, float], ...]:
    x, y = _scale(0, x_top, LEFT, RIGHT), _scale(0, y_top, BOTTOM, TOP)
    return tuple((x(p[0]), y(p[1])) for p in points)


def axis_ticks(top: float, *, vertical: bool = False) -> tuple[Tick, ...]:
    place = _scale(0, top, BOTTOM, TOP) if vertical else _scale(0, top, LEFT, RIGHT)
    return tuple(Tick(place(v), short(v)) for v in steps(0, top, 5))


def thin(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """At most MOST_POINTS of them, ends kept, evenly by position in the list; repeats dropped."""
    distinct = [p for i, p in enumerate(points) if i == 0 or p != points[i - 1]]
    if len(distinct) <= MOST_POINTS:
        return distinct
    last = len(distinct) - 1
    return [distinct[round(i * last / (MOST_POINTS - 1))] for i in range(MOST_POINTS)]


def _scale(low: float, high: float, start: float, end: float):
    return lambda value: round(start + (end - start) * (value - low) / (high - low), 1) + 0.0
