"""Median frequency balancing, in both forms that carry the name."""

import numpy as np

from steelyard.counts import Counts
from steelyard.ingredients import inverse_frequency, median_frequency

# three images of 100 pixels: sky everywhere, tree in two, pole in one
MASKS = [(90, 10, 0), (80, 15, 5), (100, 0, 0)]
PIXELS = Counts([270, 25, 5], ["sky", "tree", "pole"], "pixels", containing=[300, 200, 100])


def test_only_images_that_contain_the_class_are_its_base():
    frequency = [
        sum(m[c] for m in MASKS if m[c]) / sum(sum(m) for m in MASKS if m[c]) for c in range(3)
    ]  # 0.9, 0.125, 0.05
    paper = np.median(frequency) / frequency
    ours = median_frequency(PIXELS).label_weights()
    np.testing.assert_allclose(ours / ours[1], paper, rtol=1e-12)  # the median class weighs 1


def test_without_containing_it_is_the_global_form():
    whole = Counts(PIXELS.per_class, PIXELS.classes, "pixels")
    np.testing.assert_allclose(
        median_frequency(whole).label_weights(), inverse_frequency(whole).label_weights(), rtol=1e-12
    )
    assert median_frequency(whole) != median_frequency(PIXELS)


def test_multilabel_counts_use_the_global_form():
    labels = Counts([3, 40], kind="multilabel", items=100, containing=[50, 50])
    np.testing.assert_allclose(median_frequency(labels).weight, inverse_frequency(labels).weight, rtol=1e-12)


def test_an_absent_class_is_in_no_image_and_changes_no_other():
    some, all_ = Counts([800, 200], containing=[1000, 400]), Counts([800, 0, 200], containing=[1000, 0, 400])
    weight = median_frequency(all_, absent=3.0).label_weights()
    assert weight[1] == 3.0
    np.testing.assert_allclose(weight[[0, 2]], median_frequency(some).label_weights(), rtol=1e-12)
