"""Positive and negative weights."""

import numpy as np
import pytest

from steelyard.counts import Counts
from steelyard.ingredients import inverse_frequency, pos_neg
from steelyard.recipe import Recipe, unit_mass


def test_the_inverse_and_the_normalised_form_are_one_recipe():
    counts = Counts.of(900, 100)
    inverse, normalised = Recipe(weight=[1000 / 900, 1000 / 100]), Recipe(weight=[100 / 1000, 900 / 1000])
    ours = pos_neg(counts).label_weights()
    for form in (inverse, normalised):
        np.testing.assert_allclose(unit_mass(form, counts).label_weights(), ours, rtol=1e-12)
    assert ours[1] / ours[0] == pytest.approx(9, rel=1e-12)


def test_the_ratio_is_torchs_pos_weight_per_label():
    labels = Counts([10, 750], kind="multilabel", items=1000)
    table = pos_neg(labels).weight.numpy()
    np.testing.assert_allclose(table[1] / table[0], [99, 1 / 3], rtol=1e-12)
    half = pos_neg(labels, power=0.5).weight.numpy()
    np.testing.assert_allclose(half[1] / half[0], np.sqrt([99, 1 / 3]), rtol=1e-12)


@pytest.mark.parametrize("n", [[5], [5, 6, 7]])
def test_other_than_two_classes_is_sent_to_inverse_frequency(n):
    with pytest.raises(ValueError, match=r"^pos-neg: needs two exclusive classes .*use inverse_frequency"):
        pos_neg(Counts(n))
    inverse_frequency(Counts(n))
