"""The honesty benchmark measures `tune` itself, and what is true of its models."""

import dataclasses
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from benchmarks.generators import GENERATORS
from benchmarks.verdicts import Question, answer, asked, gains, matrix, sharing, told, value
from sklearn import metrics as sk

import steelyard as sy
from benchmarks import verdicts
from steelyard.counts import Counts
from steelyard.tuning.answer_parts import Stopped
from steelyard.tuning.data.problem import problem
from steelyard.tuning.metric import METRICS

ARMS = {"inverse_frequency(beta=1)": sy.inverse_frequency, "focal(gamma=2)": sy.focal(gamma=2.0)}
SMALL: dict[str, Any] = {"repeats": 2, "folds": 3, "bootstrap": 100, "recipes": ARMS}


def small(name: str, rows: int = 400, repeat: int = 0):
    sample = GENERATORS[name].sample(repeat, rows)
    positive = None if GENERATORS[name].classes > 2 else "1"
    return sample, problem(sample.table(), "y", positive, **GENERATORS[name].options)


@pytest.mark.parametrize(
    ("name", "metrics"),
    [
        ("H1", ("average_precision", "balanced_accuracy", "log_loss")),
        pytest.param("C0", ("macro_f1", "log_loss"), marks=pytest.mark.slow),
        pytest.param("T0", ("roc_auc", "f1"), marks=pytest.mark.slow),
        pytest.param("G0", ("average_precision", "balanced_accuracy"), marks=pytest.mark.slow),
    ],
)
def test_sharing_fits_changes_no_verdict(name, metrics):
    sample, task = small(name)
    positive = None if GENERATORS[name].classes > 2 else "1"
    with sharing():
        shared = [told(sy.tune(task, metric=m, seed=3, **SMALL)) for m in metrics]
    for metric, found in zip(metrics, shared, strict=True):
        options = SMALL | GENERATORS[name].options | {"baselines": metric == metrics[0]}  # with resampled rows once
        plainly = sy.tune(sample.table(), label="y", positive=positive, metric=metric, seed=3, **options)
        assert found == told(plainly)


def test_tune_is_asked_with_its_defaults_but_for_metric_seed_and_draws():
    question = Question("N2", 7, ("roc_auc",), bootstrap=400)
    assert asked("roc_auc", question) == {"metric": "roc_auc", "seed": 7, "bootstrap": 400}
    cost = asked("expected_cost", question)
    assert (cost["cost_fn"], cost["cost_fp"]) == (5, 1)
    assert asked("roc_auc", dataclasses.replace(question, model="boosting"))["model"] == "boosting"


def test_the_truth_is_that_of_the_models_that_the_study_compared():
    """Plain's coefficients are those of the study's own final model, and values are scikit-learn's."""
    sample, task = small("N2-weak", 800)
    found = sy.tune(task, metric="balanced_accuracy", **SMALL)
    assert found.final.arm == "plain"
    test = GENERATORS["N2-weak"].sample(9, 5000)
    X = (test.X - sample.X.mean(axis=0)) / sample.X.std(axis=0)
    coefficients = np.array([found.final.model["coefficients"][f"x{i}"][0] for i in range(5)])
    score = X @ coefficients + found.final.model["intercept"][0]
    said = score >= np.log(found.verdict.threshold / (1 - found.verdict.threshold))
    plain = sk.balanced_accuracy_score(test.y, said)
    truth = gains(found, sample, test)
    assert set(truth) == {a.name for a in found.arms if not a.equals} - {"plain"}

    arm = next(a for a in found.arms if a.name == "inverse_frequency(beta=1)")
    from sklearn.linear_model import LogisticRegression

    weight = arm.recipe.label_weights()
    fitted = LogisticRegression(C=1 / arm.setting, tol=1e-10, max_iter=1000).fit(
        (sample.X - sample.X.mean(axis=0)) / sample.X.std(axis=0), sample.y, sample_weight=weight[sample.y]
    )
    undone = fitted.decision_function(X) - np.log(weight[1] / weight[0])
    weighted = sk.balanced_accuracy_score(test.y, undone >= np.log(arm.threshold / (1 - arm.threshold)))
    assert truth[arm.name] == pytest.approx(weighted - plain, abs=2e-3)


def test_values_are_scikit_learns():
    rng = np.random.default_rng(0)
    y = (rng.random(2000) < 0.1).astype(int)
    score = rng.normal(size=2000) + y - 2
    said, counts = score >= np.log(0.2 / 0.8), Counts.of(1800, 200)
    p = 1 / (1 + np.exp(-score))
    wrong = sk.confusion_matrix(y, said)
    cost = dataclasses.replace(METRICS["expected_cost"], cost_fn=5.0, cost_fp=1.0)
    for metric, expected in (
        (METRICS["average_precision"], sk.average_precision_score(y, score)),
        (METRICS["roc_auc"], sk.roc_auc_score(y, score)),
        (METRICS["log_loss"], sk.log_loss(y, p)),
        (METRICS["balanced_accuracy"], sk.balanced_accuracy_score(y, said)),
        (METRICS["f1"], sk.f1_score(y, said)),
        (METRICS["macro_f1"], sk.f1_score(y, said, average="macro")),
        (cost, (5 * wrong[1, 0] + wrong[0, 1]) / 2),
    ):
        assert value(metric, score, y, 0.2, counts) == pytest.approx(expected, abs=1e-12), metric.name


def test_values_of_three_classes_are_scikit_learns():
    rng = np.random.default_rng(1)
    y = rng.choice(3, 1500, p=[0.8, 0.12, 0.08])
    logits = rng.normal(size=(1500, 3)) + 2 * np.eye(3)[y]
    logp = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    counts = Counts.of(800, 120, 80)
    factors = (1.0, 0.4, 0.2)
    said = np.argmax(np.exp(logp) / factors, axis=1)
    costs = matrix(3)
    priced = dataclasses.replace(METRICS["expected_cost"], cost_matrix=tuple(map(tuple, costs)))
    cheapest = np.argmin(np.exp(logp) / factors @ np.array(costs), axis=1)
    paid = np.array(costs)[y, cheapest].mean()
    assert value(priced, logp, y, factors, counts) == pytest.approx(1000 * paid, abs=1e-9)
    for name, expected in (
        ("balanced_accuracy", sk.balanced_accuracy_score(y, said)),
        ("macro_f1", sk.f1_score(y, said, average="macro")),
        ("log_loss", sk.log_loss(y, np.exp(logp))),
    ):
        assert value(METRICS[name], logp, y, factors, counts) == pytest.approx(expected, abs=1e-12), name


def test_a_metric_without_a_measured_truth_is_refused():
    with pytest.raises(ValueError, match="brier is not measured"):
        value(METRICS["brier"], np.zeros(4), np.array([0, 0, 1, 1]), 0.5, Counts.of(2, 2))


def test_an_answer_is_one_record_per_metric(monkeypatch):
    monkeypatch.setattr(verdicts, "TEST_ROWS", 2000)
    generator = dataclasses.replace(
        GENERATORS["H1"], name="tiny", draw=lambda rng, rows: GENERATORS["H1"].draw(rng, 400)
    )
    monkeypatch.setitem(GENERATORS, "tiny", generator)
    monkeypatch.setattr(verdicts, "asked", lambda metric, question: asked(metric, question) | SMALL)
    question = Question("tiny", 2, ("roc_auc", "expected_cost"), bootstrap=100, truth=True)
    found = answer(question)
    assert [(r["generator"], r["repeat"], r["metric"]) for r in found] == [
        ("tiny", 2, "roc_auc"),
        ("tiny", 2, "expected_cost"),
    ]
    for record in found:
        assert set(record["truth"]) == set(record["arms"])
        low, high = np.array(list(record["arms"].values())).T[1:]
        assert (low <= high).all()
        assert record["seconds"] is None
    alone = answer(dataclasses.replace(question, metrics=("roc_auc",), truth=False, alone=True))[0]
    assert alone["seconds"] > 0
    assert alone["arms"] == found[0]["arms"]


def test_tables_come_as_arrow():
    table = GENERATORS["G0"].sample(0, 30).table()
    assert isinstance(table, pa.Table)
    assert table.column_names == ["x0", "x1", "x2", "x3", "x4", "y", "who"]


def test_a_study_that_was_stopped_is_no_answer(monkeypatch):
    real = sy.tune

    def stopped(task, **options):
        return dataclasses.replace(real(task, **SMALL | {"metric": "roc_auc"}), stopped=Stopped("interrupted", 1, 2))

    monkeypatch.setattr(verdicts.sy, "tune", stopped)
    with pytest.raises(SystemExit, match="stopped"):
        answer(Question("N2", 0, ("roc_auc",)))
