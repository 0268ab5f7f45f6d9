"""Weights bounded by a logarithm, as in ENet."""

import math
from typing import Annotated

import numpy as np

from ..counts import Counts
from ..options import In, ingredient
from ..recipe import Recipe
from ._absent import RULE


@ingredient
def log_frequency(
    counts: Counts,
    *,
    c: Annotated[float, In(1.0, math.inf, open_low=True, search=(1.01, 2.0))] = 1.02,
    absent: Annotated[float | None, RULE] = None,
) -> Recipe:
    """Weigh a label by 1 / ln(c + pi_y), with pi_y its share of the data.

    However rare a class is, its weight stays below ln(c + 1) / ln(c) times that of a class that fills the data:
    35 for c = 1.02. Larger c flattens the weights. Unit mass. Weights [C]; multilabel [2, K].
    What counts 0 has the weight 1 / ln(c) before the scaling, or `absent` if that is given.

    Source: Paszke et al. 2016, arXiv:1606.02147 (ENet).

    >>> log_frequency(Counts.of(1, 1)).class_weight.tolist()
    [1.0, 1.0]
    """
    counts.occurring("log-frequency")
    return Recipe(
        weight=counts.unit_mass(1 / np.log(c + counts.prior), absent), classes=counts.classes, kind=counts.kind
    )
