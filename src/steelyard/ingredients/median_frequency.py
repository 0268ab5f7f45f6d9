"""Median frequency balancing, as in semantic segmentation."""

import numpy as np

from ..counts import Counts
from ..options import ingredient
from ..recipe import Recipe
from ._absent import Absent


@ingredient
def median_frequency(counts: Counts, *, absent: Absent = 1.0) -> Recipe:
    """Weigh a label by median(f) / f_c, with f_c the share of class c in the images that contain it.

    f_c = per_class / containing where the counts know `containing`: the paper's form. Without it f_c is the share in
    all the data, which many programs use under the same name; at unit mass that form is `inverse_frequency`.
    Multilabel counts use the share in all the data. Unit mass, so the median itself (a common factor) drops out.
    Weights [C]; multilabel [2, K]. What counts 0 gets the weight `absent`.

    Source: Eigen & Fergus 2015, arXiv:1411.4734.

    >>> pixels = Counts([800, 200], ["road", "sign"], unit="pixels", containing=[1000, 400])
    >>> weight = median_frequency(pixels).label_weights()
    >>> round(float(weight[1] / weight[0]), 12)  # f = 0.8 and 0.5
    1.6
    """
    n = counts.occurring("median-frequency")
    seen = counts.containing if counts.kind == "exclusive" else None
    frequency = (
        n / n.sum(axis=0) if seen is None else n / np.maximum(seen, n)
    )  # images without the class know no share of it
    return Recipe(
        weight=counts.unit_mass(np.median(frequency) / frequency, absent), classes=counts.classes, kind=counts.kind
    )
