"""A temperature per class: the logits of rare classes are shrunk while training."""

import math
from typing import Annotated

from ..counts import Counts, without_zeros
from ..options import In, ingredient
from ..recipe import Recipe


@ingredient
def class_temperature(
    counts: Counts, *, gamma: Annotated[float, In(0.0, math.inf, search=(0.0, 0.4))] = 0.15
) -> Recipe:
    """Multiply the logit of class c by (n_c / n_max)^gamma inside the loss; predict with the plain logits.

    Acts on the column, whatever the label is; `label_temperature` acts on the row. With `logit_adjustment` it is the
    VS loss: mix both. Scale [1, C]. Multilabel counts compare the labels' positives: [1, K].
    On one logit for two exclusive classes it has no meaning; the loss then names `label_temperature`.
    What counts 0 stands like the rarest class that occurs.

    Source: Ye et al. 2020, arXiv:2001.01385 (CDT); Kini et al. 2021, arXiv:2103.01550 (VS).

    >>> class_temperature(Counts.of(1600, 100), gamma=0.5).scale.numpy().tolist()
    [[1.0, 0.25]]
    """
    counts.occurring("class-temperature")
    n = without_zeros(counts.per_class)
    return Recipe(scale=(n / n.max())[None, :] ** gamma, classes=counts.classes, kind=counts.kind)
