"""Panels in axes of matplotlib. Nothing of matplotlib is imported: the axes bring their own methods."""

from typing import Any

import numpy as np

from .. import theme
from .panel import Area, Axis, Bars, Dots, Drawing, Line, Mark, Panel, Pixels, Rule, Spans, Strip, Words, brief, named

MARKERS = {"circle": "o", "diamond": "D", "square": "s", "triangle-up": "^", "cross": "P", "triangle-down": "v"}
GAP = 0.34  # between panels in one pair of axes, as a share of a panel


def draw(drawing: Drawing, ax: Any) -> Any:
    """Draw into axes, or into as many as there are panels; they are returned. Several panels in one pair of axes stand in axes
    inside of it (`ax.child_axes`). Light or dark is read off the ground of the axes."""
    panels = drawing.panels
    if hasattr(ax, "inset_axes"):
        places = [ax] if len(panels) == 1 else _inside(ax, drawing)
    else:
        places = list(np.ravel(np.asarray(ax, dtype=object)))
        if len(places) != len(panels):
            raise ValueError(
                f"sy.plot: there are {len(panels)} panels and {len(places)} axes; give one pair of axes, or one for each panel."
            )
    last = len(panels) - 1
    for i, (panel, place) in enumerate(zip(panels, places, strict=True)):
        _panel(panel, place, legend=i == last or not drawing.one_legend, beside=drawing.one_legend)
    return ax


def _inside(ax: Any, drawing: Drawing) -> list[Any]:
    ax.set_axis_off()
    if drawing.title:
        _plainly(ax.set_title("", loc="left"), drawing.title)
    tall = 0.84 if drawing.title else 1.0  # room for the title of the whole above those of the panels
    sizes = [panel.size[1 if drawing.upright else 0] for panel in drawing.panels]
    # names beside an axis need more room than numbers
    named_up = [bool(panel.y.names) and not drawing.upright for panel in drawing.panels]
    gaps = [0.0, *(GAP * max(sizes) * (1.9 if names else 1.0) for names in named_up[1:])]
    whole, start, places = sum(sizes) + sum(gaps), 0.0, []
    for size, gap in zip(sizes, gaps, strict=True):
        start += gap
        at, part = start / whole, size / whole
        box = [0, tall * (1 - at - part), 1, tall * part] if drawing.upright else [at, 0, part, tall]
        places.append(ax.inset_axes(box))
        start += size
    for place in places:
        place.set_facecolor(ax.get_facecolor())
    return places


def _panel(panel: Panel, ax: Any, *, legend: bool, beside: bool) -> None:
    palette = _palette(ax)
    handles = {}
    for mark in panel.marks:
        handle = _drawn(mark, ax, palette, panel)
        if (name := getattr(mark, "name", "")) and name not in handles:
            handles[name] = handle
    _axis(panel.x, ax, ax.xaxis, "x", palette)
    _axis(panel.y, ax, ax.yaxis, "y", palette)
    title = "\n".join(filter(None, (panel.title, panel.beside)))
    if title:
        _plainly(ax.set_title("", loc="left", color=palette.ink, fontsize="medium"), title)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        ax.spines[side].set_color(palette.guide)
    if legend and (wanted := [name for name in named(panel.marks) if name in handles]):
        # a name that begins with _ would be left out, and one with $ read as a formula
        outside = {"loc": "upper left", "bbox_to_anchor": (1.02, 1.0)} if beside else {}
        places = list(map(str, range(len(wanted))))
        box = ax.legend([handles[n] for n in wanted], places, frameon=False, fontsize="small", **outside)
        for text, name in zip(box.get_texts(), theme.distinct(wanted, theme.LEGEND), strict=True):
            _plainly(text, name)
            text.set_color(palette.ink)


def _palette(ax: Any) -> theme.Palette:
    """That of the ground the axes stand on: their figure's where they have none of their own."""
    faces = [ax.get_facecolor(), ax.figure.get_facecolor()]
    face = next((f for f in faces if len(f) < 4 or f[3] > 0.5), (1.0, 1.0, 1.0))
    return theme.DARK if float(np.dot(face[:3], (0.2126, 0.7152, 0.0722))) < 0.4 else theme.LIGHT


def _plainly(text: Any, said: str) -> None:
    text.set_parse_math(False)
    text.set_text(said)


def _axis(axis: Axis, ax: Any, side: Any, which: str, palette: theme.Palette) -> None:
    if axis.quiet:
        side.set_visible(False)
        ax.spines["bottom" if which == "x" else "left"].set_visible(False)
    limits = ax.set_xlim if which == "x" else ax.set_ylim
    if axis.names:
        last = len(axis.names) - 0.5
        limits(*((-0.5, last) if which == "x" else (last, -0.5)))
        side.set_ticks(range(len(axis.names)), theme.distinct(axis.names, axis.letters), parse_math=False)
        side.set_tick_params(length=0)
    else:
        set_scale = ax.set_xscale if which == "x" else ax.set_yscale
        if axis.scale == "log":
            set_scale("log")
        elif axis.scale == "symlog":
            set_scale("symlog", linthresh=1)
        if axis.ticks:
            side.set_ticks(list(axis.ticks))
            side.set_ticks([], minor=True)
        if axis.ends is not None:
            limits(*axis.ends)
        say = (lambda value, _: f"{100 * value:.3g} %") if axis.percent else (lambda value, _: brief(value))
        side.set_major_formatter(say)
        ax.grid(True, axis=which, color=palette.rule, linewidth=0.8)
        ax.set_axisbelow(True)
    side.set_tick_params(colors=palette.soft, labelsize="small")
    label = (ax.set_xlabel if which == "x" else ax.set_ylabel)("", color=palette.soft, fontsize="small")
    _plainly(label, axis.title)


def _drawn(mark: Mark, ax: Any, palette: theme.Palette, panel: Panel) -> Any:
    ink = theme.colour(mark.style, palette) if hasattr(mark, "style") else palette.ink  # type: ignore[union-attr]
    match mark:
        case Line():
            (line,) = ax.plot(
                mark.x, mark.y, color=ink, linewidth=1.2 if mark.thin else 1.8, linestyle=_dashes(mark.style),
                drawstyle="steps-pre" if mark.step else "default", marker=_marker(mark.style) if mark.dots else None,
                markersize=5,
            )  # fmt: skip
            return line
        case Dots():
            return ax.plot(mark.x, mark.y, color=ink, marker=_marker(mark.style), linestyle="none", markersize=6)[0]
        case Bars():
            return ax.barh(np.asarray(mark.y) + mark.shift, mark.x, mark.share, color=ink)
        case Spans():
            lines = np.stack([np.stack([mark.x, mark.y], -1), np.stack([mark.x2, mark.y2], -1)], 1)
            for line in lines:
                drawn = ax.plot(line[:, 0], line[:, 1], color=ink, linewidth=mark.wide * 0.8)[0]
            return drawn if len(lines) else None
        case Area():
            return ax.fill_between(
                mark.x, mark.low, mark.high, color=theme.mixed(ink, palette.ground, mark.part), linewidth=0
            )
        case Rule():
            how = {"color": ink, "linewidth": 1.2, "linestyle": _dashes(mark.style)}
            return ax.axvline(mark.x, **how) if mark.x is not None else ax.axhline(mark.y, **how)
        case Strip():
            return ax.axvspan(mark.x, mark.x2, color=palette.band, zorder=0)
        case Words():
            side = {
                "ha": "right" if mark.left else "left",
                "xytext": (-5 if mark.left else 5, 3 if mark.above else -3 if mark.below else 0),
            }
            for x, y, said in zip(mark.x, mark.y, mark.said, strict=True):
                text = ax.annotate("", (x, y), textcoords="offset points", color=palette.ink, fontsize="small",
                                   va="bottom" if mark.above else "top" if mark.below else "center", **side)  # fmt: skip
                _plainly(text, said)
            return None
        case Pixels():
            extent = (mark.x, mark.x2, mark.y2, mark.y)
            aspect = "equal" if mark.square else "auto"
            return ax.imshow(mark.rgb, extent=extent, aspect=aspect, interpolation="nearest", origin="upper")


def _dashes(style: str) -> Any:
    on = theme.DASHES[style]
    return "solid" if on == (1, 0) else (0, tuple(float(d) for d in on))


def _marker(style: str) -> str:
    return MARKERS[theme.SHAPES[style]]
