"""What finding one more costs: misses against false alarms, along the cuts that are worth taking."""

from typing import Any

import numpy as np

from .finish import finish
from .panel import Axis, Dots, Drawing, Line, Panel, Rule, brief, from_zero


def exchange(curve: Any, y: Any = None, *, rate: float | None = None, ax: Any = None) -> Any:
    """Misses against false alarms, and what each further positive costs.

    Left    up the positives that are missed, across the false alarms, both in rows; every corner is a threshold worth taking, from
            "nobody" on the left to "everybody" on the right
    Right   up the false alarms that each further positive costs, logarithmic; across the share of positives found so far

    curve  calibrate.exchange(p, y); or p [N], the probabilities of the positive class, with y [N], as that function takes them
    rate   false alarms that one more positive is worth: marks the threshold where to stop
    ax     axes of matplotlib, one pair or two; they are returned. Without, an Altair chart

    TypeError for anything else; ValueError for a rate that is not above 0.
    """
    from ..calibrate import Exchange
    from ..calibrate import exchange as exchange_of

    if not isinstance(curve, Exchange):
        if y is None:
            raise TypeError(
                f"plot.exchange: takes calibrate.exchange(p, y), or p and y, got {type(curve).__name__} alone."
            )
        curve = exchange_of(curve, y)
    positives, negatives = float(curve.hits[-1]), float(curve.alarms[-1])
    missed = positives - curve.hits
    said = [_said(t, m, a) for t, m, a in zip(curve.threshold, missed, curve.alarms, strict=True)]
    big = negatives > 30 * max(
        1.0, float(np.median(curve.alarms[curve.alarms > 0])) if (curve.alarms > 0).any() else 1.0
    )
    ticks = from_zero(negatives) if big else ()
    across = Axis(
        "false alarms, in rows",
        "symlog" if big else "linear",
        ends=(0.0, negatives * (1.15 if big else 1.02)),
        ticks=ticks,
    )
    up = Axis(f"positives missed, of {positives:,.0f}", ends=(0.0, positives * 1.02))
    left: list[Any] = [Line("", "best", curve.alarms.tolist(), missed.tolist(), said, dots=len(said) < 60)]
    paid = np.isfinite(curve.marginal) & (np.arange(len(curve.marginal)) > 0)
    found, price = curve.hits[paid] / positives, curve.marginal[paid]
    found, price = np.append(0.0, found), np.append(price[:1], price)
    steps = [
        f"{brief(v)} false alarms for one more, up to {100 * x:.3g} % found" for x, v in zip(found, price, strict=True)
    ]
    top = float(price.max()) if len(price) else 1.0
    costs = Axis(
        "false alarms per further positive",
        "symlog",
        ends=(0.0, top * 1.2 + 0.2),
        ticks=from_zero(top * 1.2 + 0.2),
    )
    right: list[Any] = [Line("", "best", found.tolist(), price.tolist(), steps, step=True)]
    if rate is not None:
        cut = curve.at(rate)
        i = int(np.flatnonzero(curve.threshold == cut)[0])
        name = f"stop at {_cut(cut)}: one more is worth {brief(rate)}"
        left.append(Dots(name, "before", [float(curve.alarms[i])], [float(missed[i])], [said[i]]))
        right.append(Rule("before", y=rate, name=f"one more is worth {brief(rate)}"))
    share = Axis("share of the positives found", ends=(0.0, 1.0), percent=True)
    panels = (
        Panel(across, up, tuple(left), "Misses against false alarms", width=360),
        Panel(share, costs, tuple(right), "What one more costs", width=360),
    )
    return finish(Drawing(panels), ax)


def _cut(threshold: float) -> str:
    if np.isinf(threshold):
        return "nobody" if threshold > 0 else "everybody"
    return f"threshold {threshold:.3g}"


def _said(threshold: float, missed: float, alarms: float) -> str:
    return f"{_cut(threshold)}: {missed:,.0f} missed, {alarms:,.0f} false alarms"
