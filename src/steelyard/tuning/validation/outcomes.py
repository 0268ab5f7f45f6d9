"""Folds on one scale, so that scores of all folds can be ranked together.

A ranking metric chooses settings by order alone, so one fold may end with a strong penalty and its neighbour with a weak
one: the first one's scores are all near the mean, the other's far apart. Pooled as they are they rank worse than either,
and the more so the more a penalty shrinks: plain training more than balanced weights, whose curvature is larger. That would
be a gain without any merit (docs/tuner.md).
"""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from .crossfit import Choice


def pool(choice: "Choice", arm: int, a: int) -> np.ndarray:
    """[rows] of one arm and repetition: `choice.pool` as log-odds beyond those of the training part, each fold's stretched from
    the spread that its setting has on the rows that tune the fold to the spread that the arm's final setting has there.

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
        out[rows] = stretch(out[rows], own, goal)
    return out


def stretch(scores: np.ndarray, own: np.ndarray, goal: np.ndarray) -> np.ndarray:
    """From the mean and spread of `own` to those of `goal`; as they are where one has no spread."""
    own, goal = own.astype(np.float64), goal.astype(np.float64)
    spread, wanted = own.std(), goal.std()
    if not (spread > 0 and wanted > 0):
        return scores
    return (scores.astype(np.float64) - own.mean()) * (wanted / spread) + goal.mean()
