"""A study's answer: how much each weighting gains on plain training, and where decisions are cut."""

import dataclasses
from typing import Any

from ..shown import clean, fit
from ..theme import LABEL
from .finish import finish
from .panel import Axis, Dots, Drawing, Line, Panel, Rule, Spans, Strip, Words, brief, from_zero, powers
from .ranked import MANY

WIDE = 46  # letters of a weighting
LEAST = 1e-4  # of the thresholds drawn


def study(study: Any, *, ax: Any = None) -> Any:
    """The forest plot, and the cut.

    Left    across the difference to plain training with a moved threshold, in the metric that decides, positive where it is better; up
            the weightings, the largest gain first, with simultaneous 95 % intervals. The upright line is no difference, the pale strip
            what is too small to matter. Without an interval: what equals plain by construction
    Right   two classes: across the threshold, logarithmic, up the rows that are missed and the false alarms of the weighting that is
            kept, logarithmic, with the threshold of the study and 0.5. More classes: what the probability of each class is divided by
            before the largest decides. Left out where nothing was kept of it

    study  what sy.tune returns, or report.read(folder)
    ax     axes of matplotlib, one pair or two; they are returned. Without, an Altair chart
    """
    from ..report import Report
    from ..tuning import Study

    if isinstance(study, Report):
        document = study
    else:
        if not isinstance(study, Study):
            raise TypeError(
                f"plot.study: takes what sy.tune returns, or report.read(folder), got {type(study).__name__}."
            )
        document = Report.from_json(study.to_dict())
    panels = [_forest(document)]
    cut = _cut(document) or _factors(study, document)
    if cut is not None:
        panels.append(cut)
    from ..report.content import headline_of

    if len(panels) == 1:
        panels = [dataclasses.replace(panels[0], title=headline_of(document))]
    return finish(Drawing(tuple(panels), title=headline_of(document)), ax)


def _forest(report: Any) -> Panel:
    arms = [arm for arm in report.arms if arm.name != "plain"]
    tested, same = [], []
    for arm in arms:
        on = arm.on(report.metric)
        known = not arm.equals_plain and None not in (on.difference, on.low, on.high)
        (tested if known else same).append(arm)
    tested.sort(key=lambda arm: -arm.on(report.metric).difference)
    left = len(tested) - MANY
    tested = tested[:MANY]
    same = same[: max(0, MANY - len(tested))]
    marks: list[Any] = [Rule("guide", x=0.0)]
    if report.margin:
        marks.insert(0, Strip(-report.margin, report.margin))
    ends = [0.0, report.margin or 0.0, -(report.margin or 0.0)]
    for place, arm in enumerate(tested):
        on = arm.on(report.metric)
        style = "best" if arm.name == report.winner else "plain"
        said = f"{arm.name}: {on.difference:+.3g} [{on.low:.3g}, {on.high:.3g}], value {brief(on.value)}"
        marks.append(Spans(style, [on.low], [on.high], [place], [place]))
        marks.append(Dots("", style, [on.difference], [place], [said]))
        ends += [on.low, on.high]
    if same:
        places = list(range(len(tested), len(tested) + len(same)))
        marks.append(
            Words([0.0] * len(same), places, ["equals plain" if arm.equals_plain else "no interval" for arm in same])
        )
    low, high = min(ends), max(ends)
    low, high = (min(low, -0.3 * high), max(high, -0.3 * low)) if high > low else (-1.0, 1.0)
    room = 0.04 * (high - low)
    plain = report.plain.on(report.metric).value if report.plain else None
    beside = f"plain training has {brief(plain)}" if plain is not None else ""
    beside += f"; {left} smaller gains are left out" if left > 0 else ""
    names = [fit(arm.name, WIDE) for arm in (*tested, *same)] or ["nothing was compared"]
    across = Axis(f"{report.title}: gain on plain training", ends=(low - room, high + room))
    return Panel(across, Axis(names=tuple(names), letters=WIDE), tuple(marks), "What weightings gain", beside)


def _cut(report: Any) -> Panel | None:
    """Of two classes: misses and false alarms along the threshold."""
    from ..report.decisions import cuts

    kept, at = cuts(report).get(report.chosen, ()), report.verdict.threshold
    kept = [cut for cut in kept if LEAST <= cut.threshold <= 1]
    if not report.binary or at is None or len(kept) < 2:
        return None
    t = [cut.threshold for cut in kept]
    top = max(max(cut.fp, cut.fn) for cut in kept)
    lines = []
    for name, style, which in ((f"{report.positive} missed", "before", "fn"), ("false alarms", "best", "fp")):
        rows = [getattr(cut, which) for cut in kept]
        said = [f"threshold {x:.3g}: {v:,.0f} {name}" for x, v in zip(t, rows, strict=True)]
        lines.append(Line(fit(name, LABEL), style, t, rows, said))
    positive = [x for x in t if x > 0]
    low = min(*positive, at if at > 0 else 1.0)
    across = Axis("threshold of the probability", "log", ends=(low, 1.0), ticks=powers(low, 1.0))
    up = Axis("rows, held out", "symlog", ends=(0.0, top * 1.3 + 1), ticks=from_zero(top * 1.3))
    cut = Rule("plain", x=max(at, LEAST), name=f"the cut, {at:.3g}")
    half = Rule("guide", x=0.5, name="0.5, the usual one")
    name = clean(report.chosen)
    return Panel(across, up, (*lines, cut, half), "The cut", beside=f"decisions of {fit(name, 40)}", width=340)


def _factors(study: Any, report: Any) -> Panel | None:
    factors = getattr(study, "threshold", None)
    if not isinstance(factors, tuple) or len(factors) != len(report.table.classes) or len(factors) > MANY:
        return None
    names = tuple(report.table.classes)
    said = [f"{name}: divided by {brief(v)}" for name, v in zip(names, factors, strict=True)]
    dots = Dots("", "best", list(factors), list(range(len(factors))), said)
    positive = all(v > 0 for v in factors)
    low, high = min(factors), max(factors)
    ends = (low / 1.5, high * 1.5) if positive else (0.0, high * 1.1 or 1.0)
    across = Axis("its probability is divided by", "log" if positive and high > 20 * low else "linear", ends=ends)
    return Panel(across, Axis(names=names), (Rule("guide", x=1.0), dots), "The cut", width=260)
