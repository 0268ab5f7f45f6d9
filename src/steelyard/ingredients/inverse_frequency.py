"""Weights that fall with the class count."""

from typing import Annotated

from ..counts import Counts
from ..options import In, ingredient
from ..recipe import Recipe
from ._absent import Absent


@ingredient
def inverse_frequency(counts: Counts, *, beta: Annotated[float, In(0.0, 1.0)] = 1.0, absent: Absent = 1.0) -> Recipe:
    """Weigh a label by n_y^(-beta).

    beta = 1 is scikit-learn's "balanced", N / (C n_y); 0.5 the square root; 0 gives equal weights. Unit mass.
    Weights [C]; multilabel [2, K]. What counts 0 gets the weight `absent`.

    Source: King & Zeng 2001, Political Analysis 9(2), as in scikit-learn's compute_class_weight.

    >>> inverse_frequency(Counts.of(900, 100)).class_weight.tolist()
    [0.5555555820465088, 5.0]
    """
    n = counts.occurring("inverse-frequency")
    return Recipe(weight=counts.unit_mass(n**-beta, absent), classes=counts.classes, kind=counts.kind)
