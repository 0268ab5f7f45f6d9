"""Focal loss: what is already right counts less."""

import math
from typing import Annotated

from .. import curves
from ..options import In, ingredient
from ..recipe import Recipe


@ingredient
def focal(gamma: Annotated[float, In(0.0, math.inf, search=(0.0, 5.0))] = 2.0) -> Recipe:
    """Let the penalty be -(1 - p)^gamma log p, with p the probability of the true answer.

    gamma = 0 is cross-entropy. Only the curve: the paper's alpha is a weight, mix(fixed(weight=[1 - alpha, alpha]),
    focal()); there it lowers the positives (0.25) because gamma already raises them. The loss is smaller than
    cross-entropy; detectors divide it by the number of positives (normalizer=).

    Source: Lin et al. 2017, arXiv:1708.02002, eq. 4.

    >>> focal(gamma=2.0).curve
    Focal(gamma=2.0)
    """
    return Recipe(curve=curves.Focal(gamma))
