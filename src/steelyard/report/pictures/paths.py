"""The weight path: the deciding metric as weights grow from none, and the trials of a continuous search."""

from ...shown import fit
from ...theme import TITLE
from .. import formatting
from ..document import Report
from ..evidence import WeightPath
from .chart import BAND, BEST, INK, Picture, chart, finished


def weight_paths(report: Report) -> list[Picture]:
    """One chart for each ingredient of which several strengths were compared."""
    return [picture for i, path in enumerate(report.paths) if (picture := _path(report, path, i))]


def _path(report: Report, path: WeightPath, i: int) -> Picture | None:
    import altair as alt

    plain = report.plain.on(report.metric).value if report.plain else None
    points, ingredient, parameter, metric = path.points, path.ingredient, path.parameter, report.title
    if plain is None or len(points) < 2:
        return None
    sign = 1.0 if report.higher else -1.0  # a difference is an improvement, whichever way the metric points
    drawn = [
        {
            "x": float(p.x),
            "y": float(p.value),
            "low": float(plain + sign * (p.low or 0.0)),
            "high": float(plain + sign * (p.high or 0.0)),
            "arm": p.arm,
        }
        for p in points
    ]
    x = alt.X(
        "x:Q",
        title=f"{fit(parameter, TITLE)} of {fit(ingredient, TITLE)}: from none to full weights",
        scale=alt.Scale(nice=False, domain=[min(0.0, drawn[0]["x"]), drawn[-1]["x"]]),
        axis=alt.Axis(values=[p["x"] for p in drawn], format=".3~g", labelOverlap=True),
    )
    scale = alt.Scale(zero=False, nice=True)
    y = alt.Y("y:Q", title=metric, scale=scale, axis=alt.Axis(tickCount=5))
    base = chart("points").encode(x=x)
    band = base.mark_area(color=BEST, opacity=0.18).encode(y=alt.Y("low:Q", scale=scale, title=metric), y2="high:Q")
    line = base.mark_line(color=BEST).encode(y=y)
    shown = [
        alt.Tooltip("arm:N", title="weighting"),
        alt.Tooltip("y:Q", title="value", format=".3f"),
        alt.Tooltip("low:Q", format=".3f"),
        alt.Tooltip("high:Q", format=".3f"),
    ]
    dots = base.mark_point(filled=True, size=60, color=BEST, opacity=1).encode(y=y, tooltip=shown)
    level = chart("plain")
    rule = level.mark_rule(color=INK, strokeDash=[5, 3], strokeWidth=1.5).encode(y="y:Q")
    name = level.mark_text(align="right", baseline="bottom", dy=-4, dx=-4).encode(
        y="y:Q", x=alt.value("width"), text="said:N"
    )
    layers = [band, rule, line, dots, name]
    if margin := report.margin:
        within = chart("within")
        layers.insert(0, within.mark_rect(color=BAND).encode(y=alt.Y("y:Q", scale=scale, title=metric), y2="y2:Q"))
    best = max(points[1:], key=lambda p: p.difference or 0.0)
    gain, interval = best.difference, formatting.interval(best.low, best.high)
    sentence = (
        "" if gain is None else f" The best is {best.arm} with {formatting.signed(gain)} {interval}".rstrip() + "."
    )
    beside = " The grey strip is too small to matter." if margin else ""
    return Picture(
        key=f"path-{i}",
        section="path",
        title=ingredient,
        desc=f"{metric} against {parameter} of {ingredient}, from no weights at 0, with intervals; plain training has {formatting.number(plain)}.{sentence}",
        caption=f"{metric[:1].upper()}{metric[1:]} as weights grow; the band is the 95 % interval of the difference to plain, over all weightings at once.{beside}",
        spec=finished(
            alt.layer(*layers),
            points=drawn,
            plain=[{"y": float(plain), "said": "plain"}],
            within=[{"y": float(plain - (margin or 0.0)), "y2": float(plain + (margin or 0.0))}],
        ),
    )


def search(report: Report) -> list[Picture]:
    """What a continuous search around the best of the grid tried."""
    import altair as alt

    trace, metric = report.search, report.title
    if trace is None or len(trace.trials) < 2:
        return []
    points = [{"x": float(x), "y": float(value), "n": k + 1} for k, (x, value) in enumerate(trace.trials)]
    trials = formatting.plural(len(points), "trial")
    base = chart("points")
    dots = base.mark_point(filled=True, size=60, color=BEST, opacity=0.75).encode(
        x=alt.X(
            "x:Q",
            title=f"{fit(trace.parameter, TITLE)} of {fit(trace.ingredient, TITLE)}",
            scale=alt.Scale(zero=False),
            axis=alt.Axis(tickCount=6),
        ),
        y=alt.Y("y:Q", title=metric, scale=alt.Scale(zero=False), axis=alt.Axis(tickCount=5)),
        tooltip=[
            alt.Tooltip("n:Q", title="trial"),
            alt.Tooltip("x:Q", title="at", format=".4~g"),
            alt.Tooltip("y:Q", title="value", format=".3f"),
        ],
    )
    layers = [dots]
    if trace.best is not None:
        layers.append(chart("best").mark_rule(color=INK, strokeDash=[5, 3]).encode(x="x:Q"))
    best = "" if trace.best is None else f" The best is at {formatting.amount(trace.best)}."
    return [
        Picture(
            key="search",
            section="path",
            title="Continuous search",
            desc=f"{metric} of {trials} against {trace.parameter}.{best}",
            caption=f"{trials} around the best of the grid. Picking the highest of many is optimistic: only the table above compares fairly.",
            spec=finished(alt.layer(*layers), points=points, best=[{"x": trace.best}]),
        )
    ]
