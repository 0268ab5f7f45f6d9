"""Panels as an Altair chart."""

import base64
import json
import struct
import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from .. import theme
from .panel import Area, Axis, Bars, Dots, Drawing, Line, Mark, Panel, Pixels, Rule, Spans, Strip, Words, named

DARK = ("dark", "carbong90", "carbong100")  # themes of Altair on dark ground
STROKE = "M-1,0L1,0"
AREA = "M-1,-0.5L1,-0.5L1,0.5L-1,0.5Z"


def chart(drawing: Drawing) -> Any:
    """The chart: dark where Altair's own theme is. ImportError says how to install it."""
    try:
        import altair as alt
    except ModuleNotFoundError as missing:
        raise ImportError(
            f'sy.plot: a chart needs Altair ({missing.name} is missing): pip install "steelyard[plot]"; or pass ax=, axes of'
            " matplotlib.",
            name=missing.name,
        ) from None
    active = getattr(alt, "theme", None)
    palette = theme.DARK if getattr(active, "active", "default") in DARK else theme.LIGHT
    data: dict[str, Any] = {}
    one: bool = drawing.one_legend
    last = len(drawing.panels) - 1
    drawn = [
        _panel(panel, palette, data, legend=i == last or not one, beside=one and not drawing.upright)
        for i, panel in enumerate(drawing.panels)
    ]
    if len(drawn) == 1:
        whole = drawn[0]
    else:
        whole = (alt.vconcat if drawing.upright else alt.hconcat)(*drawn, spacing=24)
        # each panel has its own legend and scales
        whole = whole.resolve_scale(
            fill="independent", stroke="independent", shape="independent", strokeDash="independent"
        )
        if drawing.title:
            whole = whole.properties(title=_title(drawing.title, "", palette))
    whole = whole.properties(padding=12)
    whole.datasets = data
    whole.config = alt.Config.from_dict(theme.config(palette, palette.ground))
    return whole


def _title(title: str, beside: str, palette: theme.Palette) -> Any:
    import altair as alt

    return alt.TitleParams(
        text=title,
        subtitle=beside.split("\n") if beside else alt.Undefined,
        anchor="start",
        frame="group",
        color=palette.ink,
        subtitleColor=palette.soft,
        fontSize=14,
        fontWeight=600,
        subtitleFontSize=12,
        subtitlePadding=4,
        offset=10,
        limit=0,
    )


def _panel(panel: Panel, palette: theme.Palette, data: dict[str, Any], *, legend: bool, beside: bool) -> Any:
    """`beside`: the legend stands to the right of the panel, not above it."""
    import altair as alt

    width, height = panel.size
    x, y = _axis(panel.x, width, across=True), _axis(panel.y, height, across=False)
    layers = [layer for mark in panel.marks for layer in _layers(mark, x, y, palette, data)]
    shown = _legend(panel.marks, palette, data, beside) if legend else None
    drawn = alt.layer(*([] if shown is None else [shown]), *layers).properties(width=width, height=height)
    if panel.title or panel.beside:
        drawn = drawn.properties(title=_title(panel.title, panel.beside, palette))
    return drawn


def _axis(axis: Axis, length: float, *, across: bool) -> dict[str, Any]:
    """Keywords of a position: scale, axis and title."""
    import altair as alt

    scale: dict[str, Any] = {"nice": False} if axis.ends else {}
    count = max(2, min(5, round(length / 70)))
    look: dict[str, Any] = {"labelOverlap": True}
    if axis.names:
        last = len(axis.names) - 0.5
        scale |= {"domain": [-0.5, last] if across else [last, -0.5], "nice": False}
        places = list(range(len(axis.names)))
        names = {str(i): name for i, name in enumerate(axis.names)}
        short = dict(zip(names, theme.distinct(axis.names, axis.letters), strict=True))
        # a place is looked up by its number, so that a name is never read as anything
        look |= {"values": places, "labelExpr": json.dumps(short) + "[datum.value]", "grid": False}
        look |= {"ticks": False, "domain": False, "labelOverlap": False, "labelPadding": 6}
    else:
        look |= {"format": "~%" if axis.percent else ",.12~g", "tickCount": count}
        if axis.ends:
            scale["domain"] = list(axis.ends)
        elif axis.scale == "linear":
            scale["zero"] = False
        if axis.scale != "linear":
            scale["type"] = axis.scale
            if axis.scale == "symlog":
                scale["constant"] = 1
        if axis.percent and axis.scale == "log":
            look["format"] = "~p"
        if axis.ticks:
            look["values"] = list(axis.ticks)
    if axis.quiet:
        return {"scale": alt.Scale(**scale), "axis": None, "title": None}
    return {"scale": alt.Scale(**scale), "axis": alt.Axis(**look), "title": axis.title or None}


def _rows(data: dict[str, Any], mark: Any, **columns: Iterable[Any]) -> Any:
    """A chart over rows of these columns, in their order; numbers to six digits, more cannot be seen."""
    kept = {name: list(values) for name, values in columns.items()}
    kept["i"] = list(range(len(next(iter(kept.values()), []))))
    if said := list(getattr(mark, "said", ())):
        kept["said"] = said
    rows = [dict(zip(kept, map(_plain, row), strict=True)) for row in zip(*kept.values(), strict=True)]
    return _over(rows, data)


def _over(rows: list[dict[str, Any]], data: dict[str, Any]) -> Any:
    """A chart over rows that `data` keeps, as Altair would check every one that it is given."""
    import altair as alt

    name = f"rows-{len(data)}"
    data[name] = rows
    return alt.Chart(alt.NamedData(name=name))


def _plain(value: Any) -> Any:
    if isinstance(value, str | int):
        return value
    number = float(value)
    return float(f"{number:.6g}") if np.isfinite(number) else None


def _layers(
    mark: Mark, x: Mapping[str, Any], y: Mapping[str, Any], palette: theme.Palette, data: dict[str, Any]
) -> list[Any]:
    import altair as alt

    def at(channel: Any, field: str, keywords: Mapping[str, Any]) -> Any:
        return channel(f"{field}:Q", **keywords)

    tip = {"tooltip": alt.Tooltip("said:N")} if len(getattr(mark, "said", ())) else {}
    both = {"x": at(alt.X, "x", x), "y": at(alt.Y, "y", y)}
    ink = theme.colour(mark.style, palette) if hasattr(mark, "style") else palette.ink  # type: ignore[union-attr]
    match mark:
        case Line():
            drawn = _rows(data, mark, x=mark.x, y=mark.y)
            wide = 1.5 if mark.thin else 2.25
            line = drawn.mark_line(
                color=ink,
                strokeDash=list(theme.DASHES[mark.style]),
                strokeWidth=wide,
                interpolate="step-before" if mark.step else "linear",
                clip=True,
                invalid="break-paths-show-domains",
            ).encode(**both, order="i:Q")
            if not tip and not mark.dots:
                return [line]
            dots = drawn.mark_point(
                filled=True, size=50 if mark.dots else 70, color=ink, opacity=1 if mark.dots else 0, clip=True,
                shape=theme.SHAPES[mark.style],
            ).encode(**both, **tip)  # fmt: skip
            return [line, dots]
        case Dots():
            return [
                _rows(data, mark, x=mark.x, y=mark.y)
                .mark_point(filled=True, size=75, opacity=1, color=ink, shape=theme.SHAPES[mark.style])
                .encode(**both, **tip)
            ]
        case Bars():
            half = mark.share / 2
            middle = [place + mark.shift for place in mark.y]
            columns = {
                "x": mark.x,
                "zero": [0.0] * len(mark.x),
                "y": [m - half for m in middle],
                "y2": [m + half for m in middle],
            }
            return [_rows(data, mark, **columns).mark_rect(color=ink).encode(**both, x2="zero:Q", y2="y2:Q", **tip)]
        case Spans():
            drawn = _rows(data, mark, x=mark.x, x2=mark.x2, y=mark.y, y2=mark.y2)
            return [drawn.mark_rule(color=ink, strokeWidth=mark.wide).encode(**both, x2="x2:Q", y2="y2:Q")]
        case Area():
            drawn = _rows(data, mark, x=mark.x, y=mark.low, y2=mark.high)
            return [
                drawn.mark_area(color=theme.mixed(ink, palette.ground, mark.part), opacity=1, clip=True).encode(
                    **both, y2="y2:Q"
                )
            ]
        case Rule():
            dashes = list(theme.DASHES[mark.style])
            across = mark.x is None
            drawn = _rows(data, mark, **({"y": [mark.y]} if across else {"x": [mark.x]})).mark_rule(
                color=ink, strokeDash=dashes, strokeWidth=1.5
            )
            return [drawn.encode(**({"y": both["y"]} if across else {"x": both["x"]}))]
        case Strip():
            drawn = _rows(data, mark, x=[mark.x], x2=[mark.x2]).mark_rect(color=palette.band)
            return [drawn.encode(x=both["x"], x2="x2:Q")]
        case Words():
            side = {"align": "right", "dx": -7} if mark.left else {"align": "left", "dx": 7}
            drawn = _rows(data, mark, x=mark.x, y=mark.y).mark_text(
                baseline="bottom" if mark.above else "top" if mark.below else "middle",
                dy=-4 if mark.above else 5 if mark.below else 0,
                color=palette.ink,
                **side,
            )
            return [drawn.encode(**both, text="said:N")]
        case Pixels():
            columns = {"x": [mark.x], "x2": [mark.x2], "y": [mark.y], "y2": [mark.y2]}
            url = "data:image/png;base64," + base64.b64encode(png(mark.rgb)).decode()
            drawn = _rows(data, mark, **columns, url=[url]).mark_image(aspect=False, smooth=False)
            return [drawn.encode(**both, x2="x2:Q", y2="y2:Q", url="url:N")]


def _legend(marks: Sequence[Mark], palette: theme.Palette, data: dict[str, Any], beside: bool) -> Any:
    """A layer that draws nothing but a legend of all names; None without names."""
    import altair as alt

    found = named(marks)
    if not found:
        return None
    names = list(found)
    inks = [_ink(mark, palette) for mark in found.values()]
    shapes = [_shape(mark) for mark in found.values()]
    # what is filled is solid: dashes go round its edge otherwise
    dashes = [list(theme.DASHES[m.style]) if isinstance(m, Line | Rule) else [1, 0] for m in found.values()]  # type: ignore[union-attr]
    look = alt.Legend(
        symbolOpacity=1,
        symbolSize=260,
        labelExpr=theme.relabelled(names, theme.LEGEND),
        orient="right" if beside else "top",
        columns=1 if beside or max(map(len, names)) > 28 else 3 if max(map(len, names)) < 18 else 2,
    )

    def scale(values: list[Any]) -> Any:
        return alt.Scale(domain=names, range=values)

    return (
        _over([{"series": name} for name in names], data)
        .mark_point(opacity=0, size=1)
        .encode(
            x=alt.value(0),
            y=alt.value(0),
            stroke=alt.Stroke("series:N", sort=names, scale=scale(inks), legend=look),
            fill=alt.Fill("series:N", sort=names, scale=scale(inks), legend=look),
            shape=alt.Shape("series:N", sort=names, scale=scale(shapes), legend=look),
            strokeDash=alt.StrokeDash("series:N", sort=names, scale=scale(dashes), legend=look),
        )
    )


def _ink(mark: Mark, palette: theme.Palette) -> str:
    ink = theme.colour(getattr(mark, "style", "plain"), palette)
    return theme.mixed(ink, palette.ground, mark.part) if isinstance(mark, Area) else ink


def _shape(mark: Mark) -> str:
    if isinstance(mark, Line | Rule | Spans):
        return STROKE
    return theme.SHAPES[mark.style] if isinstance(mark, Dots) else AREA  # type: ignore[union-attr]


def png(rgb: np.ndarray) -> bytes:
    """uint8 [H, W, 3] as a PNG file."""
    height, width, _ = rgb.shape
    lines = np.zeros((height, 1 + 3 * width), np.uint8)  # each line begins with its filter: none
    lines[:, 1:] = rgb.reshape(height, -1)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(lines.tobytes(), 6)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body
