"""The textbooks' w_pos and w_neg for yes-or-no questions."""

from typing import Annotated

from ..counts import Counts
from ..options import In, ingredient
from ..recipe import Recipe
from ._absent import Absent


@ingredient
def pos_neg(counts: Counts, *, power: Annotated[float, In(0.0, 1.0)] = 1.0, absent: Absent = 1.0) -> Recipe:
    """Weigh "is" against "is not" by (n_neg / n_pos)^power.

    The forms (N / n_pos, N / n_neg) and (n_neg / N, n_pos / N) have the same ratio and differ only in the size of the
    loss; at unit mass they are one. torch's pos_weight is that ratio. power = 0.5 is the square root.
    Two exclusive classes give [2] (the second is "is"), multilabel counts [2, K], each label at unit mass. An answer that
    counts 0 gets the weight `absent`, and the other 1.
    ValueError for any other number of exclusive classes.

    Source: Xie & Tu 2015, arXiv:1504.06375, eq. 2; torch.nn.BCEWithLogitsLoss (pos_weight).

    >>> pos_neg(Counts.of(900, 100)).class_weight.tolist()
    [0.5555555820465088, 5.0]
    """
    if counts.kind == "exclusive" and len(counts) != 2:
        raise ValueError(
            f"pos-neg: needs two exclusive classes or multilabel counts, got {len(counts)} exclusive"
            f" {'class' if len(counts) == 1 else 'classes'}; use inverse_frequency."
        )
    n = counts.occurring("pos-neg")
    return Recipe(weight=counts.unit_mass(n**-power, absent), classes=counts.classes, kind=counts.kind)
