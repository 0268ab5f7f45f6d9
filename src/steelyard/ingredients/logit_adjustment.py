"""A head start for frequent classes while training, so that the plain logits are fair."""

from typing import Annotated

import numpy as np

from ..counts import Counts
from ..options import In, ingredient
from ..recipe import Recipe


@ingredient
def logit_adjustment(counts: Counts, *, tau: Annotated[float, In(0.0, 100.0, search=(0.0, 2.0))] = 1.0) -> Recipe:
    """Add tau * log(pi_c) to the logits inside the loss; predict with the plain logits.

    tau = 1 aims at the balanced error and is balanced softmax. Multilabel counts add tau * log(pi_k / (1 - pi_k)) to
    the one logit of label k. Offset [1, C]; multilabel [1, K]. What counts 0 stands like the rarest that occurs.

    Source: Menon et al. 2021, arXiv:2007.07314; tau = 1: Ren et al. 2020, arXiv:2007.10740.

    >>> logit_adjustment(Counts.of(500, 500)).offset.numpy().round(4).tolist()
    [[-0.6931, -0.6931]]
    """
    n = counts.occurring("logit-adjustment")
    start = np.log(n / counts.per_class.sum()) if counts.kind == "exclusive" else np.log(n[1] / n[0])
    return Recipe(offset=tau * start[None, :], classes=counts.classes, kind=counts.kind)
