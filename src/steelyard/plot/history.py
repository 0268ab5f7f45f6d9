"""How a rule's numbers moved while training went on."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..shown import clean, fit
from ..theme import SERIES, TITLE
from .finish import finish
from .panel import Area, Axis, Drawing, Line, Panel, brief

PANELS = 6  # numbers of different names


def history(history: Any, *, columns: Sequence[str] | None = None, ax: Any = None) -> Any:
    """The numbers of a rule over time, one panel for each kind of number.

    Across   the step, the epoch, or how many training calls there were, whichever every row has
    Up       the number, in its own unit: weight[name] of all classes share a panel. More than six are drawn as their middle one, a band
             of the middle half, and a pale one from the smallest to the largest

    history  a History, or a rule or loss that keeps one
    columns  names of those to draw; None: all but those that say when
    ax       axes of matplotlib, one pair or one for each panel; they are returned. Without, an Altair chart

    KeyError for a column that there is not; ValueError where nothing is recorded, and for more than six kinds of numbers.
    """
    from ..rule.history import PLACES, History

    if not isinstance(history, History):
        history = _kept(history)
    if not history.rows:
        raise ValueError("plot.history: nothing is recorded yet; train first.")
    wanted = tuple(columns) if columns is not None else tuple(n for n in history.columns if n not in PLACES)
    when, times = history._when()
    kinds: dict[str, dict[str, list[float]]] = {}
    for name in wanted:
        kind, bracket, of = name.partition("[")
        kinds.setdefault(kind, {})[of.removesuffix("]") if bracket else ""] = history.column(name)
    if not kinds:
        raise ValueError("plot.history: there are no numbers in it but those that say when.")
    if len(kinds) > PANELS:
        raise ValueError(
            f"plot.history: {len(kinds)} kinds of numbers are too many for a picture; name up to {PANELS} with columns=."
        )
    across = Axis("training calls" if when == "observed" else when)
    panels = tuple(_panel(kind, of, times, across) for kind, of in kinds.items())
    return finish(Drawing(panels, upright=True), ax)


def _kept(subject: Any) -> Any:
    from ..losses.modules import RecipeLoss
    from ..rule.protocol import Rule

    rule = subject.rule if isinstance(subject, RecipeLoss) else subject
    if not isinstance(rule, Rule):
        raise TypeError(f"plot.history: takes a History, a rule or a loss with one, got {type(subject).__name__}.")
    return rule.history()


def _panel(kind: str, of: dict[str, list[float]], times: list[float], across: Axis) -> Panel:
    few = len(times) < 40
    up = Axis(fit(clean(kind), TITLE))
    if len(of) <= len(SERIES):
        styles = SERIES if len(of) > 1 else ("best",)
        lines = []
        for (name, values), style in zip(of.items(), styles, strict=False):
            shown = fit(clean(name), TITLE)
            said = [f"{shown or up.title}: {brief(v)} at {brief(t)}" for t, v in zip(times, values, strict=True)]
            lines.append(Line(shown, style, times, _finite(values), said, dots=few))
        return Panel(across, up, tuple(lines), width=520, height=200)
    table = np.array(list(map(_finite, of.values())))
    known = np.isfinite(table).any(axis=0)
    low, quarter, middle, upper, high = np.nanquantile(table[:, known], [0, 0.25, 0.5, 0.75, 1], axis=0)
    at = np.array(times)[known].tolist()
    marks = (
        Area(f"all {len(of):,}", "best", at, low.tolist(), high.tolist(), 0.15),
        Area("the middle half", "best", at, quarter.tolist(), upper.tolist(), 0.35),
        Line(
            "the middle one",
            "best",
            at,
            middle.tolist(),
            [f"{brief(v)} at {brief(t)}" for t, v in zip(at, middle, strict=True)],
        ),
    )
    return Panel(across, up, marks, width=520, height=200)


def _finite(values: Sequence[float]) -> list[float]:
    return [v if np.isfinite(v) else float("nan") for v in values]
