"""Class-balanced weights from the effective number of samples."""

from typing import Annotated

import numpy as np

from ..counts import Counts
from ..options import In, ingredient
from ..recipe import Recipe
from ._absent import Absent


@ingredient
def effective_number(
    counts: Counts, *, beta: Annotated[float, In(0.0, 1.0, open_high=True)] = 0.999, absent: Absent = 1.0
) -> Recipe:
    """Weigh a label by 1 / E_n, with E_n = (1 - beta^n) / (1 - beta).

    beta = 0 gives equal weights, beta -> 1 gives inverse frequency. Unit mass. What counts 0 gets the weight `absent`.

    Source: Cui et al. 2019, arXiv:1901.05555, eq. 2.

    >>> effective_number(Counts.of(900, 100), beta=0.0).class_weight.tolist()
    [1.0, 1.0]
    """
    n = counts.occurring("effective-number")
    # -expm1 keeps the digits that 1 - beta^n loses for small n
    effective = -np.expm1(n * np.log(beta)) / (1 - beta) if beta else np.ones_like(n)
    return Recipe(weight=counts.unit_mass(1 / effective, absent), classes=counts.classes, kind=counts.kind)
