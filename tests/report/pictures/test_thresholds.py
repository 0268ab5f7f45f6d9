"""Charts along the threshold are the counts that were kept."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.report.drawn import by_key

from steelyard.calibrate.exchange import exchange
from steelyard.report.evidence import Cut
from steelyard.report.pictures.thresholds import bought


def points(picture, series):
    return [p for p in picture.spec["datasets"]["points"] if p["series"] == series]


def test_precision_recall_and_roc_follow_the_kept_counts(kept):
    drawn = by_key(kept)
    third = next(p for p in points(drawn["precision-recall"], "plain") if p["i"] == 2)
    assert (third["x"], third["y"]) == pytest.approx((30.5 / 50, 30.5 / 60))
    third = next(p for p in points(drawn["roc"], "plain") if p["i"] == 2)
    assert (third["x"], third["y"]) == pytest.approx((29.5 / 950, 30.5 / 50), rel=1e-5)


@given(st.integers(0, 10_000))
def test_the_exchange_curve_is_that_of_calibrate(seed):
    rng = np.random.default_rng(seed)
    y = np.append(rng.integers(0, 2, 28), [0, 1])
    p = np.round(np.clip(rng.normal(0.3 + 0.3 * y, 0.2), 0.01, 0.99), 2)
    t = np.unique(np.append(p, 1.0))
    table = [Cut(*map(float, (c, (p >= c) @ y, (p >= c) @ (1 - y), (p < c) @ y, (p < c) @ (1 - y)))) for c in t]
    curve = exchange(p, y)
    keep = np.isfinite(curve.marginal) & (curve.hits > 0)
    found = bought(table)[1:]
    np.testing.assert_allclose([x for x, _ in found], curve.hits[keep] / y.sum())
    np.testing.assert_allclose([v for _, v in found], curve.marginal[keep])
