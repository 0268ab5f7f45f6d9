"""A picture as plain data, before anything draws it: panels, each a pair of axes with marks. Altair and matplotlib draw the same panels.

Places of named things on an axis are 0, 1, 2, ... downwards. Names are fit to be seen (`shown.clean`) before they come here.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..theme import LABEL, decades

WIDTH, HEIGHT = 400, 280  # of the inside of a panel, in pixels
ROW = 22  # of a named place on the upright axis


@dataclass(frozen=True)
class Axis:
    """title   what is on it, and the unit
    scale    linear, log, or symlog: logarithmic above 1 and linear from 0 to 1, for counts that may be 0
    ends     of the scale; None leaves them to what is drawn
    percent  whether 0.1 is written 10 %
    names    of the places 0, 1, 2, ...; () for an axis of numbers
    ticks    where marks stand; () leaves them to whoever draws
    quiet    neither line nor letters
    letters  how wide a name may be before it is cut, in widths of a letter
    """

    title: str = ""
    scale: Literal["linear", "log", "symlog"] = "linear"
    ends: tuple[float, float] | None = None
    percent: bool = False
    names: tuple[str, ...] = ()
    ticks: tuple[float, ...] = ()
    quiet: bool = False
    letters: int = LABEL


@dataclass(frozen=True)
class Line:
    """Points joined by lines, or with `step` by steps. NaN interrupts it. `thin` for what is not told but needed."""

    name: str
    style: str
    x: Sequence[float]
    y: Sequence[float]
    said: Sequence[str] = ()
    step: bool = False
    dots: bool = False
    thin: bool = False


@dataclass(frozen=True)
class Dots:
    name: str
    style: str
    x: Sequence[float]
    y: Sequence[float]
    said: Sequence[str] = ()


@dataclass(frozen=True)
class Bars:
    """From 0 to x at the places y, `share` of the place wide and `shift` below its middle."""

    name: str
    style: str
    x: Sequence[float]
    y: Sequence[float]
    said: Sequence[str] = ()
    share: float = 0.66
    shift: float = 0.0


@dataclass(frozen=True)
class Spans:
    """Lines from (x, y) to (x2, y2): intervals."""

    style: str
    x: Sequence[float]
    x2: Sequence[float]
    y: Sequence[float]
    y2: Sequence[float]
    wide: float = 2.0
    name: str = ""


@dataclass(frozen=True)
class Area:
    """Between two curves, in `part` of its colour over the ground."""

    name: str
    style: str
    x: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]
    part: float = 0.2


@dataclass(frozen=True)
class Rule:
    """A line across everything, at x or at y."""

    style: str
    x: float | None = None
    y: float | None = None
    name: str = ""


@dataclass(frozen=True)
class Strip:
    """A pale strip across everything, from x to x2."""

    x: float
    x2: float


@dataclass(frozen=True)
class Words:
    """Text to the right of points, or to their left; `above` or below their height."""

    x: Sequence[float]
    y: Sequence[float]
    said: Sequence[str]
    left: bool = False
    above: bool = False
    below: bool = False


@dataclass(frozen=True)
class Pixels:
    """A picture uint8 [H, W, 3] from (x, y) to (x2, y2), its first row at y. `square`: its pixels are."""

    rgb: np.ndarray
    x: float
    x2: float
    y: float
    y2: float
    square: bool = True


Mark = Line | Dots | Bars | Spans | Area | Rule | Strip | Words | Pixels


@dataclass(frozen=True)
class Panel:
    """One pair of axes. `width` and `height` of its inside, in pixels; None takes the usual, or what the named places need.

    `beside` is a caption under the title that says what else must be known.
    """

    x: Axis
    y: Axis
    marks: tuple[Mark, ...]
    title: str = ""
    beside: str = ""
    width: float | None = None
    height: float | None = None

    @property
    def size(self) -> tuple[float, float]:
        tall = max(3, len(self.y.names)) * ROW if self.y.names else HEIGHT
        return self.width or WIDTH, self.height or tall


@dataclass(frozen=True)
class Drawing:
    """Panels side by side, or below each other."""

    panels: tuple[Panel, ...]
    upright: bool = False
    title: str = ""

    @property
    def one_legend(self) -> bool:
        """Whether one legend serves several panels; it then stands with the last."""
        told = [[(name, mark.style) for name, mark in named(panel.marks).items()] for panel in self.panels]  # type: ignore[union-attr]
        return len(told) > 1 and bool(told[0]) and all(one == told[0] for one in told)


def named(marks: Sequence[Mark]) -> dict[str, Mark]:
    """What the legend shows: the first mark of each name, in their order."""
    found: dict[str, Mark] = {}
    for mark in marks:
        if name := getattr(mark, "name", ""):
            found.setdefault(name, mark)
    return found


def powers(low: float, high: float) -> tuple[float, ...]:
    """Ticks of a logarithmic axis: powers of ten, with 2 and 5 times them where there are few."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    every = range(first, last + 1)
    step = max(1, math.ceil(len(every) / 7))
    tens = [10.0**k for k in every if k % step == 0]
    found = [v for v in tens if low <= v <= high]
    if len(found) < 3:
        found = [v for v in (m * 10.0**k for k in every for m in (1, 2, 5)) if low <= v <= high]
    return tuple(found)


def from_zero(top: float) -> tuple[float, ...]:
    """Ticks of a symlog axis."""
    every = decades(top)
    tens = [v for v in every if not v or math.log10(v) == round(math.log10(v))]
    chosen = every if len(every) < 7 else tens
    step = max(1, math.ceil((len(chosen) - 1) / 6))
    return tuple(v for i, v in enumerate(chosen) if v <= top and (not i or (i - 1) % step == 0))


def brief(value: float) -> str:
    """At most four digits, written out: 0.0316, 10,240."""
    if not math.isfinite(value):
        return str(value)
    if value and not 1e-4 <= abs(value) < 1e12:
        return f"{value:.3g}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def percent(share: float) -> str:
    return f"{100 * share:.3g} %"
