"""Effective number of samples."""

import mpmath
import numpy as np
import pytest

from steelyard.counts import Counts
from steelyard.ingredients import effective_number, inverse_frequency

COUNTS = Counts.of(5000, 300, 7)


def test_beta_near_one_is_inverse_frequency():
    near, inverse = effective_number(COUNTS, beta=1 - 1e-12), inverse_frequency(COUNTS)
    np.testing.assert_allclose(near.label_weights(), inverse.label_weights(), rtol=1e-6)


def test_beta_zero_is_equal_weights():
    np.testing.assert_allclose(effective_number(COUNTS, beta=0).label_weights(), 1, rtol=1e-15)


@pytest.mark.parametrize("beta", [1e-12, 0.5, 0.9, 0.9999, 1 - 2**-40, 1 - 2**-53])
def test_no_digit_is_lost_to_cancellation(beta):
    n = [1, 2, 50, 10**9]
    with mpmath.workdps(60):
        raw = [(1 - mpmath.mpf(beta)) / (1 - mpmath.mpf(beta) ** k) for k in n]
        mass = sum(w * k for w, k in zip(raw, n, strict=True)) / sum(n)
        exact = [float(w / mass) for w in raw]
    np.testing.assert_allclose(effective_number(Counts(n), beta=beta).label_weights(), exact, rtol=1e-12)
