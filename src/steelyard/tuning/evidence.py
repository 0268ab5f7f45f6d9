"""The comparisons of a study: every metric, one bootstrap for all of them, and the signal gate."""

from collections.abc import Sequence

import numpy as np

from . import honesty
from .bootstrap import draws
from .crossfit import outcomes
from .honesty import Comparison, Gate
from .metrics import METRICS, Evaluator, Metric
from .problem import Problem
from .search import Search


def compare(
    task: Problem,
    search: Search,
    chosen: Metric,
    metrics: Sequence[Metric],
    distances: Sequence[tuple],
    count: int,
    seed: int,
) -> tuple[dict[str, Comparison], Gate]:
    """{metric: Comparison} of all metrics, and the gate for the scores behind the chosen one.

    Every metric and every arm sees the same `count` draws of rows.
    """
    arms, repetitions, _ = search.out.shape
    two = task.classes == 2
    level = METRICS["roc_auc"] if two else METRICS["balanced_accuracy"]
    judged = {m.name: (m, outcomes(search.choice(m), m)) for m in metrics}
    judged["gate"] = (level, outcomes(search.choice(chosen), level))
    evaluators = {
        name: Evaluator(m, found.reshape(-1, *found.shape[2:]), task.y, task.classes)
        for name, (m, found) in judged.items()
    }
    parts: dict[str, list[np.ndarray]] = {name: [] for name in evaluators}
    for weights in draws(task.y, count, seed):
        for name, evaluate in evaluators.items():
            parts[name].append(evaluate(weights))
    values = {name: evaluate().reshape(arms, repetitions) for name, evaluate in evaluators.items()}
    drawn = {name: np.concatenate(p, axis=1).reshape(arms, repetitions, -1) for name, p in parts.items()}
    tested = np.arange(arms) > 0
    compared = {m.name: honesty.compare(m, values[m.name], drawn[m.name], tested) for m in metrics}
    gate = honesty.gate(
        "AUC" if two else level.title,
        values["gate"].mean(axis=1),
        drawn["gate"].mean(axis=1),
        0.5 if two else 1 / task.classes,
        honesty.name(compared[chosen.name], distances)[0],
    )
    return compared, gate
