"""Where the last layer's bias should start."""

import numpy as np

from ..counts import Counts
from ..link import Link, link_for, link_of


def initial_bias(counts: Counts, *, link: str | Link | None = None) -> np.ndarray:
    """The bias with which an untrained last layer predicts the prior, so that training need not learn it first.

    softmax   log pi_c, [C]; the default for exclusive classes
    sigmoid   log(n_pos / n_neg) per label, [K]; the default for multilabel counts. Two exclusive classes on one logit:
              [1], the second class is "is"
    float64 numpy. What counts 0 starts as if it had been seen once. ValueError where the link does not fit the counts.

    Source: Lin et al. 2017, arXiv:1708.02002, sec. 3.3 and 4.1.

    >>> initial_bias(Counts.of(900, 100), link="sigmoid").round(4).tolist()
    [-2.1972]
    """
    if not isinstance(counts, Counts):
        raise TypeError(
            f"initial-bias: counts must be Counts, got {type(counts).__name__};"
            " make one with sy.count(data) or Counts.of(900, 100)."
        )
    link = link_for(counts.kind) if link is None else link_of(link, "initial-bias")
    counts.occurring("initial-bias")
    n = np.maximum(counts.table, 1)
    if counts.kind == "multilabel":
        if link.exclusive:
            raise ValueError("initial-bias: multilabel counts have one yes-or-no logit per class; use link='sigmoid'.")
        return np.log(n[1] / n[0])
    if link.exclusive:
        return np.log(n / n.sum())
    if len(counts) != 2:
        raise ValueError(
            f"initial-bias: link='sigmoid' needs two exclusive classes or multilabel counts, got {len(counts)}"
            " exclusive; use link='softmax'."
        )
    return np.log(n[1:] / n[:1])
