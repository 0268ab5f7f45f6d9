"""What the pictures do not take, and numbers that they show.

Files: plot/counts.py, plot/exchange.py, plot/explanation.py, plot/history.py, plot/map.py, plot/study.py.
"""

import json

import numpy as np
import pytest

import steelyard as sy
from steelyard.plot.map import _largest
from steelyard.rule.history import History

MASK = np.array([[0, 1], [1, 0]])


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: sy.plot.counts([9, 1]), TypeError, "takes Counts, got list"),
        (lambda: sy.plot.counts(sy.Counts([])), ValueError, "no class to draw"),
        (lambda: sy.plot.explanation({}), TypeError, "takes what sy.explain"),
        (lambda: sy.plot.study({}), TypeError, "takes what sy.tune returns"),
        (lambda: sy.plot.exchange([0.1]), TypeError, "or p and y"),
        (lambda: sy.plot.exchange([0.1, 0.9], [0, 1], rate=0), ValueError, "rate must be"),
        (lambda: sy.plot.history(History(())), ValueError, "nothing is recorded"),
        (lambda: sy.plot.history(3), TypeError, "takes a History"),
        (lambda: sy.plot.history(History(({"step": 1.0},))), ValueError, "no numbers in it"),
        (lambda: sy.plot.map(np.ones((3, 2)), MASK), ValueError, "must have the same shape"),
        (lambda: sy.plot.map(np.ones(2), MASK[0]), ValueError, r"must be \[H, W\] or"),
        (lambda: sy.plot.map(np.ones((2, 2)), MASK, np.ones((4, 4))), ValueError, "like the mask"),
        (lambda: sy.plot.map(np.ones((2, 2)), MASK, at=1), ValueError, "names a slice of a volume"),
        (lambda: sy.plot.map(np.ones((1, 2, 2)), MASK[None], at=3), ValueError, "is no slice"),
    ],
)
def test_what_does_not_fit_is_said(call, error, says):
    with pytest.raises(error, match=says):
        call()


def test_an_exchange_shows_misses_against_alarms_and_where_to_stop():
    pytest.importorskip("altair")
    p, y = [0.9, 0.8, 0.7, 0.6, 0.5, 0.4], [1, 0, 1, 0, 0, 0]
    spec = sy.plot.exchange(p, y, rate=2.0).to_dict()
    name = next(one["data"]["name"] for one in spec["hconcat"][0]["layer"] if one["mark"]["type"] == "line")
    rows = spec["datasets"][name]
    assert [(row["x"], row["y"]) for row in rows] == [(0, 2), (0, 1), (1, 0), (4, 0)]
    assert f"threshold {sy.calibrate.exchange(p, y).at(2.0):.3g}" in json.dumps(spec)


def test_shares_of_an_explanation_are_those_it_says():
    pytest.importorskip("altair")
    counts = sy.Counts.of(900, 100)
    said = sy.explain(sy.inverse_frequency(counts, beta=0.5), counts)
    text = json.dumps(sy.plot.explanation(said).to_dict())
    for outcome in said.outcomes:
        assert f"{outcome.name}: share of the loss {100 * outcome.loss_share:.3g} %" in text
        assert f"{outcome.name}: implied prior {100 * outcome.implied_prior:.3g} %" in text


def test_a_large_map_keeps_its_largest_weights():
    weight = np.ones((1001, 7))
    weight[500, 3] = 9.0
    small = _largest(weight, 3)
    assert small.shape == (334, 3)
    assert small.max() == 9.0
    assert (small == 9).sum() == 1
