"""Recalibration chosen on the other folds: slope and bias from the rows that tune a fold, applied to it."""

from typing import TYPE_CHECKING

import numpy as np

from ...calibrate.scaling import fit

if TYPE_CHECKING:
    from .crossfit import Choice


def pool(choice: "Choice", arm: int, a: int) -> np.ndarray:
    """[rows(, C)] of one arm and repetition: `choice.pool`, recalibrated; as they are where there is nothing to learn from."""
    source = choice.source
    tuner, pooled = source.tuners[a], choice.pool(arm, a)
    out = pooled.copy()
    for f, setting in enumerate(choice.picked[arm, a]):
        tunes, rows = tuner.rows(f), tuner.held == f
        if tunes.any() and rows.any():
            score = source.score(arm, int(setting), a)
            found = fit(score[tunes].astype(np.float64), source.y[tunes])
            out[rows] = found.rows(pooled[rows].astype(np.float64))
    return out
