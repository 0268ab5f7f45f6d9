"""Asymmetric loss for many labels, most of them absent."""

import math
from typing import Annotated

from .. import curves
from ..options import In, ingredient
from ..recipe import Recipe


@ingredient
def asymmetric(
    *,
    gamma_pos: Annotated[float, In(0.0, math.inf, search=(0.0, 2.0))] = 0.0,
    gamma_neg: Annotated[float, In(0.0, math.inf, search=(0.0, 6.0))] = 4.0,
    clip: Annotated[float, In(0.0, 1.0, open_high=True, search=(0.0, 0.2))] = 0.05,
) -> Recipe:
    """Focus positives by gamma_pos, negatives by gamma_neg, and forgive negatives whose probability is below `clip`.

    is       -(1 - p)^gamma_pos log p
    is not   -m^gamma_neg log(1 - m), m = max(p - clip, 0)

    clip > 0 needs the sigmoid link. Probabilities below `clip` leave no trace in the loss, so they cannot be undone.
    Divide by the number of samples or use norm="sum" as the authors do.

    Source: Ridnik et al. 2021, arXiv:2009.14119, eq. 4-7. (The authors' program has gamma_pos = 1 as its default.)

    >>> asymmetric().curve
    Asymmetric(gamma_pos=0.0, gamma_neg=4.0, clip=0.05)
    """
    return Recipe(curve=curves.Asymmetric(gamma_pos, gamma_neg, clip))
