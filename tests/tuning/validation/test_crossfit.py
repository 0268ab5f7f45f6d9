"""What is tuned is chosen on the other folds, and chosen best.

Files: tuning/validation/cuts.py, tuning/validation/outcomes.py, tuning/validation/sweep.py.
"""

import dataclasses

import numpy as np
import pytest
import sklearn.metrics as sk

from steelyard.tuning.evaluator import Evaluator
from steelyard.tuning.goals import metric
from steelyard.tuning.metric import METRICS
from steelyard.tuning.split import Split
from steelyard.tuning.validation.crossfit import Choice, OutOfFold, criterion
from steelyard.tuning.validation.cuts import UNJUDGED, decide
from steelyard.tuning.validation.folds import split
from steelyard.tuning.validation.outcomes import outcomes, recalibrated
from steelyard.tuning.validation.sweep import Room, Sweep

COST = metric("expected_cost", 2, cost_fn=20, cost_fp=1)
ROOM = metric("recall_at_capacity", 2, capacity=0.2)
MATRIX = metric("expected_cost", 3, cost_matrix=[[0, 1, 2], [4, 0, 1], [30, 8, 0]])
SETTINGS = np.array([0.1, 1.0, 10.0])


def scores(classes: int = 2, seed: int = 0, kind: str = "stratified"):
    """[arms, settings, repetitions, rows(, C)] with better scores at the second setting."""
    rng = np.random.default_rng(seed)
    y = rng.choice(classes, size=120, p=[0.75, 0.25] if classes == 2 else [0.6, 0.25, 0.15])
    groups, time = (np.arange(120) // 3 if kind == "grouped" else None), (np.arange(120) if kind == "time" else None)
    made_split = split(y, folds=4, repeats=3, seed=seed, groups=groups, time=time, gap=2 if kind == "time" else 0)
    r = made_split.repetitions
    quality = np.array([0.3, 2.0, 0.6])[None, :, None, None]
    if classes == 2:
        made = rng.normal(size=(2, 3, r, 120)) + quality * (y - 0.5)
    else:
        z = rng.normal(size=(2, 3, r, 120, classes)) + quality[..., None] * np.eye(classes)[y]
        made = z - np.log(np.exp(z).sum(axis=-1, keepdims=True))
    made = made.astype(np.float32)
    made[:, :, made_split.held < 0] = np.nan
    return OutOfFold(made, y, made_split, SETTINGS, classes)


@pytest.mark.parametrize("name", ["balanced_accuracy", "f1", "mcc", "macro_f1", "expected_cost"])
@pytest.mark.parametrize("seed", range(5))
def test_no_threshold_does_better(name, seed):
    rng = np.random.default_rng(seed)
    m = COST if name == "expected_cost" else METRICS[name]
    y = (rng.random(150) < 0.2).astype(np.int64)
    score = np.round(rng.normal(size=150) + y, 1)
    assert len(np.unique(score)) < 100  # ties
    sweep = Sweep.of(score, y)
    cut = sweep.best(m)
    tried = [-np.inf, *(np.unique(score) + 0.05), np.inf]
    value = Evaluator(m, np.array([score >= t for t in [cut, *tried]], dtype=np.int64), y, 2)()
    assert value[0] == pytest.approx(value[1:].max() if m.higher else value[1:].min())
    assert cut not in score
    if name != "macro_f1":
        assert sweep.hull().best(m) == cut


@pytest.mark.parametrize(
    "name", ["balanced_accuracy", "mcc", "expected_cost", "recall_at_capacity", "log_loss_recalibrated"]
)
@pytest.mark.parametrize("kind", ["stratified", "grouped"])
@pytest.mark.parametrize("classes", [2, 3])
def test_a_fold_does_not_see_its_own_labels(classes, kind, name):
    """Other labels in fold 2 of repetition 1 change nothing that was chosen for it."""
    special = {"expected_cost": COST if classes == 2 else MATRIX, "recall_at_capacity": ROOM}
    m = special.get(name) or METRICS[name]
    if m.two_classes and classes > 2:
        return
    out = scores(classes, kind=kind)
    rows = out.split.held[1] == 2
    y = out.y.copy()
    y[rows] = np.random.default_rng(0).permutation(
        y[rows]
    )  # the shares of the classes are a constant of the whole table
    assert (y != out.y).sum() > 4
    first, second = out.choose(m), dataclasses.replace(out, y=y).choose(m)
    np.testing.assert_array_equal(first.picked[:, 1, 2], second.picked[:, 1, 2])
    np.testing.assert_array_equal(outcomes(first, m)[:, 1, rows], outcomes(second, m)[:, 1, rows])


@pytest.mark.parametrize("name", ["balanced_accuracy", "log_loss_recalibrated", "f1"])
def test_in_time_nothing_is_chosen_from_later_rows_or_rows_in_the_gap(name):
    m, out = METRICS[name], scores(kind="time")
    order, held = out.split.order, out.split.held[0]
    assert order is not None
    begins = order[held == 2].min()
    later = order >= begins - out.split.gap
    changed = out.scores.copy()
    changed[..., later & (held != 2)] += np.random.default_rng(1).normal(size=np.sum(later & (held != 2)))
    y = np.where(later, 1 - out.y, out.y)
    first, second = out.choose(m), dataclasses.replace(out, y=y, scores=changed).choose(m)
    assert np.all(first.picked[..., 2] == second.picked[..., 2])
    np.testing.assert_array_equal(outcomes(first, m)[..., held == 2], outcomes(second, m)[..., held == 2])


def test_in_time_the_first_block_takes_the_default_setting_and_is_not_judged():
    out = scores(kind="time")
    choice = out.choose(METRICS["roc_auc"])
    held = out.split.held[0]
    assert np.all(choice.picked[:, 0, 0] == 1)
    assert np.all(np.isnan(choice.every(Choice.pool)[:, 0, held < 0]))
    assert np.all(np.isfinite(choice.every(Choice.pool)[:, 0, held >= 0]))
    decided, cuts = decide(choice, METRICS["f1"])
    assert np.all(decided[:, 0, held < 1] == UNJUDGED)
    assert set(np.unique(decided[:, 0, held >= 1])) <= {0, 1}
    judged = out.split.judged
    best = Sweep.of(choice.every(Choice.pool)[0, 0][judged], out.y[judged]).best(METRICS["f1"])
    assert cuts[0, 0] == best
    changed = out.scores.copy()
    changed[..., held == 0] = np.random.default_rng(0).normal(size=np.sum(held == 0))
    np.testing.assert_array_equal(
        choice.overall, dataclasses.replace(out, scores=changed).choose(METRICS["roc_auc"]).overall
    )


def test_a_judged_block_without_tuning_rows_is_decided_by_theory():
    """Labels may come so late that none is known when the second block begins."""
    time = scores(kind="time").split
    late = dataclasses.replace(time, gap=int(np.sum(time.held[0] == 0)))
    assert not late.tunes(0, 1).any()
    out = dataclasses.replace(scores(kind="time"), split=late)
    second = late.held[0] == 1
    choice = out.choose(METRICS["log_loss"])
    np.testing.assert_array_equal(
        decide(choice, COST)[0][0, 0, second], choice.every(Choice.pool)[0, 0, second] >= np.log(1 / 20)
    )
    np.testing.assert_array_equal(choice.every(recalibrated)[0, 0, second], choice.every(Choice.pool)[0, 0, second])
    assert 0.1 < decide(choice, ROOM)[0][0, 0, second].mean() < 0.3


@pytest.mark.parametrize("kind", ["stratified", "grouped", "time"])
@pytest.mark.parametrize("name", ["average_precision", "roc_auc", "log_loss", "brier"])
def test_settings_are_compared_by_scikit_learns_numbers_on_the_tuning_rows(kind, name):
    out = scores(kind=kind, seed=2)
    tied = out.scores.copy()
    tied[1] = np.round(tied[1])
    out = dataclasses.replace(out, scores=tied)
    oracle = {
        "average_precision": sk.average_precision_score,
        "roc_auc": sk.roc_auc_score,
        "log_loss": lambda y, z: -sk.log_loss(y, 1 / (1 + np.exp(-z))),
        "brier": lambda y, z: -sk.brier_score_loss(y, 1 / (1 + np.exp(-z))),
    }[name]
    choice = out.choose(METRICS[name])
    for a, f in out.split.parts():
        rows = out.split.tunes(a, f)
        for j in range(2):
            if rows.any():
                values = [oracle(out.y[rows], out.scores[j, s, a][rows].astype(float)) for s in range(3)]
                assert values[choice.picked[j, a, f]] == pytest.approx(max(values), rel=1e-12)
    judged = out.split.judged
    for j in range(2):
        for s in range(3):
            each = [oracle(out.y[judged], z[judged].astype(float)) for z in out.scores[j, s]]
            assert choice.overall[j, s] == pytest.approx(np.mean(each), rel=1e-10)


@pytest.mark.parametrize("name", ["average_precision", "roc_auc", "log_loss"])
def test_the_better_setting_is_found_outside_every_fold(name):
    choice = scores().choose(METRICS[name])
    assert np.all(choice.picked == 1)
    assert np.all(choice.final == 1)
    np.testing.assert_array_equal(choice.every(Choice.pool), choice.source.scores[:, 1])


def test_among_equal_settings_the_nearest_to_the_default_is_taken():
    out = scores()
    same = dataclasses.replace(out, scores=np.repeat(out.scores[:, :1], 3, axis=1))
    assert np.all(same.choose(METRICS["roc_auc"]).picked == 1)
    trees = dataclasses.replace(same, settings=np.array([50, 100, 300]), default=300.0)
    assert np.all(trees.choose(METRICS["log_loss"]).picked == 2)


def test_a_model_without_settings_is_taken_as_it_is():
    out = scores()
    one = dataclasses.replace(out, scores=out.scores[:, :1], settings=np.array([0.0]))
    choice = one.choose(METRICS["average_precision"])
    assert not choice.picked.any()
    assert choice.edges(0.0) == [(False, False)] * len(choice.final)
    np.testing.assert_array_equal(choice.every(Choice.pool), out.scores[:, 0])


def test_an_edge_is_reported_only_where_the_metric_still_rises():
    out = scores()
    falling = dataclasses.replace(out, scores=out.scores[:, [1, 2, 0]])
    assert not np.any(out.choose(METRICS["roc_auc"]).edges(0.001))
    edges = falling.choose(METRICS["roc_auc"]).edges(0.001)
    assert np.any(edges, axis=0).tolist() == [True, False]
    assert not np.any(falling.choose(METRICS["roc_auc"]).edges(0.9))


def test_an_arm_chooses_among_the_settings_that_it_was_fitted_at():
    out = scores()
    everywhere = out.choose(METRICS["roc_auc"])
    tried = np.ones(out.scores.shape[:2], dtype=bool)
    tried[0, everywhere.final[0]] = False
    gaps = np.where(tried[:, :, None, None], out.scores, np.nan).astype(np.float32)
    for name in ("roc_auc", "log_loss"):
        left = dataclasses.replace(out, scores=gaps, tried=tried)
        measured = left.rankings if name == "roc_auc" else left.losses
        assert np.isnan(measured[name][~tried]).all()  # and not what lay in memory, of which a sum may warn
        some = left.choose(METRICS[name])
        assert np.isneginf(some.overall[0, everywhere.final[0]])
        assert not (some.picked[0] == everywhere.final[0]).any()
        np.testing.assert_array_equal(some.picked[1:], out.choose(METRICS[name]).picked[1:])
        assert np.isfinite(some.pool(0, 0)).all()


def test_plain_and_arms_are_tuned_by_one_rule():
    out = scores()
    choice = dataclasses.replace(out, scores=out.scores[[0, 0]]).choose(METRICS["log_loss"])
    for m in (METRICS["f1"], COST, ROOM):
        decided, cuts = decide(choice, m)
        np.testing.assert_array_equal(decided[0], decided[1])
        np.testing.assert_array_equal(cuts[0], cuts[1])
    np.testing.assert_array_equal(*choice.every(recalibrated))


def test_more_classes_are_decided_by_a_step_of_each():
    rng = np.random.default_rng(0)
    y = rng.choice(3, size=900, p=[0.8, 0.15, 0.05])
    logp = truth(rng, y)
    out = OutOfFold(np.stack([logp] * 3)[None, None], y, split(y, folds=5, repeats=3), np.array([1.0]), 3)
    decided, steps = decide(out.choose(METRICS["log_loss"]), METRICS["balanced_accuracy"])
    balanced = Evaluator(METRICS["balanced_accuracy"], np.stack([logp.argmax(axis=1), decided[0, 0]]), y, 3)()
    assert balanced[1] > balanced[0] + 0.1
    # dividing by the shares is optimal in truth
    np.testing.assert_allclose(steps[0] - steps[0, :, :1], [np.log([1, 0.15 / 0.8, 0.05 / 0.8])] * 3, atol=0.8)


def truth(rng, y):
    """Log-posterior of a generator with shares .8, .15, .05."""
    z = rng.normal(size=(len(y), 3)) + 1.5 * np.eye(3)[y]
    odds = 1.5 * z + np.log([0.8, 0.15, 0.05])
    return odds - np.log(np.exp(odds).sum(axis=1, keepdims=True))


def test_costs_of_three_classes_are_decided_by_expected_cost():
    """On the true posterior the rule without a shift is Bayes' and cannot be beaten by much."""
    rng = np.random.default_rng(0)
    y = rng.choice(3, size=4000, p=[0.8, 0.15, 0.05])
    logp = truth(rng, y)
    out = OutOfFold(np.stack([logp] * 2)[None, None], y, split(y, folds=5, repeats=2), np.array([1.0]), 3)
    decided, steps = decide(out.choose(MATRIX), MATRIX)
    M = np.array(MATRIX.cost_matrix)
    bayes = np.argmin(np.exp(logp) @ M, axis=1)
    value = Evaluator(MATRIX, np.stack([decided[0, 0], bayes, logp.argmax(axis=1)]), y, 3)()
    assert value[1] == pytest.approx(1000 * M[y, bayes].mean())
    assert value[0] == pytest.approx(value[1], rel=0.03)
    assert value[2] > 1.2 * value[1]
    assert np.ptp(steps, axis=2).max() < 0.5 * np.log(0.8 / 0.05)


def test_capacity_calls_its_share_of_the_other_folds_and_splits_ties():
    out = scores(seed=5)
    choice = out.choose(ROOM)
    decided, _ = decide(choice, ROOM)
    for a, f in out.split.parts():
        held, score = out.split.held[a] == f, choice.pool(0, a)
        ranked = np.sort(score[~held])[::-1]
        k = int(0.2 * len(ranked))
        np.testing.assert_array_equal(decided[0, a, held] == 1, score[held] > (ranked[k - 1] + ranked[k]) / 2)
    rounded = dataclasses.replace(out, scores=np.zeros_like(out.scores))
    assert np.mean(decide(rounded.choose(ROOM), ROOM)[0]) == pytest.approx(0.2, abs=0.05)  # not nobody, not everybody


def test_the_highest_share_of_rows_has_the_recall_of_a_sorted_table():
    rng = np.random.default_rng(0)
    score = rng.normal(size=1000).astype(np.float32)
    for share in (0.001, 0.29, 0.5, 0.9995):
        called = Room.of(score, share).says(score, np.ones(1000))
        assert called.sum() == int(share * 1000 + 1e-6)
    tied = np.repeat([3.0, 2.0, 1.0], [10, 80, 10])
    room = Room.of(tied, 0.3)
    assert (room.sure, room.maybe, room.lot) == (2.5, 1.5, 0.25)  # 10 sure, 20 of 80


def test_recalibration_repairs_what_the_undo_left_and_changes_no_order():
    rng = np.random.default_rng(0)
    y = (rng.random(4000) < 0.2).astype(np.int64)
    good = rng.normal(size=4000) + 1.5 * y
    odds = 1.5 * good - 1.125 + np.log(0.25)
    bent = (3 * odds + 2).astype(np.float32)
    made = np.stack([odds.astype(np.float32), bent])[:, None, None]
    out = OutOfFold(np.repeat(made, 2, axis=2), y, split(y, repeats=2), np.array([1.0]), 2)
    choice = out.choose(METRICS["log_loss_recalibrated"])
    raw = Evaluator(METRICS["log_loss"], choice.every(Choice.pool)[:, 0], y, 2)()
    after = Evaluator(METRICS["log_loss_recalibrated"], choice.every(recalibrated)[:, 0], y, 2)()
    assert raw[1] > 1.3 * raw[0]
    np.testing.assert_allclose(after, raw[0], rtol=0.005)
    fold = out.split.held[0] == 3
    np.testing.assert_array_equal(np.argsort(choice.every(recalibrated)[1, 0, fold]), np.argsort(bent[fold]))


@pytest.mark.parametrize("classes", [2, 3])
def test_whatever_is_constant_infinite_or_absent_gives_numbers(classes):
    rng = np.random.default_rng(0)
    y = np.zeros(60, dtype=np.int64)
    y[:4] = 1
    y[4] = classes - 1  # of three classes one has a single row
    held = np.tile(np.arange(60) // 2, (2, 1))  # folds of two rows; all of a class may be in one
    held[1] = np.roll(held[1], 1)
    made = np.zeros((3, 2, 2, 60) if classes == 2 else (3, 2, 2, 60, 3), np.float32)
    made[1] = np.where(rng.random(made[1].shape) < 0.3, -np.inf, 0 if classes > 2 else np.inf)
    made[2] = np.round(rng.normal(size=made[2].shape))
    out = OutOfFold(made, y, Split("stratified", held), np.array([1.0, 2.0]), classes)
    cost = COST if classes == 2 else MATRIX
    every = [m for m in METRICS.values() if m.name != "expected_cost" and not (m.two_classes and classes > 2)]
    for m in (*every, cost):
        m = ROOM if m.name == "recall_at_capacity" else m
        found = outcomes(out.choose(m), m)
        weights = np.stack([np.ones(60), (y == 0), np.zeros(60)], axis=1).astype(np.float32)  # no positives; nothing
        value = Evaluator(m, found.reshape(-1, *found.shape[2:]), y, classes)(weights)
        assert np.isfinite(value).all(), m.name


def test_where_the_other_folds_lack_a_class_the_cut_is_the_theoretical_one():
    y = np.array([1, 1, 0, 0, 0, 0])
    held = np.array([[0, 0, 1, 1, 2, 2]])
    made = np.tile(np.array([0.0, -5.0, -2.9, -3.1, -9.0, 9.0]), (1, 1, 1, 1))
    choice = OutOfFold(made, y, Split("stratified", held), np.array([1.0]), 2).choose(COST)
    np.testing.assert_array_equal(decide(choice, COST)[0][0, 0, :2], [1, 0])  # log(1 / 20) = -3.0


def test_folds_with_different_settings_are_ranked_on_one_scale():
    """A strong penalty shrinks scores: pooled with others as they are they rank worse, though they order rows alike."""
    rng = np.random.default_rng(3)
    y = (rng.random(400) < 0.2).astype(np.int64)
    made_split = split(y, folds=4, repeats=2, seed=0)
    z = rng.normal(size=(1, 1, 2, 400)) + 1.5 * y
    shrunk = np.concatenate([0.01 * z, z, 5 * z], axis=1).astype(np.float32)
    out = OutOfFold(shrunk, y, made_split, SETTINGS, 2)
    shrunk += np.stack([out.prior(a) for a in range(2)])  # as a model says that knows its training part's share
    out = OutOfFold(shrunk, y, made_split, SETTINGS, 2)
    choice = out.choose(METRICS["roc_auc"])
    mixed = dataclasses.replace(choice, picked=np.array([[[0, 1, 2, 0], [1, 1, 1, 1]]]), final=np.array([1]))
    aligned, pooled = outcomes(mixed, METRICS["roc_auc"])[0], mixed.every(Choice.pool)[0]
    prior = np.stack([out.prior(a) for a in range(2)])
    assert len(np.unique(prior[0])) > 1
    best = sk.roc_auc_score(y, z[0, 0, 0])
    assert sk.roc_auc_score(y, pooled[0]) < best - 0.05
    assert sk.roc_auc_score(y, aligned[0]) == pytest.approx(best, abs=0.005)
    np.testing.assert_array_equal(aligned[1], pooled[1] - prior[1])  # the final setting everywhere
    for f in range(4):
        rows = made_split.out(0, f)
        assert sk.roc_auc_score(y[rows], aligned[0][rows]) == pytest.approx(sk.roc_auc_score(y[rows], pooled[0][rows]))


def test_what_chooses():
    assert criterion(METRICS["f1"]).name == criterion(METRICS["log_loss_recalibrated"]).name == "log_loss"
    assert criterion(METRICS["brier_recalibrated"]).name == "brier"
