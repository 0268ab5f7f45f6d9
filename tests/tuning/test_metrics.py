"""Metrics against scikit-learn, with sample weights and ties."""

import numpy as np
import pytest
import sklearn.metrics as sk

from steelyard.tuning.bootstrap import draws
from steelyard.tuning.metrics import METRICS, Evaluator, metric


@pytest.fixture(params=["distinct", "tied"])
def table(request):
    rng = np.random.default_rng(1)
    y = (rng.random(300) < 0.15).astype(np.int64)
    score = rng.normal(size=300) + 1.2 * y
    score = np.round(score) if request.param == "tied" else score
    weights = rng.integers(0, 4, size=(300, 6)).astype(np.float32)
    assert (len(np.unique(score)) < 20) == (request.param == "tied")
    return score, y, weights


def each(oracle, prediction, y, weights):
    return [oracle(y, prediction, sample_weight=w) for w in weights.T]


@pytest.mark.parametrize(
    ("name", "oracle"), [("average_precision", sk.average_precision_score), ("roc_auc", sk.roc_auc_score)]
)
def test_rankings_are_those_of_scikit_learn(table, name, oracle):
    score, y, weights = table
    found = Evaluator(METRICS[name], np.stack([score, -score]), y, 2)(weights)
    np.testing.assert_allclose(found[0], each(oracle, score, y, weights), rtol=1e-12)
    np.testing.assert_allclose(found[1], each(oracle, -score, y, weights), rtol=1e-12)


DECISIONS = [
    ("balanced_accuracy", sk.balanced_accuracy_score),
    ("f1", sk.f1_score),
    ("macro_f1", lambda y, p, sample_weight: sk.f1_score(y, p, average="macro", sample_weight=sample_weight)),
    ("mcc", sk.matthews_corrcoef),
]


@pytest.mark.parametrize(("name", "oracle"), DECISIONS)
def test_decisions_are_those_of_scikit_learn(table, name, oracle):
    score, y, weights = table
    said = (score > 0.5).astype(np.int64)
    np.testing.assert_allclose(
        Evaluator(METRICS[name], said[None], y, 2)(weights)[0], each(oracle, said, y, weights), rtol=1e-10
    )


@pytest.mark.parametrize(("name", "oracle"), [d for d in DECISIONS if d[0] != "f1"])
def test_decisions_among_three_classes_are_those_of_scikit_learn(name, oracle):
    rng = np.random.default_rng(2)
    y = rng.choice(3, size=400, p=[0.7, 0.2, 0.1])
    said = np.where(rng.random(400) < 0.6, y, rng.integers(0, 3, 400))
    weights = rng.integers(1, 4, size=(400, 5)).astype(np.float32)
    np.testing.assert_allclose(
        Evaluator(METRICS[name], said[None], y, 3)(weights)[0], each(oracle, said, y, weights), rtol=1e-10
    )


def test_probabilities_are_judged_as_scikit_learn_does(table):
    score, y, weights = table
    p = 1 / (1 + np.exp(-score))
    for name, oracle in (("log_loss", sk.log_loss), ("brier", sk.brier_score_loss)):
        found = Evaluator(METRICS[name], score[None], y, 2)(weights)[0]
        np.testing.assert_allclose(found, each(oracle, p, y, weights), rtol=1e-10)


def test_probabilities_of_three_classes_are_judged_as_scikit_learn_does():
    rng = np.random.default_rng(3)
    y = rng.integers(0, 3, 200)
    logp = np.log(rng.dirichlet(np.ones(3), 200))
    assert Evaluator(METRICS["log_loss"], logp[None], y, 3)()[0] == pytest.approx(sk.log_loss(y, np.exp(logp)))
    brier = sk.brier_score_loss(y, np.exp(logp), scale_by_half=False)
    assert Evaluator(METRICS["brier"], logp[None], y, 3)()[0] == pytest.approx(brier)


def test_expected_cost_by_hand():
    cost = metric("expected_cost", 2, cost_fn=20, cost_fp=1)
    y = np.array([1, 1, 0, 0, 0, 0, 0, 0, 0, 0])
    said = np.array([1, 0, 1, 1, 0, 0, 0, 0, 0, 0])  # one missed, two false alarms in ten rows
    assert Evaluator(cost, said[None], y, 2)()[0] == pytest.approx(1000 * (20 + 2) / 10)


def test_a_multiplicity_is_a_repetition(table):
    score, y, weights = table
    times = weights[:, 0].astype(int)
    repeated = Evaluator(METRICS["average_precision"], np.repeat(score, times)[None], np.repeat(y, times), 2)()
    weighted = Evaluator(METRICS["average_precision"], score[None], y, 2)(weights[:, :1])[:, 0]
    np.testing.assert_allclose(repeated, weighted, rtol=1e-12)


def test_draws_keep_the_size_of_every_class_and_do_not_depend_on_how_they_are_cut(monkeypatch):
    y = np.repeat([0, 1, 2], [50, 20, 5])
    whole = np.concatenate(list(draws(y, 40, seed=7)), axis=1)
    for c in range(3):
        assert set(whole[y == c].sum(axis=0)) == {float(np.sum(y == c))}
    monkeypatch.setattr("steelyard.tuning.bootstrap.CHUNK", 300)
    cut = list(draws(y, 40, seed=7))
    assert len(cut) == 10
    np.testing.assert_array_equal(np.concatenate(cut, axis=1), whole)


def test_the_variance_of_a_drawn_mean_is_that_of_the_sample():
    rng = np.random.default_rng(0)
    score, y = rng.normal(size=500), np.repeat([0, 1], [400, 100])
    drawn = np.concatenate(list(draws(y, 4000, seed=1)), axis=1)
    means = (score[y == 1] @ drawn[y == 1]) / 100
    assert means.std() == pytest.approx(score[y == 1].std() / 10, rel=0.05)


@pytest.mark.parametrize(
    ("name", "classes", "says"),
    [
        ("average_precison", 2, "Did you mean 'average_precision'"),
        ("roc_auc", 3, "for two classes but the label has 3; choose one of balanced_accuracy"),
        ("expected_cost", 2, "give cost_fn"),
        ("accuracy_of_a_kind", 2, "Known are average_precision"),
    ],
)
def test_a_metric_that_cannot_be_used_is_refused_with_the_way_out(name, classes, says):
    with pytest.raises(ValueError, match=says):
        metric(name, classes)


def test_the_default_metric_depends_on_the_number_of_classes():
    assert metric(None, 2).name == "average_precision"
    assert metric(None, 3).name == "balanced_accuracy"
    assert metric("ROC-AUC", 2).name == "roc_auc"
