"""Logarithmic weights."""

import math

import numpy as np
import pytest

from steelyard.counts import Counts
from steelyard.ingredients import log_frequency


def test_two_classes_by_hand():
    often, rarely = log_frequency(Counts.of(900, 100), c=1.1).label_weights()
    assert rarely / often == pytest.approx(math.log(2.0) / math.log(1.2), rel=1e-12)


def test_the_rarest_class_weighs_at_most_35_times_the_commonest_at_the_default():
    weight = log_frequency(Counts.of(10**9, 1)).label_weights()
    assert 35 < weight[1] / weight[0] < 36
    assert math.log(2.02) / math.log(1.02) == pytest.approx(35.5, abs=0.1)


def test_a_large_c_makes_equal_weights():
    np.testing.assert_allclose(log_frequency(Counts.of(900, 100), c=1e9).label_weights(), 1, rtol=1e-9)
