"""Steps of more than two classes: what the search finds is what trying every move finds, and chance moves nothing."""

import dataclasses

import numpy as np
import pytest

from steelyard.tuning.metric import METRICS
from steelyard.tuning.validation import steps as room
from steelyard.tuning.validation.steps import REACH, WIDTH, _tables, clear, decisions, refined, tables

BALANCED, MACRO = METRICS["balanced_accuracy"], METRICS["macro_f1"]


@pytest.fixture(params=["core", "numpy"])
def way(request, monkeypatch):
    if request.param == "numpy":
        monkeypatch.setattr(room, "THERE", False)
    elif not room.THERE:
        pytest.skip("the C++ core is not there")


def posterior(seed: int, rows: int = 3000, shares=(0.7, 0.2, 0.07, 0.03)):
    """Log-posterior of normal classes, labels, and five parts."""
    rng = np.random.default_rng(seed)
    C = len(shares)
    y = rng.choice(C, size=rows, p=shares)
    z = rng.normal(size=(rows, C)) + 1.5 * np.eye(C)[y]
    odds = 1.5 * z + np.log(shares)
    return odds - np.log(np.exp(odds).sum(axis=1, keepdims=True)), y, rng.integers(5, size=rows)


@pytest.mark.parametrize("c", range(4))
@pytest.mark.parametrize("weighted", [False, True])
def test_tables_of_moves_are_those_of_decisions(c, weighted, way):
    logp, y, part = posterior(0, 400)
    weights = np.random.default_rng(1).random(400) if weighted else None
    steps = np.array([0.0, -0.7, -1.1, 0.3])
    found = _tables(logp - steps, c, y, part, weights)
    for i in range(2 * REACH + 1):
        moved = steps.copy()
        moved[c] += WIDTH * (i - REACH)
        expected = np.zeros((5, 4, 4))
        np.add.at(expected, (part, y, decisions(BALANCED, logp, moved)), 1.0 if weights is None else weights)
        np.testing.assert_allclose(found[:, i], expected, atol=1e-9)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("weighted", [False, True])
def test_tables_of_steps_are_those_of_decisions(dtype, weighted, way):
    """Where many probabilities are equal, too: the first of them is decided. An unknown row counts in its own cell alone."""
    logp, y, part = posterior(3, 500)
    logp[:200] = np.round(logp[:200])
    logp[200:220, 1], logp[220:230], part[220:230] = -np.inf, np.nan, 5
    logp = logp.astype(dtype)
    weights = np.random.default_rng(1).random(500) if weighted else None
    tried = np.array([[0.0, 0.0, 0.0, 0.0], [1.0, -1.0, 0.0, 2.0], [0.3, -0.7, -1.1, 0.3]])
    found = tables(BALANCED, logp, tried, part * 4 + y, 24, weights).reshape(3, 6, 4, 4)
    for steps, one in zip(tried, found, strict=True):
        expected = np.zeros((6, 4, 4))
        np.add.at(expected, (part, y, decisions(BALANCED, logp, steps)), 1.0 if weights is None else weights)
        np.testing.assert_allclose(one[:5], expected[:5], atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_core_finds_the_steps_that_numpy_finds(dtype, monkeypatch):
    if not room.THERE:
        pytest.skip("the C++ core is not there")
    moved = 0
    for seed in range(5):
        logp, y, part = posterior(seed, 700)
        logp, weights = (
            (np.round(logp, 1) + np.array([0, 0, 1.2, 0])).astype(dtype),
            np.random.default_rng(seed).random(700),
        )
        found = [refined(MACRO, logp, y, part, w, np.zeros(4)) for w in (None, weights)]
        with monkeypatch.context() as without:
            without.setattr(room, "THERE", False)
            again = [refined(MACRO, logp, y, part, w, np.zeros(4)) for w in (None, weights)]
        np.testing.assert_array_equal(found, again)
        moved += np.any(found)
    assert moved


def test_a_class_whose_probabilities_are_too_high_is_brought_down_alone():
    logp, y, part = posterior(0)
    right = np.log([0.7, 0.2, 0.07, 0.03])
    bent = logp + np.array([0, 0, 1.2, 0])
    steps = refined(BALANCED, bent, y, part, None, right)
    assert steps[2] - right[2] == pytest.approx(1.2, abs=0.45)
    for metric in (BALANCED, MACRO):
        found = refined(metric, bent, y, part, None, right)
        logp2, y2, _ = posterior(1, 20_000)
        value = [_value(metric, logp2 + np.array([0, 0, 1.2, 0]), y2, s) for s in (right, found)]
        assert value[1] > value[0] + 0.01


def _value(metric, logp, y, steps):
    tables = np.zeros((1, 4, 4))
    np.add.at(tables, (0, y, decisions(metric, logp, steps)), 1.0)
    return metric.of_tables(tables)[0]


def test_at_the_optimum_chance_costs_next_to_nothing():
    """Four free numbers on 300 rows, nine of the rarest class: fresh rows lose little by what was chosen."""
    lost = []
    right = np.log([0.7, 0.2, 0.07, 0.03])
    unseen = posterior(99, 50_000)
    for seed in range(12):
        logp, y, part = posterior(seed, 300)
        if len(np.unique(y)) == 4:
            steps = refined(BALANCED, logp, y, part, None, right)
            lost.append(_value(BALANCED, *unseen[:2], right) - _value(BALANCED, *unseen[:2], steps))
    assert np.mean(lost) < 0.02


def test_one_part_and_costs_keep_the_steps():
    logp, y, part = posterior(0, 300)
    zero = np.zeros(4)
    priced = dataclasses.replace(
        METRICS["expected_cost"], cost_matrix=tuple(map(tuple, (np.arange(1.0, 5)[:, None] * (1 - np.eye(4))).tolist()))
    )
    assert refined(BALANCED, logp, y, np.zeros(300, np.int64), None, zero) is zero
    assert refined(priced, logp, y, part, None, zero) is zero
    said = decisions(priced, logp, zero)
    np.testing.assert_array_equal(said, (np.exp(logp) @ np.array(priced.cost_matrix)).argmin(axis=1))


def test_a_gain_is_clear_beyond_its_standard_error():
    assert clear(np.array([0.1]))
    assert not clear(np.array([0.0]))
    assert clear(np.array([0.1, 0.2, 0.3]))
    assert not clear(np.array([0.3, -0.2, -0.05]))
    assert not clear(np.array([-0.1, -0.1]))
