"""How pictures look: colours for light and dark ground, dashes, type, ticks, and names that fit. For the report's pictures and `sy.plot`.

Every letter has a contrast of at least 4.5 with its ground and every line and dot one of 3 (WCAG 2.2, 1.4.3 and 1.4.11; a test holds
it), and lines of one picture differ in dashes, dots in shapes, too: no colour stands alone.
"""

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from .shown import fit, width

FONT = '"Helvetica Neue", Arial, "Liberation Sans", sans-serif'
LEGEND, LABEL, TITLE = 56, 26, 30  # widths of a letter that fit into a legend, before an axis, and as a name in a title


@dataclasses.dataclass(frozen=True)
class Palette:
    """`ground` under it, `ink` and `soft` for letters, `rule` and `band` for what stays behind, the others for what is told."""

    ground: str
    ink: str
    soft: str
    rule: str
    band: str
    guide: str
    best: str
    before: str
    again: str
    kept: str
    open: str


# the same as in report/templates/style.css
LIGHT = Palette(
    ground="#ffffff",
    ink="#1a1f26",
    soft="#56606d",
    rule="#d8dee6",
    band="#e6ebf1",
    guide="#8b95a3",
    best="#005ea8",
    before="#b84a00",
    again="#7a3ea8",
    kept="#00705a",
    open="#8a5800",
)
DARK = Palette(
    ground="#14171b",
    ink="#e8ebef",
    soft="#a4aebb",
    rule="#363e48",
    band="#272e37",
    guide="#7d8896",
    best="#72b9fa",
    before="#ff9f5c",
    again="#c79bf0",
    kept="#50c9a6",
    open="#efb951",
)
PAGE = Palette(*(f"var(--{field.name})" for field in dataclasses.fields(Palette)))  # those of the page around a picture
# name of a style: dashes and shape
DASHES: dict[str, tuple[int, ...]] = {
    "best": (1, 0),
    "plain": (5, 3),
    "before": (8, 3),
    "again": (3, 2),
    "guide": (1, 4),
    "kept": (10, 3, 2, 3),
    "open": (2, 2),
}
SHAPES = {
    "best": "circle",
    "plain": "diamond",
    "before": "square",
    "again": "triangle-up",
    "guide": "circle",
    "kept": "cross",
    "open": "triangle-down",
}
SERIES = (
    "best",
    "before",
    "plain",
    "kept",
    "open",
    "again",
)  # of lines or dots that are alike; the first four differ for the colour-blind, too


def colour(style: str, palette: Palette) -> str:
    return palette.ink if style == "plain" else getattr(palette, style)


def mixed(ink: str, ground: str, part: float) -> str:
    """The colour of `part` ink over ground, both "#rrggbb"."""
    pairs = [(int(ink[i : i + 2], 16), int(ground[i : i + 2], 16)) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(part * a + (1 - part) * b):02x}" for a, b in pairs)


def config(palette: Palette, background: str) -> dict[str, Any]:
    """Vega-Lite's, for all charts."""
    return {
        "background": background,
        "font": FONT,
        "aria": False,  # the figure says in words what it shows; a thousand path elements read aloud do not
        "view": {"stroke": None},
        "axis": {
            "labelColor": palette.soft,
            "titleColor": palette.soft,
            "gridColor": palette.rule,
            "domainColor": palette.guide,
            "tickColor": palette.guide,
            "labelFontSize": 12,
            "titleFontSize": 12.5,
            "titleFontWeight": "normal",
            "titlePadding": 9,
            "titleLimit": 0,  # Vega cuts between the halves of an emoji, which ends the program that draws; see `relabelled`
            "labelLimit": 0,
        },
        "legend": {
            "orient": "top",
            "direction": "vertical",
            "labelColor": palette.ink,
            "labelFontSize": 12.5,
            "labelLimit": 0,
            "symbolStrokeWidth": 2.25,
            "symbolSize": 500,
            "rowPadding": 3,
            "offset": 8,
            "title": None,
        },
        "header": {"labelColor": palette.ink, "labelFontSize": 12.5, "titleColor": palette.soft},
        "line": {"strokeWidth": 2.25},
        "text": {"color": palette.ink, "fontSize": 12},
    }


def relabelled(names: Sequence[str] | Mapping[str, str], widest: float) -> Any:
    """The expression by which labels too long for their place are cut; undefined where all fit. What differs stays different.

    names  as they stand in the data; or {what stands there: the name}
    """
    import altair as alt

    given = dict(names) if isinstance(names, Mapping) else {name: name for name in names}
    short = distinct(list(given.values()), widest)
    shown = {value: new for (value, _), new in zip(given.items(), short, strict=True) if new != value}
    return f"{json.dumps(shown)}[datum.label] || datum.label" if shown else alt.Undefined


def distinct(names: Sequence[str], widest: float) -> list[str]:
    """The names, cut where they are too long, and numbered where two would be cut to the same."""
    cut: list[str] = []
    out: list[str] = []
    for name in names:
        if width(name) <= widest:
            out.append(name)
            continue
        short = fit(name, widest)
        again = cut.count(short)
        cut.append(short)
        out.append(f"{short} ({again + 1})" if again else short)
    return out


def decades(top: float) -> list[float]:
    """Ticks from 0 in decades, and halfway between where there is room."""
    powers = range(1 + math.ceil(math.log10(max(top, 1.0))))
    return [0.0, *(m * 10.0**k for k in powers for m in ((1, 3) if top < 3000 else (1,)))]
