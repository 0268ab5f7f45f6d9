"""Row weights: only their ratios mean anything."""

import numpy as np
import pytest

from steelyard.tuning.weights import effective, effective_rows, masses, relative, whole

RAW = np.random.default_rng(0).exponential(size=1000) + 1e-3


@pytest.mark.parametrize("factor", [7, 1 / 3, 1e-200, 1e300])
def test_a_common_factor_leaves_no_trace(factor):
    one, other = relative(RAW), relative(factor * RAW)
    assert one is not None
    np.testing.assert_array_equal(one, other)
    assert one.mean() == pytest.approx(1)
    np.testing.assert_allclose(one / one[0], RAW / RAW[0], rtol=1e-6)


def test_equal_weights_are_none():
    assert relative(np.full(9, 0.3)) is None


def test_weights_that_are_far_apart_stay_above_0():
    weights = relative(np.array([1e-250, 1.0, 2.0]))
    assert weights is not None
    assert (weights > 0).all()


def test_the_effective_number_is_that_of_equal_rows_and_never_more():
    assert effective_rows(np.full(40, 3.0)) == pytest.approx(40)
    assert 1 < effective_rows(RAW) < len(RAW)
    assert effective_rows(np.array([1e9, 1.0, 1.0])) == pytest.approx(1)
    assert effective(np.array([0.0]), np.array([0.0])).tolist() == [0]
    ones = np.full(30, 0.1)
    assert whole(np.array([effective_rows(ones)])).tolist() == [30]  # not 29 by rounding


def test_the_mean_of_effective_rows_varies_as_that_of_so_many_equal_ones():
    rng = np.random.default_rng(1)
    weights = RAW[:50]
    drawn = rng.normal(size=(20_000, 50)) @ weights / weights.sum()
    assert drawn.var() == pytest.approx(1 / effective_rows(weights), rel=0.05)


def test_without_weights_a_class_counts_for_its_rows():
    y = np.array([0, 1, 1, 2])
    assert masses(y, None, 4).tolist() == [1, 2, 1, 0]
    assert masses(y, np.array([0.5, 1, 2, 4]), 4).tolist() == [0.5, 3, 4, 0]
