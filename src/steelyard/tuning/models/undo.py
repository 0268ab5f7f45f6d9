"""Scores of one arm brought to plain scale, where all arms can be compared."""

import numpy as np
import torch

from ...calibrate import posterior
from ...recipe import Recipe
from .forms import Sigmoid


def undo(logits: np.ndarray, recipe: Recipe, classes: int) -> np.ndarray:
    """Logits of one arm -> log-odds (two classes) or log-probabilities [..., C] of the posterior they stand for.

    Two classes: log(l0' / -l1'), kept in logarithms so that ranks survive where probabilities round to 0 or 1.
    """
    logits = np.ascontiguousarray(logits, dtype=np.float64)
    if classes == 2:
        form = Sigmoid.of([recipe], (0, 0, 0))
        return form.log_odds(torch.from_numpy(logits.reshape(1, -1))).numpy().reshape(logits.shape)
    p = np.asarray(posterior(logits.reshape(-1, classes), recipe, link="softmax"))
    with np.errstate(divide="ignore"):
        return np.log(p).reshape(logits.shape)
