"""Temperatures by class and by label: what they do to the logits.

Files: ingredients/class_temperature.py, ingredients/label_temperature.py.
"""

import numpy as np
import pytest

from steelyard.counts import Counts
from steelyard.ingredients import class_temperature, label_temperature, logit_adjustment
from steelyard.recipe import mix

COUNTS = Counts.of(10_000, 100, 1)
LABELS = Counts([10, 990], kind="multilabel", items=1000)


def test_by_class_is_a_row_and_by_label_a_column():
    by_class, by_label = class_temperature(COUNTS, gamma=0.5), label_temperature(COUNTS, gamma=0.5)
    np.testing.assert_allclose(by_class.scale.numpy(), [[1, 0.1, 0.01]], rtol=1e-12)
    np.testing.assert_allclose(by_label.scale.numpy(), [[1], [0.1], [0.01]], rtol=1e-12)


def test_by_class_compares_the_positives_of_labels():
    np.testing.assert_allclose(class_temperature(LABELS, gamma=1).scale.numpy(), [[10 / 990, 1]], rtol=1e-12)


def test_by_label_compares_is_with_is_not_for_every_label():
    labels = Counts([10, 800], kind="multilabel", items=1000)
    np.testing.assert_allclose(
        label_temperature(labels, gamma=1).scale.numpy(), [[1, 200 / 800], [10 / 990, 1]], rtol=1e-12
    )


def test_vs_is_a_mix_of_temperature_and_adjustment():
    """The authors' program: z / temp + iota, temp = (1/n)^gamma / min, iota = tau log pi."""
    n = COUNTS.per_class
    temp = (1 / n) ** 0.2 / np.min((1 / n) ** 0.2)
    z = np.array([0.3, -1.2, 2.0])
    vs = mix(class_temperature(COUNTS, gamma=0.2), logit_adjustment(COUNTS, tau=1.2))
    np.testing.assert_allclose(
        vs.scale.numpy()[0] * z + vs.offset.numpy()[0], z / temp + 1.2 * np.log(n / n.sum()), rtol=1e-12
    )


@pytest.mark.parametrize("make", [class_temperature, label_temperature])
def test_a_temperature_that_rounds_to_zero_is_an_error(make):
    with pytest.raises(ValueError, match="scale must be > 0"):
        make(Counts.of(10**9, 1), gamma=1000)
