"""What looks like a mistake in a recipe for these data."""

from collections.abc import Sequence

import numpy as np
import torch

from ..calibrate import softmax
from . import constant
from .measures import Measures, implied

EXTREME = 100.0  # largest weight / smallest weight
OFF = 0.01  # of the mean weight from 1
BEYOND = 0.05  # of the data's imbalance, on the other side


def warnings(measures: Measures) -> list[str]:
    """One sentence each, the gravest first."""
    checks = (_empty, _zero, _twice, _elsewhere, _mean, _extreme)
    return [warning for check in checks if (warning := check(measures)) is not None]


def percent(share: float) -> str:
    return f"{100 * share:.3g} %"


def _empty(measures: Measures) -> str | None:
    names = [name for y, k, name in measures.names if measures.shown_n[y, k] == 0]
    if not names:
        return None
    return f"{_some(names)} {'counts' if len(names) == 1 else 'count'} 0: no loss can teach what is never shown, and no example meets its weight."


def _zero(measures: Measures) -> str | None:
    names = [name for y, k, name in measures.names if measures.weight[y, k] == 0]
    if not names:
        return None
    return f"{_some(names)} {'has' if len(names) == 1 else 'have'} weight 0: never learned, and not undone."


def _mean(measures: Measures) -> str | None:
    if measures.bound.norm == "mass" or abs(measures.mean - 1) <= OFF:
        return None
    return (
        f"the mean weight is {measures.mean:.4g}: the loss and its gradient are {measures.mean:.4g} times as large, which acts"
        " like that change of the learning rate; unit_mass(recipe, counts) sets it to 1."
    )


def _extreme(measures: Measures) -> str | None:
    counted = (measures.weight > 0) & (measures.shown_n > 0)
    largest = np.where(counted, measures.weight, 0.0).max(axis=0)
    ratio = float((largest / np.where(counted, measures.weight, np.inf).min(axis=0)).max())
    if ratio <= EXTREME:
        return None
    return (
        f"the largest weight is {ratio:.4g} times the smallest: a few examples decide the gradient, and one wrong label"
        " among them weighs as much as hundreds of right ones; consider a square root (beta=0.5, power=0.5),"
        " logit_adjustment, or a moved threshold."
    )


def _twice(measures: Measures) -> str | None:
    """Two corrections, each of the data's imbalance, that together leave the opposite imbalance."""
    if measures.implied is None:
        return None
    alone = {"the sampler": measures.shown} if measures.sampled else {}
    for field in ("weight", "offset"):
        if getattr(measures.bound, field) is not None:
            constant_prediction = implied(constant.only(measures.bound, field), measures.prior, [])
            if constant_prediction is not None:
                alone[field] = constant_prediction
    acting = {what: tilt(q, measures.prior) < 1 - BEYOND for what, q in alone.items()}
    number = sum((a.astype(int) for a in acting.values()), np.zeros(measures.prior.shape[1], dtype=int))
    past = (tilt(measures.implied, measures.prior) < -BEYOND) & (number >= 2)
    if not past.any():
        return None
    k = int(np.flatnonzero(past)[0])
    known = measures.prior[:, k] > 0
    gain = np.where(known, measures.implied[:, k] / np.where(known, measures.prior[:, k], 1.0), 0.0)
    y = int(gain.argmax())
    name = next(name for row, column, name in measures.names if (row, column) == (y, k))
    more = f" (and so for {past.sum()} of {len(past)} labels)" if len(past) > 1 else ""
    what = " and ".join(what for what, a in acting.items() if a[k])
    return (
        f"{what} {'both' if number[k] == 2 else 'all'} undo the prior: together they pull past balance, to"
        f" {percent(measures.implied[y, k])} of {name!r}, which is {percent(measures.prior[y, k])} of the data{more}."
        " Keep one of them, or less of each."
    )


def tilt(q: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """Slope of log q on log prior, per label [K]: 1 keeps the imbalance, 0 is balance, below 0 is past it.

    1 where there is no imbalance to undo.
    """
    known = (q > 0) & (prior > 0)
    here, there = (np.log(np.where(known, x, 1.0)) for x in (prior, q))
    number = np.maximum(known.sum(axis=0), 1)
    here, there = (np.where(known, x - x.sum(axis=0) / number, 0.0) for x in (here, there))
    spread = (here**2).sum(axis=0)
    even = spread < 1e-2
    return np.where(even, 1.0, (here * there).sum(axis=0) / np.where(even, 1.0, spread))


def _elsewhere(measures: Measures) -> str | None:
    """Labels whose own examples are pulled to another class."""
    if measures.bound.target is None:
        return None
    return _softmax_elsewhere(measures) if measures.softmax else _sigmoid_elsewhere(measures)


def _softmax_elsewhere(measures: Measures) -> str | None:
    size, weight = measures.labels, measures.bound.weight
    if size > 4 * constant.WIDEST:
        return None
    a = softmax.rows(measures.bound, torch.zeros(1, size, dtype=torch.float64))
    a = (a if weight is None else a * weight.dense(size, size)).detach().numpy()
    wrong = np.flatnonzero(a.max(axis=1) > a.diagonal() * (1 + 1e-9))
    if not len(wrong):
        return None
    y = int(wrong[0])
    c = int(a[y].argmax())
    p = a[y, c] / a[y].sum()
    classes = measures.counts.classes
    many = f" (and so for {len(wrong)} of {size} labels)" if len(wrong) > 1 else ""
    why = (
        "weights per class inside the sum act on what smoothing gives away, as torch's weight with label_smoothing does;"
        " one weight per label, fixed(weight=[...]) with smooth(...), keeps the optimum at the label"
        if weight is not None and (weight.column is not None or weight.full is not None)
        else "the target asks for it"
    )
    return f"an example of {classes[y]!r} is pulled to p = {p:.3f} of {classes[c]!r}{many}: {why}."


def _sigmoid_elsewhere(measures: Measures) -> str | None:
    asked = constant.asked(measures.bound, measures.labels).detach().numpy()
    wrong = [name for y, k, name in measures.names if (asked[y, k] < 0.5 if y else asked[y, k] > 0.5)]
    return f"{_some(wrong)}: the target asks for the opposite of the label." if wrong else None


def _some(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names[:5])) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
