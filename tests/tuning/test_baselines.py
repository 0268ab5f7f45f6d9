"""What people do without weights: rules that need no fits, and rows drawn anew until the classes are even."""

import numpy as np
import pytest
from tests.tuning.validation.test_crossfit import COST, MATRIX, ROOM, scores

from steelyard import Counts, Recipe
from steelyard.tuning import baselines
from steelyard.tuning.baselines import resampled
from steelyard.tuning.evaluator import Evaluator
from steelyard.tuning.metric import METRICS
from steelyard.tuning.models.linear import LinearModel
from steelyard.tuning.models.model import Fit
from steelyard.tuning.resampling import NAMES, repeated, resample
from steelyard.tuning.validation.crossfit import Choice
from steelyard.tuning.validation.outcomes import outcomes


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    y = (np.arange(200) < 20).astype(int)
    return rng.normal(size=(200, 3)) + y[:, None], y


@pytest.mark.parametrize("name", NAMES)
def test_classes_come_out_even_and_the_same_for_the_same_seed(name, data):
    X, y, _ = resample(name, *data, seed=3)
    assert np.bincount(y).tolist() == ([20, 20] if name == "random undersampling" else [180, 180])
    again = resample(name, *data, seed=3)
    np.testing.assert_array_equal(X, again[0])
    other = resample(name, *data, seed=4)
    assert not np.array_equal(X, other[0])


@pytest.mark.parametrize("name", ["random oversampling", "random undersampling"])
def test_rows_are_drawn_from_those_there_are(name, data):
    X, y, _ = resample(name, *data, seed=0)
    known = {(*row, label) for row, label in zip(data[0].tolist(), data[1].tolist(), strict=True)}
    assert {(*row, label) for row, label in zip(X.tolist(), y.tolist(), strict=True)} <= known


@pytest.mark.parametrize("weighted", [False, True])
def test_rows_that_were_drawn_again_and_again_are_one_row_that_counts_as_often(data, weighted):
    """To a model that is fitted to its optimum."""
    X, y = data
    own = np.random.default_rng(1).uniform(0.5, 2, len(y)) if weighted else None
    often, labels, times = resample("random oversampling", X, y, 3, own)
    once, same, counted = repeated(X, y, 3, own)
    assert len(once) == len(y) < len(often)
    assert counted.sum() == pytest.approx(len(often) if times is None else times.sum())
    recipe, strength = [Recipe(classes=("no", "yes"))], np.array([0.3])
    model = LinearModel()
    expected = model.fit(Fit(often, labels, recipe, strength, weights=times)).theta
    np.testing.assert_allclose(model.fit(Fit(once, same, recipe, strength, weights=counted)).theta, expected, atol=1e-6)


def test_even_classes_are_undone_like_balanced_weights():
    recipe = resampled(100)[0].recipe(Counts.of(900, 100))
    assert recipe.label_weights().tolist() == pytest.approx([900 / 1620, 5.0], rel=0.2)
    assert recipe.label_weights()[1] / recipe.label_weights()[0] == pytest.approx(9)


def test_smote_needs_neighbours_and_no_gaps():
    assert [a.name for a in resampled(100)] == list(NAMES)
    assert "SMOTE" not in [a.name for a in resampled(5)]
    assert "SMOTE" not in [a.name for a in resampled(100, gaps=True)]


def test_baseline_rules_by_hand():
    out = scores()
    plain = out.choose(METRICS["log_loss"]).every(Choice.pool)[0]
    np.testing.assert_array_equal(baselines.at_half(out, plain, METRICS["f1"]), plain >= 0)
    np.testing.assert_array_equal(baselines.at_half(out, plain, METRICS["roc_auc"]), plain)
    shifted = baselines.prior_shift(out, plain, METRICS["balanced_accuracy"])
    for a, f in out.split.parts():
        rows, share = out.split.out(a, f), out.y[out.split.train(a, f)].mean()
        np.testing.assert_array_equal(shifted[a, rows], 1 / (1 + np.exp(-plain[a, rows])) >= share)
        flat = baselines.majority(out, METRICS["log_loss"])[a, rows]
        np.testing.assert_allclose(1 / (1 + np.exp(-flat)), share, rtol=1e-6)
    assert not baselines.majority(out, METRICS["f1"]).any()
    assert baselines.majority(out, COST).all()  # missing one costs twenty
    value = Evaluator(METRICS["roc_auc"], baselines.majority(out, METRICS["roc_auc"]), out.y, 2)()
    np.testing.assert_array_equal(value, 0.5)
    assert baselines.prior_shift(out, plain, ROOM).mean() <= 0.2 + 1e-9


@pytest.mark.parametrize("kind", ["stratified", "time"])
@pytest.mark.parametrize("classes", [2, 3])
def test_baseline_rules_can_be_judged_by_every_metric(classes, kind):
    out = scores(classes, kind=kind)
    judged = out.split.judged
    cost = COST if classes == 2 else MATRIX
    for m in [*METRICS.values(), cost, ROOM]:
        if (m.two_classes and classes > 2) or m in (METRICS["expected_cost"], METRICS["recall_at_capacity"]):
            continue
        plain = outcomes(out.choose(m), m)[0] if m.recalibrated else out.choose(m).every(Choice.pool)[0]
        for found in (
            baselines.majority(out, m),
            baselines.at_half(out, plain, m),
            baselines.prior_shift(out, plain, m),
        ):
            assert found.shape[:2] == out.split.held.shape
            assert np.isfinite(Evaluator(m, found[:, judged], out.y[judged], classes)()).all()
