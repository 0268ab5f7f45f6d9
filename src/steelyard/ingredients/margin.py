"""Label-distribution-aware margins: rare classes must win by more."""

import math
from typing import Annotated

from ..counts import Counts
from ..options import In, ingredient
from ..recipe import Recipe


@ingredient
def margin(
    counts: Counts,
    *,
    widest: Annotated[float, In(0.0, math.inf, search=(0.1, 1.0))] = 0.5,
    scale: Annotated[float, In(0.0, math.inf, open_low=True, search=(1.0, 30.0), log=True)] = 30.0,
) -> Recipe:
    """Lower the labelled logit by m_y before it is scaled: u = scale * (z - m_y [c = y]), m_y = widest (n_min / n_y)^(1/4).

    scale = 30 is for a cosine head (normalised features and rows); with ordinary logits write scale=1.
    Margin [C], already multiplied by `scale`; multilabel [2, K], each label on its own. What counts 0 stands like the rarest that occurs.

    Source: Cao et al. 2019, arXiv:1906.07413, eq. 13 (LDAM).

    >>> recipe = margin(Counts.of(1600, 100), scale=1)
    >>> recipe.margin.numpy().tolist(), recipe.scale
    ([[0.25], [0.5]], None)
    """
    n = counts.occurring("margin")
    lowered = widest * (n.min(axis=0) / n) ** 0.25
    return Recipe(scale=None if scale == 1 else scale, margin=scale * lowered, classes=counts.classes, kind=counts.kind)
