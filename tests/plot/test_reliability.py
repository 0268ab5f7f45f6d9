"""Files: calibrate/groups.py."""

import numpy as np
import pytest
from scipy.stats import binomtest

import steelyard as sy
from steelyard.calibrate.groups import BINS, cut, told
from steelyard.plot.reliability import wilson


@pytest.mark.parametrize(("hits", "n"), [(0, 10), (3, 10), (100, 100), (7, 5000)])
def test_intervals_are_wilsons(hits, n):
    expected = binomtest(hits, n).proportion_ci(method="wilson")
    np.testing.assert_allclose(wilson(hits / n, n), (expected.low, expected.high), atol=1e-12)


def test_groups_expect_equally_many_hits_and_lose_no_row():
    p = np.random.default_rng(0).beta(1, 20, 5000)
    times = np.ones(len(p))
    parts = cut(p, times)
    assert len(parts) == BINS
    np.testing.assert_allclose([p[part].sum() for part in parts], p.sum() / BINS, rtol=0.01)
    groups = told(p, p > 2, parts, times)
    assert sum(g["rows"] for g in groups) == len(p)
    assert [g["predicted"] for g in groups] == sorted(g["predicted"] for g in groups)


@pytest.mark.parametrize(
    ("p", "y", "says"),
    [
        ([0.1, 2.0], [0, 1], r"probabilities, in \[0, 1\]. Logits\?"),
        ([0.1, 0.2], [0], "must be"),
        ([0.1, 0.2], [0, 2], "whole numbers from 0 to 1"),
        ({str(k): [0.5] for k in range(9)}, [1], "can be told apart"),
    ],
)
def test_what_does_not_fit_is_said(p, y, says):
    with pytest.raises(ValueError, match=says):
        sy.plot.reliability(p, y)
