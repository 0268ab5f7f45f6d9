"""How the scores of the two classes lie, and where the threshold cuts them."""

import math

from ...theme import LABEL, relabelled
from ..decisions import cuts, operating
from ..document import Report
from .chart import BEST, GUIDE, INK, Picture, called, chart, finished

TRACE = 0.005  # of a class: a tail that holds less, of both classes, would only waste the width
SHOWN = (1e-6, 1e-5, 1e-4, 0.001, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999)


def scores(report: Report) -> list[Picture]:
    """Share of each class in every bin of the undone probability, drawn on the scale of log-odds."""
    import altair as alt

    kept = {name: curves.scores for name, curves in report.curves.items() if curves.scores}
    moved, tables = operating(report), cuts(report)
    if moved is None or moved.arm not in kept:
        return []
    names = report.table.classes
    bars, ends = [], []
    for arm, scores in kept.items():
        edges = [float(v) for v in scores.edges]
        for name, counts in zip(names, (scores.negative, scores.positive), strict=True):
            total = sum(counts) or 1.0
            shares = [n / total for n in counts]
            shown = [k for k in range(len(shares)) if sum(shares[: k + 1]) > TRACE and sum(shares[k:]) > TRACE]
            ends += [edges[shown[0]], edges[shown[-1] + 1]] if shown else []
            for k, share in enumerate(shares):
                wide = edges[k + 1] - edges[k]
                bars.append(
                    {
                        "series": arm,
                        "class": name,
                        "x": edges[k],
                        "x2": edges[k + 1],
                        "y": share / wide,
                        "from": probability(edges[k]),
                        "to": probability(edges[k + 1]),
                        "share": share,
                    }
                )
    if not ends:
        return []
    low, high = min(ends), max(ends)
    bars = [{**b, "x": max(b["x"], low), "x2": min(b["x2"], high)} for b in bars if b["x"] < high and b["x2"] > low]
    here = [
        {"series": arm, "i": i, "x": min(max(log_odds(cut.threshold), low), high)}
        for arm in kept
        if arm in tables
        for i, cut in enumerate(tables[arm])
    ]
    ticks = [log_odds(p) for p in SHOWN if low <= log_odds(p) <= high]
    base = chart("bars").transform_filter("datum.series === arm")
    order = list(names)[::-1]
    bins = base.mark_rect(opacity=0.55).encode(
        x=alt.X(
            "x:Q",
            title=f"probability of {called(moved.positive)}, spread by its log-odds",
            scale=alt.Scale(domain=[low, high], nice=False),
            axis=alt.Axis(values=ticks, labelExpr="format(1 / (1 + exp(-datum.value)), '.6~f')", grid=False),
        ),
        x2="x2:Q",
        y=alt.Y(
            "y:Q",
            title="share of the class",
            scale=alt.Scale(zero=True),
            axis=alt.Axis(labels=False, ticks=False, tickCount=4),
        ),
        y2=alt.datum(0),
        color=alt.Color(
            "class:N",
            sort=order,
            scale=alt.Scale(domain=order, range=[BEST, GUIDE]),
            legend=alt.Legend(
                symbolType="square", symbolSize=140, direction="horizontal", labelExpr=relabelled(order, LABEL)
            ),
        ),
        tooltip=[
            "class:N",
            alt.Tooltip("from:Q", title="probability from", format=".3~g"),
            alt.Tooltip("to:Q", format=".3~g"),
            alt.Tooltip("share:Q", title="share of the class", format=".2%"),
        ],
    )
    cut = (
        chart("cuts")
        .transform_filter("datum.series === arm && datum.i === at")
        .mark_rule(color=INK, strokeWidth=2)
        .encode(x="x:Q")
    )
    params = [alt.param(name="arm", value=moved.arm), alt.param(name="at", value=moved.at)]
    return [
        Picture(
            key="scores",
            section="threshold",
            title="How far apart are the classes?",
            desc=f"How the probabilities given to rows of {' and '.join(map(called, order))} are spread, each class drawn to the same area, with the threshold as a line.",
            caption="Both classes are drawn to the same area, however rare; the ends, under 0.5 % of each, are left out. Rows to the right of the line are called.",
            spec=finished((bins + cut).add_params(*params), bars=bars, cuts=here),
            follows=True,
        )
    ]


def probability(z: float) -> float:
    return 1 / (1 + math.exp(-z)) if z > -700 else 0.0


def log_odds(p: float) -> float:
    if p <= 0 or p >= 1:
        return -math.inf if p <= 0 else math.inf
    return math.log(p) - math.log1p(-p)
