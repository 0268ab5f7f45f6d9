"""What the verdict's cut does, metric by metric, and where other costs would put it. Decisions are cross-fitted: each fold's cut
comes from the other folds."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from .answer_parts import Priced
from .continuous import Family
from .evaluator import Evaluator
from .fitted import FittedArm
from .metric import DECISION, METRICS, Metric
from .pictures import probability
from .search import Search
from .validation.cuts import decide
from .weights import take

RATIOS = (1.0, 5.0, 20.0, 100.0)  # what a missed positive may cost, in false alarms


def at_cut(
    members: Sequence[FittedArm | Family], chosen: Metric, rule: Metric, judged_by: Sequence[Metric]
) -> list[dict[str, float]]:
    """By member {metric: value} of the decisions that the threshold moved for `rule` makes, mean over repetitions: without the
    metrics that judge no decisions, and without `rule`, whose value stands among the member's metrics already."""
    metrics = [m for m in judged_by if m.kind == DECISION and m.name != rule.name and m.capacity is None]
    if not metrics:
        return [{} for _ in members]
    search = _search(members[0])
    judged, task = search.split.judged, search.task
    weights = take(task.weights, judged)
    out = []
    for member in members:
        labels = _decided(member, chosen, rule)[:, judged]
        out.append({m.name: float(Evaluator(m, labels, task.y[judged], task.classes)(weights).mean()) for m in metrics})
    return out


def priced(member: FittedArm | Family, chosen: Metric) -> tuple[Priced, ...]:
    """For each of RATIOS; () for more than two classes."""
    search = _search(member)
    task, judged = search.task, search.split.judged
    if task.classes != 2:
        return ()
    y, weights = task.y[judged], take(task.weights, judged)
    times = np.ones(len(y)) if weights is None else weights
    fitted = member.best if isinstance(member, Family) else member
    out = []
    for miss in RATIOS:
        rule = dataclasses.replace(METRICS["expected_cost"], cost_fn=miss, cost_fp=1.0)
        # of the one arm alone, and not kept: of all arms it would be four times what the verdict took
        decided, cuts = decide(search.choice(chosen), rule, only=fitted.index)
        said = decided[0][:, judged] == 1
        found, alarms = (float(((said & (y == c)) @ times).mean()) for c in (1, 0))
        there = float(times[y == 1].sum())
        out.append(Priced(miss, float(probability(cuts).mean()), found, there - found, alarms))
    return tuple(out)


def _search(member: FittedArm | Family) -> Search:
    return member.best.search if isinstance(member, Family) else member.search


def _decided(member: FittedArm | Family, chosen: Metric, rule: Metric) -> np.ndarray:
    """[repetitions, rows]"""
    if isinstance(member, FittedArm):
        return member.search.decided(chosen, rule)[0][member.index]
    used = {int(i) for i in np.unique(member.picked)}
    return member.gather({i: _decided(member.fitted[i], chosen, rule) for i in used})
