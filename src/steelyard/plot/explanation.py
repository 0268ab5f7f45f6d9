"""What a recipe, or a map, does to the data: shares of the data, of the loss, and the prior that is implied."""

from typing import Any

import numpy as np

from ..explain.maps import MapExplanation
from ..explain.summary import Explanation, Outcome
from ..shown import clean, fit
from .finish import finish
from .panel import Axis, Dots, Drawing, Line, Panel, Spans, brief, percent, powers
from .ranked import MANY, order, told
from .regions import regions

SMALL = 0.01  # a share below which the axis is logarithmic
# field: (what it is called, style)
SHARES = {
    "share": ("share of the data", "plain"),
    "shown": ("share of what the sampler shows", "again"),
    "weight_share": ("share of the weight", "kept"),
    "loss_share": ("share of the loss", "before"),
    "implied_prior": ("implied prior", "best"),
}


def explanation(explanation: Explanation | MapExplanation, *, ax: Any = None) -> Any:
    """Of each class the share of the data, of the loss at the constant prediction, and the prior that the recipe implies.

    Across   shares, from 0 to 100 %; logarithmic where one is below 1 %, and then what is 0 is not drawn
    Up       the classes, the commonest first; of yes-or-no labels "is", as a share of that label. More than 40 are curves: the share up,
             the rank of the class in the data across

    The share of the weight is drawn where that of the loss was not computed, that of what a sampler shows where there is one. Of a map
    the shares of pixels and of weight on objects, near them and far from all are drawn.

    explanation  what sy.explain returns
    ax           axes of matplotlib to draw into; they are returned. Without, an Altair chart
    """
    if isinstance(explanation, MapExplanation):
        return finish(Drawing((regions(_regions(explanation), explanation.near, clean(explanation.source)),)), ax)
    if not isinstance(explanation, Explanation):
        raise TypeError(
            f"plot.explanation: takes what sy.explain(recipe, counts) returns, got {type(explanation).__name__}."
        )
    outcomes = list(explanation.outcomes)
    labels = len(outcomes) > 1 and all(o.name.endswith((": is", ": is not")) for o in outcomes)
    if labels:
        outcomes = outcomes[::2]  # "is" stands before "is not", which is the rest
    names = [clean(o.name.removesuffix(": is") if labels else o.name) for o in outcomes]
    fields = [f for f in SHARES if _wanted(f, outcomes, explanation.sampled)]
    numbers = {f: np.array([np.nan if (v := getattr(o, f)) is None else v for o in outcomes]) for f in fields}
    every = np.concatenate(list(numbers.values()))
    positive = every[every > 0]
    log = bool(len(positive)) and float(positive.min()) < SMALL
    hidden = int((every == 0).sum()) if log else 0
    beside = f"mean weight {brief(explanation.mean_weight)}, effective sample size {explanation.effective_size:,.0f} of {explanation.size:,}"
    beside += f"; {hidden} {'share' if hidden == 1 else 'shares'} of 0 not drawn" if hidden else ""
    ends = (float(positive.min()) / 1.5, 1.0) if log else (0.0, 1.0)
    what = "share of the label's items: is, of is and is not" if labels else "share of all"
    shares = Axis(what, "log" if log else "linear", ends=ends, percent=True, ticks=powers(*ends) if log else ())
    at = order(np.array([o.share for o in outcomes]))
    title = fit(clean(explanation.source), 90)
    marks: list[Any] = []
    if len(outcomes) > MANY:
        ranks = list(range(1, len(at) + 1))
        for f in reversed(fields):
            values = numbers[f][at]
            said = [
                f"{r}. {names[i]}: {SHARES[f][0]} {percent(v)}"
                for r, i, v in zip(ranks, at, values.tolist(), strict=True)
            ]
            marks.append(Line(*SHARES[f], ranks, _drawn(values, log), said))
        first = numbers[fields[0]]
        marks.extend(
            told(
                [o.name.removesuffix(": is") if labels else o.name for o in outcomes],
                first,
                at,
                [percent(v) for v in first],
            )
        )
        across = Axis("rank of the class in the data, commonest first", ends=(0.0, float(len(at))))
        return finish(Drawing((Panel(across, shares, tuple(marks), title, beside, width=560),)), ax)
    places = np.arange(len(at), dtype=float)
    spread = np.stack(
        [np.where(np.array(_drawn(numbers[f][at], log)) > -1, _drawn(numbers[f][at], log), np.nan) for f in fields]
    )
    known = np.isfinite(spread).any(axis=0)
    low, high = np.nanmin(spread[:, known], axis=0), np.nanmax(spread[:, known], axis=0)
    rows = places[known].tolist()
    marks.append(Spans("guide", low.tolist(), high.tolist(), rows, rows, 1.5))
    for f in fields:
        values = numbers[f][at]
        said = [f"{names[i]}: {SHARES[f][0]} {percent(v)}" for i, v in zip(at, values.tolist(), strict=True)]
        marks.append(Dots(*SHARES[f], _drawn(values, log), places.tolist(), said))
    up = Axis(names=tuple(names[i] for i in at))
    return finish(Drawing((Panel(shares, up, tuple(marks), title, beside),)), ax)


def _wanted(field: str, outcomes: list[Outcome], sampled: bool) -> bool:
    if field == "shown":
        return sampled
    if field == "weight_share" and any(o.loss_share is not None for o in outcomes):
        return False
    return any(getattr(o, field) is not None for o in outcomes)


def _drawn(values: np.ndarray, log: bool) -> list[float]:
    return np.where(values > 0, values, np.nan).tolist() if log else values.tolist()


def _regions(explanation: MapExplanation) -> dict[str, tuple[float, float]]:
    return {r.name: (r.weight, r.pixels) for r in explanation.regions}
