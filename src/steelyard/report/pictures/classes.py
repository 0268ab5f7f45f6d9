"""Class by class: precision, recall and F1 of each class, plain beside the best weighting."""

from ...theme import LABEL, LEGEND, relabelled
from ..document import Report
from ..evidence import PLAIN
from ..tables import MEASURES
from .chart import LINES, Picture, chart, looks, styles

MOST, HIGH, WIDE = 40, 24, 112


def classes(report: Report) -> list[Picture]:
    """The rarest classes, rarest first."""
    import altair as alt

    if not report.per_class:
        return []
    arms = styles(list(report.per_class), PLAIN)
    first = next(iter(report.per_class.values()))
    order = [one.name for one in first][:MOST]
    points = [
        {"series": arm, "class": one.name, "measure": "F1" if m == "f1" else m, "value": float(value)}
        for arm, kept in report.per_class.items()
        for one in kept
        for m in MEASURES
        if (value := getattr(one, m)) is not None and one.name in order
    ]
    legend = alt.Legend(symbolSize=90, labelExpr=relabelled(list(arms), LEGEND))
    shapes = alt.Shape(
        "series:N",
        scale=alt.Scale(domain=list(arms), range=["diamond" if s == "plain" else "circle" for s in arms.values()]),
        legend=legend,
    )
    scale = alt.Scale(domain=list(arms), range=[LINES[s][0] for s in arms.values()])
    colours = alt.Color("series:N", scale=scale, legend=legend)
    dots = (
        chart("points")
        .mark_point(size=75, filled=False, strokeWidth=2, opacity=1)
        .encode(
            x=alt.X(
                "value:Q", title=None, scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(values=[0, 0.5, 1], format="~g")
            ),
            y=alt.Y("class:N", sort=order, title=None, axis=alt.Axis(grid=True, labelExpr=relabelled(order, LABEL))),
            color=colours,
            shape=shapes,
            tooltip=[
                "class:N",
                alt.Tooltip("series:N", title="weighting"),
                "measure:N",
                alt.Tooltip("value:Q", format=".3f"),
            ],
        )
        .properties(width=WIDE, height=max(3, len(order)) * HIGH)
        .facet(column=alt.Column("measure:N", sort=["precision", "recall", "F1"], title=None), spacing=18)
    )
    spec = looks(dots, points=points)
    more = f" The {MOST} rarest of {len(first)} are drawn." if len(first) > MOST else ""
    return [
        Picture(
            key="classes",
            section="classes",
            title="Precision, recall and F1 of each class",
            desc=f"Precision, recall and F1 of each class for {' and '.join(report.per_class)}; the table holds the numbers.",
            caption=f"Rarest class first.{more}",
            spec=spec,
        )
    ]
