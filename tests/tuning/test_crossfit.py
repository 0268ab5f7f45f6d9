"""What is tuned is chosen on the other folds, and chosen best."""

import numpy as np
import pytest

from steelyard.tuning.crossfit import SHIFTS, OutOfFold, Sweep
from steelyard.tuning.metrics import METRICS, Evaluator, metric
from steelyard.tuning.split import count_folds, folds

COST = metric("expected_cost", 2, cost_fn=20, cost_fp=1)
STRENGTHS = np.array([0.1, 1.0, 10.0])


def scores(classes: int = 2, seed: int = 0):
    """[arms, strengths, repetitions, rows(, C)] with better scores at the second strength."""
    rng = np.random.default_rng(seed)
    y = rng.choice(classes, size=120, p=[0.75, 0.25] if classes == 2 else [0.6, 0.25, 0.15])
    held = folds(y, folds=4, repeats=3, seed=seed)
    quality = np.array([0.3, 2.0, 0.6])[None, :, None, None]
    if classes == 2:
        made = rng.normal(size=(2, 3, 3, 120)) + quality * (y - 0.5)
    else:
        z = rng.normal(size=(2, 3, 3, 120, classes)) + quality[..., None] * np.eye(classes)[y]
        made = z - np.log(np.exp(z).sum(axis=-1, keepdims=True))
    return OutOfFold(made, y, held, STRENGTHS, classes)


@pytest.mark.parametrize("name", ["balanced_accuracy", "f1", "mcc", "expected_cost"])
def test_no_threshold_does_better(name):
    rng = np.random.default_rng(4)
    m = COST if name == "expected_cost" else METRICS[name]
    y = (rng.random(150) < 0.2).astype(np.int64)
    score = np.round(rng.normal(size=150) + y, 1)
    assert len(np.unique(score)) < 100  # ties
    cut = Sweep.of(score, y).best(m)
    tried = [-np.inf, *(np.unique(score) + 0.05), np.inf]
    value = Evaluator(m, np.array([score >= t for t in [cut, *tried]], dtype=np.int64), y, 2)()
    assert value[0] == pytest.approx(value[1:].max() if m.higher else value[1:].min())
    assert cut not in score


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("name", ["balanced_accuracy", "mcc"])
def test_a_fold_does_not_see_its_own_labels(classes, name):
    """Other labels in fold 2 of repetition 1 change nothing that was chosen for it."""
    out = scores(classes)
    rows = out.held[1] == 2
    y = out.y.copy()
    y[rows] = (y[rows] + 1) % classes
    changed = OutOfFold(out.scores, y, out.held, out.strengths, classes)
    m = METRICS[name]
    first, second = out.choose(METRICS["log_loss"]), changed.choose(METRICS["log_loss"])
    np.testing.assert_array_equal(first.picked[:, 1, 2], second.picked[:, 1, 2])
    if classes == 2:  # with more, the shares of the classes enter as a constant of the whole table
        np.testing.assert_array_equal(first.decide(m)[0][:, 1, rows], second.decide(m)[0][:, 1, rows])


@pytest.mark.parametrize("name", ["average_precision", "roc_auc", "log_loss"])
def test_the_better_strength_is_found_outside_every_fold(name):
    choice = scores().choose(METRICS[name])
    assert np.all(choice.picked == 1)
    assert np.all(choice.final == 1)
    np.testing.assert_array_equal(choice.pooled, choice.source.scores[:, 1])


def test_among_equal_strengths_the_nearest_to_the_default_is_taken():
    out = scores()
    same = OutOfFold(np.repeat(out.scores[:, :1], 3, axis=1), out.y, out.held, out.strengths, 2)
    assert np.all(same.choose(METRICS["roc_auc"]).picked == 1)


def test_an_edge_is_reported_only_where_the_metric_still_rises():
    out = scores()
    falling = OutOfFold(out.scores[:, [1, 2, 0]], out.y, out.held, out.strengths, 2)
    assert out.choose(METRICS["roc_auc"]).edges(0.001) == (False, False)
    assert falling.choose(METRICS["roc_auc"]).edges(0.001) == (True, False)
    assert falling.choose(METRICS["roc_auc"]).edges(0.9) == (False, False)


def test_plain_and_arms_are_tuned_by_one_rule():
    out = scores()
    twins = OutOfFold(out.scores[[0, 0]], out.y, out.held, out.strengths, 2)
    choice = twins.choose(METRICS["log_loss"])
    decided, cuts = choice.decide(METRICS["f1"])
    np.testing.assert_array_equal(decided[0], decided[1])
    np.testing.assert_array_equal(cuts[0], cuts[1])


def test_more_classes_are_decided_by_a_prior_shift():
    rng = np.random.default_rng(0)
    y = rng.choice(3, size=900, p=[0.8, 0.15, 0.05])
    z = rng.normal(size=(900, 3)) + 1.5 * np.eye(3)[y]
    odds = 1.5 * z + np.log([0.8, 0.15, 0.05])  # the posterior of this generator
    logp = odds - np.log(np.exp(odds).sum(axis=1, keepdims=True))
    out = OutOfFold(np.stack([logp] * 3)[None, None], y, folds(y, folds=5, repeats=3), np.array([1.0]), 3)
    choice = out.choose(METRICS["log_loss"])
    decided, taus = choice.decide(METRICS["balanced_accuracy"])
    balanced = Evaluator(METRICS["balanced_accuracy"], np.stack([logp.argmax(axis=1), decided[0, 0]]), y, 3)()
    assert balanced[1] > balanced[0] + 0.1
    assert np.all((taus > 0.6) & (taus < SHIFTS[-1]))  # dividing by the shares (tau = 1) is optimal in truth


def test_every_row_is_held_out_once_per_repetition_in_stratified_folds():
    y = np.repeat([0, 1], [95, 25])
    held = folds(y, folds=5, repeats=4, seed=3)
    assert held.shape == (4, 120)
    for repetition in held:
        np.testing.assert_array_equal(np.bincount(repetition[y == 1]), 5)
        np.testing.assert_array_equal(np.bincount(repetition[y == 0]), 19)
    assert len({r.tobytes() for r in held}) == 4
    np.testing.assert_array_equal(held, folds(y, folds=5, repeats=4, seed=3))


@pytest.mark.parametrize(("rare", "expected"), [(2, 2), (9, 2), (13, 3), (20, 5), (400, 5)])
def test_folds_hold_four_rows_of_the_rarest_class(rare, expected):
    assert count_folds(np.repeat([0, 1], [1000, rare]), 5) == expected


def test_a_single_row_cannot_be_held_out():
    with pytest.raises(ValueError, match="needs 2"):
        count_folds(np.repeat([0, 1], [10, 1]), 5)
