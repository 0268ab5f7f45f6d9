"""Curves other than focal: one more polynomial term, and two that forgive wrong labels."""

import math
from typing import Annotated

from .. import curves
from ..options import In, ingredient
from ..recipe import Recipe


@ingredient
def poly(epsilon: Annotated[float, In(-1.0, math.inf, search=(-1.0, 5.0))] = 1.0) -> Recipe:
    """Let the penalty be -log p + epsilon (1 - p): cross-entropy with its first polynomial term changed.

    Below epsilon = -1 the loss would reward mistakes near p = 1, so it is an error.

    Source: Leng et al. 2022, arXiv:2204.12511, eq. 6.

    >>> poly(epsilon=2.0).curve
    Poly(epsilon=2.0)
    """
    return Recipe(curve=curves.Poly(epsilon))


@ingredient
def generalized(q: Annotated[float, In(0.0, 1.0, open_low=True)] = 0.7) -> Recipe:
    """Let the penalty be (1 - p^q) / q, which stays bounded, so that a wrong label can do only so much harm.

    q -> 0 is cross-entropy, q = 1 the mean absolute error (slow to learn, and not undone by `posterior`).

    Source: Zhang & Sabuncu 2018, arXiv:1805.07836, eq. 6.

    >>> generalized().curve
    GCE(q=0.7)
    """
    return Recipe(curve=curves.GCE(q))


@ingredient
def symmetric(
    *,
    alpha: Annotated[float, In(0.0, math.inf, open_low=True, log=True, search=(0.01, 10.0))] = 0.1,
    beta: Annotated[float, In(0.0, math.inf, search=(0.0, 2.0))] = 1.0,
    floor: Annotated[float, In(-math.inf, 0.0, open_high=True, search=(-8.0, -1.0))] = -4.0,
) -> Recipe:
    """Let the penalty be -alpha log p - beta floor (1 - p): cross-entropy plus its reverse, with log 0 set to `floor`.

    Source: Wang et al. 2019, arXiv:1908.06112, eq. 6 and 7.

    >>> symmetric().curve
    Symmetric(alpha=0.1, beta=1.0, floor=-4.0)
    """
    return Recipe(curve=curves.Symmetric(alpha, beta, floor))
