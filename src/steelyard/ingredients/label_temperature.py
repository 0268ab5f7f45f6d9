"""A temperature per label: all logits of an example of a rare class are shrunk while training."""

import math
from typing import Annotated

from ..counts import Counts
from ..options import In, ingredient
from ..recipe import Recipe


@ingredient
def label_temperature(counts: Counts, *, gamma: Annotated[float, In(0.0, math.inf, search=(0.0, 1.0))] = 0.5) -> Recipe:
    """Multiply all logits of an example of label y by (n_y / n_max)^gamma inside the loss; predict with the plain ones.

    gamma = 0.5 makes the classifiers of an overparameterised net symmetric, however imbalanced the data is.
    Scale [C, 1]; multilabel [2, K], each label on its own. What counts 0 stands like the rarest that occurs.

    Source: Behnia et al. 2023, arXiv:2303.07608 (LDT); Kini et al. 2021, arXiv:2103.01550 (one logit).

    >>> label_temperature(Counts.of(1600, 100)).scale.numpy().tolist()
    [[1.0], [0.25]]
    """
    n = counts.occurring("label-temperature")
    return Recipe(scale=(n / n.max(axis=0)) ** gamma, classes=counts.classes, kind=counts.kind)
