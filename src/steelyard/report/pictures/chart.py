"""What all charts of the page share: size, and a look whose colours follow the page's light or dark."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...shown import fit
from ...theme import DASHES, LEGEND, PAGE, TITLE, colour, config, relabelled
from .. import formatting

WIDTH, HEIGHT = 440, 330  # the page scales them
INK, BEST, GUIDE, BAND = PAGE.ink, PAGE.best, PAGE.guide, PAGE.band
# name of a style: colour, dashes. Never colour alone: lines differ in dashes too
LINES = {style: (colour(style, PAGE), list(dashes)) for style, dashes in DASHES.items()}
CONFIG = config(PAGE, "transparent")


@dataclass(frozen=True)
class Picture:
    """A chart with words around it. `section` is where the page shows it; `desc` says in words what it shows.

    follows  whether the page's sliders move something in it
    arm      the one weighting that it is about, or ""
    """

    key: str
    section: str
    title: str
    desc: str
    caption: str
    spec: Mapping[str, Any]
    follows: bool = False
    arm: str = ""


def chart(name: str) -> Any:
    """A chart over the rows that `finished` is given under this name. Apart, because Altair would check every row.

    Names from the data may stand in rows, titles of axes and domains of scales. Titles of tooltips and transforms become
    expressions, where a name could be read as one: only constants there.
    """
    import altair as alt

    return alt.Chart(alt.NamedData(name=name))


def finished(drawn: Any, **rows: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The plain specification of a chart with one pair of axes, in the shared size and look."""
    fit = {"type": "fit", "contains": "padding"}
    return looks(drawn.properties(width=WIDTH, height=HEIGHT, autosize=fit), **rows)


def told(spec: Mapping[str, Any], **fields: str) -> dict[str, Any]:
    """With what the page's script says along a line, {field: (title, format)} as "title|format"; the still picture does not carry it."""
    shown = [
        {
            "field": field,
            "title": title,
            **({"type": "quantitative", "format": number} if number else {"type": "nominal"}),
        }
        for field, (title, _, number) in ((field, said.partition("|")) for field, said in fields.items())
    ]
    return {**spec, "usermeta": {"tooltip": shown}}


def looks(drawn: Any, **rows: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The plain specification of a chart that brings its own size, in the shared look."""
    return {
        **drawn.to_dict(validate=False),
        "config": CONFIG,
        "datasets": {name: _short(points) for name, points in rows.items()},
    }


def _short(points: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Numbers to six digits: more cannot be seen."""
    return [{k: float(f"{v:.6g}") if isinstance(v, float) else v for k, v in row.items()} for row in points]


def strokes(series: Mapping[str, str]) -> dict[str, Any]:
    """Colour and dashes of the field `series`: {name shown: style}. Names are shown as they are, in this order."""
    import altair as alt

    names, used = list(series), [LINES[style] for style in series.values()]
    legend = alt.Legend(symbolType="stroke", labelExpr=relabelled(names, LEGEND))
    colours = alt.Scale(domain=names, range=[colour for colour, _ in used])
    dashes = alt.Scale(domain=names, range=[dash for _, dash in used])
    return {
        "color": alt.Color("series:N", sort=names, scale=colours, legend=legend),
        "strokeDash": alt.StrokeDash("series:N", sort=names, scale=dashes, legend=legend),
    }


def styles(names: Sequence[str], plain: str) -> dict[str, str]:
    """{arm: style}: plain dashed in ink, the other one in the colour of the best. Plain comes last, drawn on top."""
    return {name: "plain" if name == plain else "best" for name in sorted(names, key=lambda n: n == plain)}


def called(name: str | None) -> str:
    """A class in the title of an axis."""
    return formatting.quote(fit(str(name), TITLE))


def embedded(svg: str, name: str) -> str:
    """An <svg> element for the page: hidden from screen readers, which the figure's own words serve.

    name  the digest of what it shows, by which it is known again
    """
    head = rf'<svg class="chart" aria-hidden="true" data-of="{name}" viewBox="\1">'
    return re.sub(r'^<svg [^>]*?viewBox="([^"]*)"[^>]*>', head, svg)


def version(spec: Mapping[str, Any]) -> str:
    """Of Vega-Lite, as the specification names it: "6.4"."""
    match = re.search(r"/v(\d+\.\d+)", str(spec["$schema"]))
    return match[1] if match else ""
