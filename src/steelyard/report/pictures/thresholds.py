"""Charts along the threshold: precision and recall, ROC, what decisions cost, and the exchange curve."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from ...theme import decades
from .. import formatting
from ..decisions import cuts, operating
from ..document import Report
from ..evidence import PLAIN, Cut
from .chart import BEST, INK, Picture, called, chart, finished, strokes, styles, told

EVEN = 1000.0
SCALES = (
    "Drawn from the probabilities of all folds as they are. The numbers of the table bring the folds to one scale before they rank"
    " them, so they may be a little better."
)


def precision_recall(report: Report) -> list[Picture]:
    """Precision against recall for each arm that was kept, and what calling rows at random gives."""
    kept = cuts(report)
    if PLAIN not in kept:
        return []
    positive = called(report.positive)
    points = [
        {"series": name, "i": i, "x": tp / (tp + fn), "y": tp / (tp + fp), "order": -i}
        for name, table in kept.items()
        for i, (_, tp, fp, fn, _) in enumerate(table)
        if tp + fp > 0 and tp + fn > 0
    ]
    share = _share(next(iter(kept.values())))
    guide = f"calling rows at random, {formatting.percent(share)} right"
    spec = _curves(
        report,
        points,
        [(0.0, share), (1.0, share)],
        guide,
        f"recall: share of {positive} found",
        "precision: alarms that are right",
        "recall",
        "precision",
    )
    values = _values(report, "average_precision", list(kept))
    return [
        Picture(
            key="precision-recall",
            section="threshold",
            title="Precision against recall",
            desc=f"Precision against recall on held-out rows, for every threshold.{values}",
            caption=f"Every threshold at once. Further up and to the right is better. {SCALES}",
            spec=spec,
            follows=operating(report) is not None,
        )
    ]


def roc(report: Report) -> list[Picture]:
    """True positives against false positives, as shares."""
    kept = cuts(report)
    if PLAIN not in kept:
        return []
    points = [
        {"series": name, "i": i, "x": fp / (fp + tn), "y": tp / (tp + fn), "order": -i}
        for name, table in kept.items()
        for i, (_, tp, fp, fn, tn) in enumerate(table)
        if tp + fn > 0 and fp + tn > 0
    ]
    positive = called(report.positive)
    spec = _curves(
        report,
        points,
        [(0.0, 0.0), (1.0, 1.0)],
        "no better than chance",
        "share of the others called by mistake",
        f"share of {positive} found",
        "others called",
        "found",
    )
    return [
        Picture(
            key="roc",
            section="threshold",
            title="ROC",
            desc=f"Share of {positive} found against the share of other rows called by mistake.{_values(report, 'roc_auc', list(kept))}",
            caption="Where positives are rare this curve flatters: a small share of many others is still many false alarms."
            f" {SCALES}",
            spec=spec,
            follows=operating(report) is not None,
        )
    ]


def cost(report: Report) -> list[Picture]:
    """Expected cost against how many rows are called, at the cost ratio of the slider."""
    import altair as alt

    kept, moved = cuts(report), operating(report)
    if moved is None:
        return []
    points = [
        {
            "series": name,
            "i": i,
            "x": EVEN * (tp + fp) / total,
            "fn": EVEN * fn / total,
            "fp": EVEN * fp / total,
            "order": -i,
        }
        for name, table in kept.items()
        for i, (_, tp, fp, fn, tn) in enumerate(table)
        if (total := tp + fp + fn + tn) > 0
    ]
    table = kept[moved.arm]
    none, every = EVEN * _share(table), EVEN * (1 - _share(table))
    top = f"1.25 * min({none:.6g} * ratio, {every:.6g})"  # beyond both trivial answers no cost is worth a look
    base = (
        chart("points")
        .transform_calculate(y="datum.fn * ratio + datum.fp")
        .encode(
            x=alt.X(
                "x:Q",
                title="rows called, of 1000",
                scale=alt.Scale(type="symlog", constant=1, domain=[0, 1000]),
                axis=alt.Axis(values=[0, 1, 3, 10, 30, 100, 300, 1000]),
            ),
            y=alt.Y(
                "y:Q",
                title="cost of 1000 rows, in false alarms",
                scale=alt.Scale(domain=[0, alt.ExprRef(top)], nice=False, clamp=True),
                axis=alt.Axis(tickCount=5),
            ),
        )
    )
    arms = styles(list(kept), PLAIN)
    lines = base.transform_filter(f"datum.y <= {top}").mark_line().encode(order="order:Q", **strokes(arms))
    both = (lines + _marker(base)).add_params(*_params(report), alt.param(name="ratio", value=moved.ratio))
    return [
        Picture(
            key="cost",
            section="threshold",
            title="What decisions cost",
            desc="Cost of the decisions against the number of rows called, at the chosen ratio of costs. It is lowest somewhere between calling nobody and calling everybody.",
            caption="The lowest point is the cheapest threshold on these rows. It moves with the ratio of costs.",
            spec=told(
                finished(both, points=_layered(points)),
                series="weighting",
                x="called, of 1000|,.1f",
                y="cost|,.1f",
                fn="missed, of 1000|,.1f",
                fp="false alarms|,.1f",
            ),
            follows=True,
        )
    ]


def exchange(report: Report) -> list[Picture]:
    """False alarms bought with each further positive, along the convex hull of the ROC curve."""
    import altair as alt

    kept, moved = cuts(report), operating(report)
    if moved is None:
        return []
    points, here = [], []
    for name, table in kept.items():
        steps = bought(table)
        points += [{"series": name, "x": x, "y": y, "order": k} for k, (x, y) in enumerate(steps)]
        for i, (_, tp, _, fn, _) in enumerate(table):
            here.append({"series": name, "i": i, "x": tp / (tp + fn) if tp + fn else 0.0})
    if not points:
        return []
    x = alt.X(
        "x:Q",
        title=f"share of {called(moved.positive)} found",
        scale=alt.Scale(domain=[0, 1], nice=False),
        axis=alt.Axis(format="~g", tickCount=5),
    )
    y = alt.Y(
        "y:Q",
        title="false alarms for one more found",
        scale=alt.Scale(type="symlog", constant=1, domainMin=0),
        axis=alt.Axis(values=decades(max(p["y"] for p in points)), format=",~f", labelOverlap=False),
    )
    arms = styles(list(kept), PLAIN)
    # a step function: this is what every positive on the way there costs, not an average of neighbours
    lines = chart("points").mark_line(interpolate="step-before").encode(x=x, y=y, order="order:Q", **strokes(arms))
    level = chart("level").mark_rule(color=BEST, strokeDash=[2, 3]).transform_calculate(y="ratio").encode(y=y)
    mark = chart("here").mark_rule(color=INK).transform_filter(_here()).encode(x="x:Q")
    layers = (lines + level + mark).add_params(*_params(report), alt.param(name="ratio", value=moved.ratio))
    return [
        Picture(
            key="exchange",
            section="threshold",
            title="What one more costs",
            desc=f"False alarms that each further {called(moved.positive)} costs, against the share found so far. The price rises as more are found.",
            caption="Upright: the threshold. Level: what one missed positive is worth, in false alarms. Where the curve rises above it, finding more is not worth it.",
            spec=told(
                finished(layers, points=_layered(points), here=here, level=[{}]),
                series="weighting",
                x="share found|.3f",
                y="false alarms for one more|,.2f",
            ),
            follows=True,
        )
    ]


def bought(table: Sequence[Cut]) -> list[tuple[float, float]]:
    """(share found, false alarms per further positive on the way there) at the corners of the ROC curve's convex hull,
    as calibrate.exchange has them; that one is not used because it would load torch to draw a line.

    table  thresholds ascending
    """
    positives = table[0].tp + table[0].fn
    corners: list[tuple[float, float]] = []
    for point in [(0.0, 0.0), *((cut.tp, cut.fp) for cut in reversed(table))]:
        while len(corners) > 1 and not _turns(corners[-2], corners[-1], point):
            corners.pop()
        corners.append(point)
    steps = [(b[0] / positives, (b[1] - a[1]) / (b[0] - a[0])) for a, b in pairwise(corners) if b[0] > a[0]]
    return [(0.0, steps[0][1]), *steps] if steps else []


def _turns(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> bool:
    """Whether b lies to the gainful side of the chord from a to c: (found, alarms)."""
    return (b[0] - a[0]) * (c[1] - b[1]) > (c[0] - b[0]) * (b[1] - a[1])


def _curves(
    report: Report,
    points: list[dict[str, Any]],
    straight: list[tuple[float, float]],
    guide: str,
    x: str,
    y: str,
    across: str,
    up: str,
) -> dict[str, Any]:
    """Lines through the points of each arm, a straight guide, and the mark that the sliders move. `across` and `up` are what x and y
    are called in a few words of our own."""
    import altair as alt

    arms = styles(list(dict.fromkeys(p["series"] for p in points)), PLAIN)
    points = _layered(points)
    guides = [{"series": guide, "i": -1, "x": a, "y": b, "order": k} for k, (a, b) in enumerate(straight)]
    encoding = {
        "x": alt.X("x:Q", title=x, scale=alt.Scale(domain=[0, 1], nice=False), axis=alt.Axis(format="~g", tickCount=5)),
        "y": alt.Y("y:Q", title=y, scale=alt.Scale(domain=[0, 1], nice=False), axis=alt.Axis(format="~g", tickCount=5)),
    }
    base = chart("points").encode(**encoding)
    lines = base.mark_line().encode(order="order:Q", **strokes({**arms, guide: "guide"}))
    if operating(report) is not None:
        lines = (lines + _marker(base)).add_params(*_params(report))
    said = {"series": "line", "x": f"{across}|.3f", "y": f"{up}|.3f"}
    return told(finished(lines, points=[*guides, *points]), **said)


def _params(report: Report) -> list[Any]:
    import altair as alt

    moved = operating(report)
    return [] if moved is None else [alt.param(name="arm", value=moved.arm), alt.param(name="at", value=moved.at)]


def _here() -> str:
    return "datum.series === arm && datum.i === at"


def _marker(base: Any) -> Any:
    """Where the sliders stand."""
    return base.transform_filter(_here()).mark_point(
        filled=True, size=130, color=INK, opacity=1, stroke="var(--ground)", strokeWidth=2
    )


def _layered(points: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Plain last: Vega draws series in the order in which they come, and plain has to stay in sight."""
    return sorted(points, key=lambda p: p["series"] == PLAIN)


def _share(table: Sequence[Cut]) -> float:
    """Of the positives."""
    _, tp, fp, fn, tn = table[0]
    return (tp + fn) / (tp + fp + fn + tn)


def _values(report: Report, metric: str, names: list[str]) -> str:
    arms = {arm.name: arm for arm in report.arms}
    values = [
        f"{name} has {formatting.metric(metric)} {formatting.number(value)}"
        for name in names
        if name in arms and (value := arms[name].on(metric).value) is not None
    ]
    return f" {'; '.join(values)}." if values else ""
