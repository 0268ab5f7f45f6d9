"""The charts of a report: precision against recall, and reliability before and after undo."""

import math
from collections.abc import Sequence

from . import given, words
from .charts import Chart, Line, axis_ticks, dots, path, steps
from .given import Data

Points = Sequence[Sequence[float]]


def pictures(data: Data) -> list[Chart]:
    """Those for which the study kept points."""
    return [chart for chart in (_precision_recall(data), _reliability(data)) if chart is not None]


def _precision_recall(data: Data) -> Chart | None:
    by_arm = given.precision_recall(data)
    if given.PLAIN not in by_arm:
        return None
    lines = [
        Line(name, "plain" if name == given.PLAIN else "best", path(points))
        for name, points in reversed(by_arm.items())  # plain is drawn last, on top
    ]
    counts = dict(zip(given.classes(data), given.per_class(data), strict=False))
    positive = str(data.get("positive"))
    if counts.get(positive):
        share = counts[positive] / sum(counts.values())
        lines.append(
            Line(f"calling rows at random, {words.percent(share)} right", "guide", path([(0, share), (1, share)]))
        )
    values = [
        f"{name} has average precision {words.number(v)}"
        for name in by_arm
        if (v := given.judged(given.arm(data, name) or {}, "average_precision").get("value")) is not None
    ]
    return Chart(
        key="precision-recall",
        title="Precision against recall",
        desc=f"Precision against recall on held-out rows, for every threshold. {'; '.join(values)}.",
        caption="Every threshold at once, on rows the model had not seen. Further up and to the right is better.",
        x_label=f"recall: share of {words.quote(positive)} found",
        y_label="precision: share of alarms that are right",
        x_ticks=axis_ticks(1),
        y_ticks=axis_ticks(1, vertical=True),
        lines=tuple(lines),
    )


def _reliability(data: Data) -> Chart | None:
    name, before, after = given.reliability(data)
    if not after:
        return None
    top = _top([v for point in (*before, *after) for v in point])
    event = words.quote(data["positive"]) if given.binary(data) else "right"
    lines = [Line("honest", "guide", path([(0, 0), (top, top)], top, top))]
    if before:
        lines.append(Line("as trained", "before", path(before, top, top), dots(before, top, top)))
    lines.append(Line("weights undone" if before else name, "best", path(after, top, top), dots(after, top, top)))
    told = [
        f"{line.name} {words.number(_far(p))}"
        for line, p in zip(lines[1:], (before, after) if before else (after,), strict=True)
    ]
    return Chart(
        key="reliability",
        title="Can the probability be believed?",
        desc=f"Share of rows that are {event} against the probability given by {name}, in groups of rows. Largest distance from honest: {'; '.join(told)}.",
        caption=f"{name}, held-out rows in groups that should hold equally many. On the dotted line, of the rows given 30 % just 30 % are {event}.",
        x_label=f"probability given to {event}" if given.binary(data) else "largest probability given",
        y_label=f"share that is {event}",
        x_ticks=axis_ticks(top),
        y_ticks=axis_ticks(top, vertical=True),
        lines=tuple(lines),
    )


def _far(points: Points) -> float:
    return max(abs(p[0] - p[1]) for p in points)


def _top(values: Sequence[float]) -> float:
    """The end of both axes: the next tick beyond the largest value, at most 1."""
    largest = max(values, default=1.0)
    if largest <= 0 or largest >= 0.8:
        return 1.0
    marks = steps(0, largest, 4)
    step = marks[1] - marks[0] if len(marks) > 1 else largest
    return min(1.0, round(math.ceil(largest / step - 1e-9) * step, 12))
