"""Reliability: what probabilities promise and what came true, as trained, with the weights undone, and recalibrated."""

from dataclasses import replace

from .. import formatting
from ..decisions import counted
from ..document import Report
from ..evidence import PLAIN, Curves
from ..forest import end
from .chart import Picture, called, chart, finished, strokes

SAID = {"before": "as trained", "after": "weights undone", "recalibrated": "recalibrated"}
STYLE = {"before": "before", "after": "best", "recalibrated": "again"}
HONEST = "honest"


def reliability(report: Report) -> list[Picture]:
    """One chart for each arm that was kept; how to read them is said under the first."""
    pictures = [picture for name, curves in report.curves.items() if (picture := _one(report, name, curves))]
    return [*pictures[:1], *(replace(picture, caption=f"Of {picture.title}, read alike.") for picture in pictures[1:])]


def _one(report: Report, name: str, curves: Curves) -> Picture | None:
    import altair as alt

    kept = dict(curves.reliability)
    if name == PLAIN:
        kept.pop("before", None)  # nothing was undone
    if not kept:
        return None
    titles = {**SAID, "after": "as trained"} if name == PLAIN else SAID
    two = report.binary
    event = called(report.positive) if two else "right"
    top = end([v for groups in kept.values() for p, o, _ in groups for v in (p, o)])
    lines = [{"series": HONEST, "x": v, "y": v, "rows": 0} for v in (0.0, top)]
    dots = [{"series": titles[key], "x": p, "y": o, "rows": n} for key, points in kept.items() for p, o, n in points]
    scale = alt.Scale(domain=[0, top], nice=False)
    encoding = {
        "x": alt.X(
            "x:Q",
            title=f"probability given to {event}" if two else "largest probability given",
            scale=scale,
            axis=alt.Axis(format="~g", tickCount=5),
        ),
        "y": alt.Y("y:Q", title=f"share that is {event}", scale=scale, axis=alt.Axis(format="~g", tickCount=5)),
    }
    series = {titles[key]: STYLE[key] for key in kept} | {HONEST: "guide"}
    line = chart("lines").mark_line().encode(**encoding, **strokes(series))
    shown = [
        alt.Tooltip("series:N", title="probabilities"),
        alt.Tooltip("x:Q", title="given", format=".3~f"),
        alt.Tooltip("y:Q", title="came true", format=".3~f"),
        alt.Tooltip("rows:Q", title="rows", format=",.0f"),
    ]
    colour = strokes(series)["color"]
    mark = chart("dots").mark_point(filled=True, size=55, opacity=1).encode(**encoding, color=colour, tooltip=shown)
    far = [f"{titles[key]} {formatting.number(max(abs(p - o) for p, o, _ in points))}" for key, points in kept.items()]
    return Picture(
        key=f"reliability-{'plain' if name == PLAIN else 'best'}",
        section="reliability",
        title=name,
        arm=name,
        desc=f"Share of rows that are {event} against the probability given by {name}, in groups of rows. Largest distance from honest: {'; '.join(far)}.",
        caption=f"Held-out rows{counted(report)}, in groups that should hold equally many. On the dotted line, of the rows given 30 % just 30 % are {event}.",
        spec=finished(line + mark, lines=[*lines, *dots], dots=dots),
    )
