"""Train here, decide there: weights for another class mix."""

from typing import Any

import numpy as np

from ..counts import Counts
from ..options import ingredient
from ..recipe import Recipe
from ._absent import Absent
from ._by_class import by_class


@ingredient
def deployment(prior: Any, counts: Counts, *, absent: Absent = 1.0) -> Recipe:
    """Weigh a label by prior_y / pi_y: its share where the model is used over its share in the training data.

    prior    [C] summing to 1, or {class: share}, or Counts of the data it will meet. Multilabel: the share of "is" [K]
    counts   of the training data; what counts 0 there gets the weight `absent`, and the others share its prior
    Weights [C]; multilabel [2, K]. Unit mass by construction. A class of prior 0 gets weight 0, which `posterior` cannot undo.

    Source: Lipton et al. 2018, arXiv:1802.03916 (label shift).

    >>> deployment([0.5, 0.5], Counts.of(900, 100)).class_weight.tolist()
    [0.5555555820465088, 5.0]
    """
    n, share = counts.occurring("deployment"), _share(prior, counts)
    weight = share / (n / n.sum(axis=0))
    if np.any(counts.table == 0):
        reached = np.sum(counts.prior * share, axis=0) > 0
        if not np.all(reached):
            raise ValueError(
                f"deployment: where the model is used, nothing of the training data occurs{_of(counts, reached)}: prior is 0 for all that"
                " was counted. No weight brings that about; collect examples."
            )
        weight = counts.unit_mass(weight, absent)
    return Recipe(weight=weight, classes=counts.classes, kind=counts.kind)


def _of(counts: Counts, reached: np.ndarray) -> str:
    return "" if counts.kind == "exclusive" else f" for {counts.classes[int(np.argmin(reached))]!r}"


def _share(prior: Any, counts: Counts) -> np.ndarray:
    """Shaped like counts.prior."""
    if isinstance(prior, Counts):
        if (prior.classes, prior.kind) != (counts.classes, counts.kind):
            raise ValueError(
                f"deployment: prior counts {prior.kind} {', '.join(prior.classes)} but the training data has"
                f" {counts.kind} {', '.join(counts.classes)}; count both with the same classes=."
            )
        return prior.prior
    share = by_class("deployment", "prior", prior, counts.classes)
    if not np.all((share >= 0) & (share <= 1)):
        raise ValueError(f"deployment: prior must be in [0, 1], got {share.tolist()[:8]}.")
    if counts.kind == "multilabel":
        return np.stack([1 - share, share])
    if not np.isclose(share.sum(), 1, rtol=0, atol=1e-6):
        raise ValueError(f"deployment: prior must sum to 1 over the classes, got {share.sum():g}; divide it by that.")
    return share / share.sum()
