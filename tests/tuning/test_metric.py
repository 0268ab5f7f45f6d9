"""Metrics against scikit-learn, with sample weights and ties. Files: tuning/evaluator.py."""

import numpy as np
import pytest
import sklearn.metrics as sk

from steelyard.tuning import evaluator, threads
from steelyard.tuning.evaluator import Evaluator
from steelyard.tuning.goals import metric
from steelyard.tuning.metric import METRICS, others


@pytest.fixture(params=["distinct", "tied", "fractional", "tied and fractional"])
def table(request):
    """Whole weights as the bootstrap draws them; fractional ones as row weights make them of these, here small ones."""
    rng = np.random.default_rng(1)
    y = (rng.random(300) < 0.15).astype(np.int64)
    score = rng.normal(size=300) + 1.2 * y
    score = np.round(score) if "tied" in request.param else score
    weights = rng.integers(0, 4, size=(300, 6)).astype(np.float32)
    if "fractional" in request.param:
        weights = weights * rng.exponential(1e-3, size=(300, 1))
    assert (len(np.unique(score)) < 20) == ("tied" in request.param)
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


def test_one_class_said_or_there_has_no_correlation_however_sums_are_rounded():
    rng = np.random.default_rng(0)
    w, y = rng.exponential(size=(500, 40)), (rng.random(500) < 0.1).astype(np.int64)
    said = np.stack([np.zeros(500, np.int64), np.ones(500, np.int64)])
    assert (Evaluator(METRICS["mcc"], said, y, 2)(w) == 0).all()
    assert (Evaluator(METRICS["mcc"], y[None], said[0], 2)(w) == 0).all()


def test_expected_cost_by_hand():
    cost = metric("expected_cost", 2, cost_fn=20, cost_fp=1)
    y = np.array([1, 1, 0, 0, 0, 0, 0, 0, 0, 0])
    said = np.array([1, 0, 1, 1, 0, 0, 0, 0, 0, 0])  # one missed, two false alarms in ten rows
    assert Evaluator(cost, said[None], y, 2)()[0] == pytest.approx(1000 * (20 + 2) / 10)


@pytest.mark.parametrize("table", ["distinct", "tied"], indirect=True)
def test_a_multiplicity_is_a_repetition(table):
    score, y, weights = table
    times = weights[:, 0].astype(int)
    repeated = Evaluator(METRICS["average_precision"], np.repeat(score, times)[None], np.repeat(y, times), 2)()
    weighted = Evaluator(METRICS["average_precision"], score[None], y, 2)(weights[:, :1])[:, 0]
    np.testing.assert_allclose(repeated, weighted, rtol=1e-12)


@pytest.mark.parametrize(
    ("name", "classes", "says"),
    [
        ("average_precison", 2, "Did you mean 'average_precision'"),
        ("roc_auc", 3, "for two classes but the label has 3; choose one of balanced_accuracy"),
        ("expected_cost", 2, "give cost_fn"),
        ("expected_cost", 3, "needs a cost matrix, 3 x 3"),
        ("recall_at_capacity", 2, "give capacity, a share"),
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


GRADES = [[0, 1, 2], [4, 0, 1], [30, 8, 0]]


@pytest.mark.parametrize("name", ["balanced_accuracy", "macro_f1", "mcc"])
def test_a_confusion_table_says_the_same_as_its_rows(name):
    rng = np.random.default_rng(0)
    y, said = rng.integers(0, 4, size=(2, 300))
    table = sk.confusion_matrix(y, said)
    assert METRICS[name].of_tables(table[None])[0] == pytest.approx(Evaluator(METRICS[name], said[None], y, 4)()[0])


def test_recall_at_capacity_is_recall():
    y, said = np.array([1, 1, 1, 0, 0]), np.array([1, 0, 1, 0, 1])
    m = metric("capacity", 2, capacity=0.6)
    assert Evaluator(m, said[None], y, 2)()[0] == pytest.approx(sk.recall_score(y, said))
    assert m.title == "recall at capacity (60 % of rows)"


@pytest.mark.parametrize("name", [n for n in METRICS if METRICS[n].kind != "ranking"])
@pytest.mark.parametrize("classes", [2, 3])
def test_blocks_change_nothing(name, classes, monkeypatch):
    rng = np.random.default_rng(0)
    m = METRICS[name]
    if m.two_classes and classes > 2:
        return
    m = metric(name, 3, cost_matrix=GRADES) if name == "expected_cost" and classes == 3 else m
    y = rng.integers(0, classes, 200)
    made = rng.integers(0, classes, (3, 200)) if m.kind == "decision" else rng.normal(size=(3, 200, classes)) - 3
    made = made[..., 0] if m.kind != "decision" and classes == 2 else made
    weights = rng.integers(0, 4, size=(200, 7)).astype(np.float32)
    whole = Evaluator(m, made, y, classes)(weights)
    monkeypatch.setattr("steelyard.tuning.evaluator.BLOCK", 100)
    np.testing.assert_allclose(Evaluator(m, made, y, classes)(weights), whole, rtol=1e-6)


def test_where_a_class_has_no_weight_metrics_are_those_of_scikit_learn_or_say_nothing():
    y, score = np.array([0, 0, 1, 2]), np.array([0.1, 0.4, 0.2, 0.3])
    weights = np.array([[1], [1], [1], [0]], np.float32)
    said = np.array([0, 1, 1, 0])
    balanced = Evaluator(METRICS["balanced_accuracy"], said[None], y, 3)(weights)[0, 0]
    assert balanced == pytest.approx(sk.balanced_accuracy_score(y[:3], said[:3]))
    macro = Evaluator(METRICS["macro_f1"], said[None], y, 3)(weights)[0, 0]
    assert macro == pytest.approx(sk.f1_score(y[:3], said[:3], average="macro"))
    nobody = np.array([[1, 0], [1, 0], [0, 1], [0, 0]], np.float32)
    ranks = {
        n: Evaluator(METRICS[n], score[None], (y > 0).astype(int), 2)(nobody)[0]
        for n in ("roc_auc", "average_precision")
    }
    np.testing.assert_array_equal(ranks["roc_auc"], 0.5)
    np.testing.assert_array_equal(ranks["average_precision"], [0, 1])


def test_an_impossible_class_that_came_true_costs_a_finite_loss():
    logp = np.array([[[0.0, -np.inf, -np.inf]]])
    assert 700 < Evaluator(METRICS["log_loss"], logp, np.array([1]), 3)()[0] < 750


def test_what_stands_beside_the_chosen_metric():
    cost, room = metric("cost", 2, 20, 1), metric("capacity", 2, capacity=0.02)
    names = [m.name for m in others(2, METRICS["f1"], cost, room)]
    assert {"log_loss_recalibrated", "brier_recalibrated", "expected_cost", "recall_at_capacity"} <= set(names)
    assert "f1" not in names
    assert "expected_cost" not in [m.name for m in others(2, cost, cost)]
    assert not {"roc_auc", "f1", "recall_at_capacity", "expected_cost"} & {m.name for m in others(3, METRICS["mcc"])}


def test_a_capacity_is_a_share():
    with pytest.raises(ValueError, match="between 0 and 1, got 200"):
        metric("capacity", 2, capacity=200)


@pytest.mark.parametrize("name", ["average_precision", "roc_auc"])
def test_models_that_are_ranked_side_by_side_get_the_same_numbers(name, monkeypatch):
    rng = np.random.default_rng(0)
    y = (rng.random(500) < 0.1).astype(np.int64)
    evaluate = Evaluator(metric(name, 2), rng.normal(size=(7, 500)) + y, y, 2)
    weights = rng.poisson(1, (500, 20)).astype(np.float32)
    alone = evaluate(weights)
    monkeypatch.setattr(evaluator, "WORTH_A_THREAD", 1)
    monkeypatch.setattr(threads, "cores", lambda: 3)
    np.testing.assert_array_equal(evaluate(weights), alone)
