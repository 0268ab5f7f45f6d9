"""The exchange curve against brute force over all thresholds and scipy's convex hull."""

import math

import numpy as np
import pytest
import torch

from steelyard import threshold
from steelyard.calibrate.exchange import exchange, hull

spatial = pytest.importorskip("scipy.spatial")


def draw(seed, n=200):
    rng = np.random.default_rng(seed)
    y = (rng.random(n) < 0.25).astype(int)
    y[:2] = 0, 1
    return np.round(np.clip(rng.normal(0.35 + 0.2 * y, 0.2), 0, 1), 2), y


@pytest.mark.parametrize("seed", range(6))
def test_the_steps_are_the_corners_of_the_convex_hull(seed):
    p, y = draw(seed)
    found = exchange(p, y)
    points = [(sum((p >= t) & (y == 0)), sum((p >= t) & (y == 1))) for t in [*np.unique(p), 2]]
    corners = np.array([*points, (points[0][0], 0)])  # the corner below right closes the shape
    expected = {tuple(corners[i]) for i in spatial.ConvexHull(corners).vertices} - {(points[0][0], 0)}
    assert {(int(a), int(h)) for a, h in zip(found.alarms, found.hits, strict=True)} == expected


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("rate", [0.3, 1, 2.5, 8, 100])
def test_a_rate_of_exchange_is_a_ratio_of_costs(seed, rate):
    p, y = draw(seed)
    cuts = [math.inf, *np.unique(p), -math.inf]
    least = min(rate * np.sum((p < t) & (y == 1)) + np.sum((p >= t) & (y == 0)) for t in cuts)
    for t in (exchange(p, y).at(rate), threshold(p, y, exchange=rate)):
        assert rate * np.sum((p < t) & (y == 1)) + np.sum((p >= t) & (y == 0)) == pytest.approx(least)
    assert exchange(p, y).at(rate) == threshold(p, y, cost_fn=rate, cost_fp=1) == threshold(p, y, exchange=rate)


@pytest.mark.parametrize("seed", range(3))
def test_every_step_counts_what_its_threshold_calls_and_costs_more_than_the_one_before(seed):
    p, y = draw(seed)
    found = exchange(p, y)
    for t, hits, alarms, average in zip(found.threshold, found.hits, found.alarms, found.average, strict=True):
        assert hits == np.sum((p >= t) & (y == 1))
        assert alarms == np.sum((p >= t) & (y == 0))
        assert average * hits == pytest.approx(alarms)
    rates = found.marginal[1:]
    assert np.all(np.diff(rates[np.isfinite(rates)]) > 0)
    assert found.threshold[0] == math.inf
    assert found.threshold[-1] == -math.inf


def test_a_long_bowl_and_a_long_arch_are_walked_to_the_end():
    """Rounds of pruning are not enough for a chain that falls one by one."""
    arch = np.cumsum(np.arange(300, 0, -1)).astype(float)
    alarms = np.arange(301.0)
    hits = np.append(0.0, arch)
    assert len(hull(hits, alarms)) == 301
    jump = np.append(hits, hits[-1] + 1e7)  # the last point puts all of the arch below one chord
    assert hull(jump, np.append(alarms, 301.0)).tolist() == [0, 301]
    assert hull(np.append(0.0, np.cumsum(np.arange(300.0))), alarms).tolist() == [0, 300]


def test_ties_tensors_and_constant_scores():
    found = exchange(torch.full((5,), 0.5), torch.tensor([0, 1, 0, 0, 1]))
    assert found.to_dict() == {
        "threshold": [math.inf, -math.inf],
        "hits": [0.0, 2.0],
        "alarms": [0.0, 3.0],
        "marginal": [0.0, 1.5],
        "average": [0.0, 1.5],
    }


def test_bad_calls_are_named():
    with pytest.raises(ValueError, match="exchange: y has only one class"):
        exchange([0.1, 0.2], [1, 1])
    with pytest.raises(ValueError, match="rate must be a number"):
        exchange([0.1, 0.2], [0, 1]).at(0)
