"""What is chosen on weighted rows is what would be chosen on rows that stand so many times, for every metric."""

import dataclasses
from typing import Any

import numpy as np
import pytest

from steelyard.calibrate.scaling import fit
from steelyard.tuning.baselines import majority, prior_shift
from steelyard.tuning.evaluator import Evaluator
from steelyard.tuning.goals import metric
from steelyard.tuning.metric import DECISION, METRICS, Metric
from steelyard.tuning.split import Split
from steelyard.tuning.validation.crossfit import OutOfFold
from steelyard.tuning.validation.cuts import decide
from steelyard.tuning.validation.folds import split
from steelyard.tuning.validation.outcomes import outcomes
from steelyard.tuning.validation.sweep import Room

SETTINGS = np.array([0.1, 1.0, 10.0])


def judged(name: str, classes: int) -> Metric:
    if name == "expected_cost" and classes > 2:
        return metric(name, classes, cost_matrix=[[0, 1, 2], [4, 0, 1], [9, 3, 0]])
    more: dict[str, Any] = {"expected_cost": {"cost_fn": 7.0}, "recall_at_capacity": {"capacity": 0.2}}
    return metric(name, classes, **more.get(name, {}))


def weighted(classes: int, kind: str) -> tuple[OutOfFold, np.ndarray]:
    rng = np.random.default_rng(classes)
    n = 90
    y = rng.choice(classes, size=n, p=[0.75, 0.25] if classes == 2 else [0.6, 0.25, 0.15])
    groups, time = (np.arange(n) // 2 if kind == "grouped" else None), (np.arange(n) if kind == "time" else None)
    made_split = split(y, folds=3, repeats=2, groups=groups, time=time)
    quality = np.array([0.5, 1.5, 1.4])[None, :, None, None]
    if classes == 2:
        z = rng.normal(size=(2, 3, made_split.repetitions, n)) + quality * (y - 0.5)
    else:
        z = rng.normal(size=(2, 3, made_split.repetitions, n, classes)) + quality[..., None] * np.eye(classes)[y]
        z -= np.log(np.exp(z).sum(axis=-1, keepdims=True))
    z[:, :, made_split.held < 0] = np.nan
    k = rng.integers(1, 6, n)
    return OutOfFold(z.astype(np.float32), y, made_split, SETTINGS, classes, weights=k.astype(np.float64)), k


def repeated(out: OutOfFold, k: np.ndarray) -> OutOfFold:
    held, order = out.split.held, out.split.order
    times = np.repeat(np.arange(len(k)), k)
    again = Split(out.split.kind, held[:, times], order=None if order is None else np.arange(len(times)))
    return dataclasses.replace(out, scores=out.scores[:, :, :, times], y=out.y[times], split=again, weights=None)


@pytest.mark.parametrize("kind", ["stratified", "time"])
@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("name", METRICS)
def test_settings_thresholds_and_values_are_those_of_repeated_rows(name, classes, kind):
    if METRICS[name].two_classes and classes > 2:
        return
    out, k = weighted(classes, kind)
    many, m = repeated(out, k), judged(name, classes)
    choice, other = out.choose(m), many.choose(m)
    np.testing.assert_array_equal(choice.picked, other.picked)
    np.testing.assert_array_equal(choice.final, other.final)
    np.testing.assert_allclose(choice.overall, other.overall, rtol=1e-9)
    if m.kind == DECISION:
        np.testing.assert_allclose(decide(choice, m)[1], decide(other, m)[1], rtol=1e-9)
    if m.capacity is not None:
        return  # which of the tied rows are taken is drawn
    rows, again = out.split.judged, many.split.judged
    value = Evaluator(m, outcomes(choice, m)[:, 0, rows], out.y[rows], classes)(k[rows].astype(np.float64))
    np.testing.assert_allclose(
        value, Evaluator(m, outcomes(other, m)[:, 0, again], many.y[again], classes)(), rtol=2e-6
    )


@pytest.mark.parametrize("baseline", [majority, lambda out, m: prior_shift(out, out.scores[0, 0], m)])
@pytest.mark.parametrize("name", ["log_loss", "balanced_accuracy", "expected_cost"])
def test_baselines_know_the_weighted_shares(baseline, name):
    out, k = weighted(2, "stratified")
    m = judged(name, 2)
    np.testing.assert_allclose(np.repeat(baseline(out, m), k, axis=1), baseline(repeated(out, k), m), rtol=1e-6)


@pytest.mark.parametrize("classes", [2, 3])
def test_a_recalibration_is_that_of_repeated_rows(classes):
    rng = np.random.default_rng(0)
    y, k = rng.integers(0, classes, 60), rng.integers(1, 5, 60)
    z = rng.normal(size=60) + y if classes == 2 else rng.normal(size=(60, classes)) + np.eye(classes)[y]
    one, many = fit(z, y, k.astype(np.float64)), fit(np.repeat(z, k, axis=0), np.repeat(y, k))
    assert one.slope == pytest.approx(many.slope)
    np.testing.assert_allclose(one.bias, many.bias, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("capacity", [0.01, 0.1, 0.5, 0.9999])
def test_room_is_filled_by_weights(capacity):
    rng = np.random.default_rng(0)
    for score in (rng.normal(size=300), rng.integers(0, 4, 300).astype(float)):
        k = rng.integers(1, 5, 300)
        found, drawn = Room.of(score, capacity, k.astype(np.float64)), rng.random((2000, 300))
        assert found.sure == Room.of(np.repeat(score, k), capacity).sure
        mass = np.mean([found.says(score, d) @ k for d in drawn])
        assert mass == pytest.approx(capacity * k.sum(), rel=0.05)
