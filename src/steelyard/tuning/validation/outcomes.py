"""What a metric judges: out-of-fold scores as they are, on one scale, or recalibrated; or decisions."""

import numpy as np

from ...calibrate.scaling import fit
from ..metric import DECISION, RANKING, Metric
from ..weights import Weights, take
from .crossfit import Choice
from .cuts import decide


def outcomes(choice: Choice, metric: Metric) -> np.ndarray:
    """What the metric judges, [arms, repetitions, rows(, C)]: scores on one scale, pooled or recalibrated ones, or decisions.
    Only the rows that `split.judged` names mean something."""
    if metric.kind == DECISION:
        return decide(choice, metric)[0]
    if metric.kind == RANKING:
        return choice.every(aligned)
    return choice.every(recalibrated if metric.recalibrated else Choice.pool)


def recalibrated(choice: Choice, arm: int, a: int) -> np.ndarray:
    """[rows(, C)] of one arm and repetition: `choice.pool` after slope and bias were fitted on the rows that tune each fold; as
    they are where there is nothing to learn from."""
    source = choice.source
    tuner, pooled = source.tuners[a], choice.pool(arm, a)
    out = pooled.copy()
    for f, setting in enumerate(choice.picked[arm, a]):
        tunes, rows = tuner.rows(f), tuner.held == f
        if tunes.any() and rows.any():
            score = source.score(arm, int(setting), a)
            scaling = fit(score[tunes].astype(np.float64), source.y[tunes], take(source.weights, tunes))
            out[rows] = scaling.rows(pooled[rows].astype(np.float64))
    return out


def aligned(choice: Choice, arm: int, a: int) -> np.ndarray:
    """[rows] of one arm and repetition: `choice.pool` as log-odds beyond those of the training part, each fold's stretched from
    the spread that its setting has on the rows that tune the fold to the spread that the arm's final setting has there.

    A ranking metric chooses settings by order alone, so one fold may end with a strong penalty and its neighbour with a weak
    one: the first one's scores are all near the mean, the other's far apart. Pooled as they are they rank worse than either,
    and the more so the more a penalty shrinks: plain training more than balanced weights, whose curvature is larger. That
    would be a gain without any merit (docs/evidence/tuner.md).

    A model under a strong penalty says little more than its training part's share of positives, which differs a little from
    fold to fold: stretched, that would be the largest difference of all. No label of a fold decides over its scores, and no
    order within a fold changes.
    """
    source, final = choice.source, int(choice.final[arm])
    tuner, prior = source.tuners[a], source.prior(a)
    out = choice.pool(arm, a) - prior
    for f, setting in enumerate(choice.picked[arm, a]):
        tunes, rows = tuner.rows(f), tuner.held == f
        if setting == final or not tunes.any():
            continue
        own, goal = ((source.score(arm, int(s), a) - prior)[tunes] for s in (setting, final))
        out[rows] = stretch(out[rows], own, goal, take(source.weights, tunes))
    return out


def stretch(scores: np.ndarray, own: np.ndarray, goal: np.ndarray, weights: Weights = None) -> np.ndarray:
    """From the mean and spread of `own` to those of `goal`, of the same rows; as they are where one has no spread."""
    (middle, spread), (level, wanted) = (_spread(scores, weights) for scores in (own, goal))
    if not (spread > 0 and wanted > 0):
        return scores
    return (scores.astype(np.float64) - middle) * (wanted / spread) + level


def _spread(scores: np.ndarray, weights: Weights) -> tuple[float, float]:
    """Mean and standard deviation."""
    scores = scores.astype(np.float64)
    if weights is None:
        return float(scores.mean()), float(scores.std())
    mean = float(np.average(scores, weights=weights))
    return mean, float(np.sqrt(np.average((scores - mean) ** 2, weights=weights)))
