"""Inverse frequency."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.utils.class_weight import compute_class_weight

from steelyard.counts import Counts
from steelyard.ingredients import inverse_frequency


@given(st.lists(st.integers(1, 300), min_size=1, max_size=12))
def test_it_is_scikit_learns_balanced(n):
    balanced = compute_class_weight("balanced", classes=np.arange(len(n)), y=np.repeat(np.arange(len(n)), n))
    np.testing.assert_allclose(inverse_frequency(Counts(n)).label_weights(), balanced, rtol=1e-12)


@pytest.mark.parametrize(("beta", "ratio"), [(0.0, 1.0), (0.5, 3.0), (1.0, 9.0)])
def test_the_ratio_is_the_ratio_of_the_counts_to_the_power_beta(beta, ratio):
    often, rarely = inverse_frequency(Counts.of(900, 100), beta=beta).label_weights()
    assert rarely / often == pytest.approx(ratio, rel=1e-12)


def test_every_label_of_a_multilabel_set_is_its_own_two_class_problem():
    labels = Counts([100, 600], kind="multilabel", items=1000)
    table = inverse_frequency(labels).weight.numpy()
    np.testing.assert_allclose(table[:, 0], inverse_frequency(Counts.of(900, 100)).label_weights())
    np.testing.assert_allclose(table[:, 1], inverse_frequency(Counts.of(400, 600)).label_weights())
