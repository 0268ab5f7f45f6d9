"""Arms of a function of the user's own that are given up early, as its fits are dear."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from .arms import Arm
from .data.problem import Problem
from .evaluator import Evaluator
from .metric import Metric
from .models.model import Model
from .search import Search, Tools
from .split import Split
from .stop import Unfinished
from .validation.outcomes import outcomes
from .weights import take


def prune(
    task: Problem,
    arms: Sequence[Arm],
    split: Split,
    model: Model,
    metric: Metric,
    tools: Tools,
    seed: int,
) -> tuple[list[Arm], dict[str, str], dict[str, int]]:
    """After the first repetition, arms of a user's function that are far behind plain and behind most others are given up:
    their fits are dear. Plain stays. The arms that stay, why the others do not, and the fits that the others took."""
    if model.encoding != "rows" or split.repetitions < 2 or len(arms) < 3:
        return list(arms), {}, {"new": 0, "reused": 0}
    in_all = dataclasses.replace(tools, progress=lambda done, n: tools.progress(done, n * split.repetitions))
    alone = dataclasses.replace(split, held=split.held[:1])
    try:
        first = Search(task, arms, alone, model, metric, in_all, seed, widen=False)
    except Unfinished:  # the search that follows has the same fits, and says it in full
        return list(arms), {}, {"new": 0, "reused": 0}
    if first.stopped:
        return list(arms), {}, {"new": first.new, "reused": first.reused - len(first.arms) * first.split.folds}
    judged = outcomes(first.choice(metric), metric)[:, 0, first.split.judged]
    weights = take(task.weights, first.split.judged)
    value = Evaluator(metric, judged, task.y[first.split.judged], task.classes)(weights)
    gain = metric.gain(value, value[:1])
    behind = -2 * metric.tie * metric.unit(value[0])
    given_up = {
        arm.name: f"given up after the first of {split.repetitions} repetitions: {metric.title} {v:.3f} against {value[0]:.3f}"
        for arm, g, v in zip(arms, gain, value, strict=True)
        if g < behind and g < np.median(gain)
    }
    stay = len(arms) - len(given_up)
    # those that stay are found in the store again: what was new for them must not count as reused
    again = stay * len(first.settings) * first.split.folds
    spent = {"new": first.new, "reused": first.reused - again}
    return [a for a in arms if a.name not in given_up], given_up, spent
