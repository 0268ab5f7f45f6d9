"""Whole studies of weighted rows."""

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sklearn.metrics as sk

from steelyard import Counts, effective_number, inverse_frequency
from steelyard.report import Report
from steelyard.report.content import contents
from steelyard.report.terminal import text
from steelyard.tuning import tune
from steelyard.tuning.models import by_name

FAST: dict[str, Any] = {
    "label": "y",
    "bootstrap": 100,
    "baselines": False,
    "repeats": 2,
    "recipes": {"balanced": inverse_frequency},
}


def table(weights=None, n: int = 400, classes: int = 2) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, 3))
    z = X[:, :1] * np.arange(classes) - np.arange(classes) + rng.gumbel(size=(n, classes))
    data = pd.DataFrame(X, columns=["a", "b", "c"]).assign(y=np.array(["well", "ill", "odd"])[z.argmax(axis=1)])
    data["w"] = rng.exponential(size=n) + 0.1 if weights is None else weights
    return data


def answer(study) -> dict:
    """All of report.json but the time and what was said about reading."""
    out = {k: v for k, v in study.to_dict().items() if k not in ("seconds", "warnings", "fits")}
    out["data"] = {k: v for k, v in out["data"].items() if k != "notes"}
    return out


def test_equal_weights_give_the_same_study_bit_for_bit():
    assert answer(tune(table(2.5), **FAST, weight="w")) == answer(tune(table(2.5), **FAST, drop="w"))


def test_seven_times_the_weights_give_the_same_study_bit_for_bit():
    data = table()
    other = data.assign(w=7 * data["w"])
    found = tune(data, **FAST, weight="w")
    assert answer(found) == answer(tune(other, **FAST, weight="w"))
    assert answer(found) != answer(tune(data, **FAST, drop="w"))


@pytest.mark.parametrize(
    ("name", "oracle"),
    [
        ("log_loss", sk.log_loss),
        ("brier", sk.brier_score_loss),
        ("f1", lambda y, d, sample_weight: sk.f1_score(y, d, sample_weight=sample_weight)),
        ("mcc", sk.matthews_corrcoef),
    ],
)
def test_the_values_in_the_report_are_scikit_learns_with_sample_weights(name, oracle):
    found = tune(table(), **FAST, weight="w", metric=name)
    weights, y = found.problem.weights, found.problem.y
    plain = found.pictures.arms["plain"]
    judged = plain.decided if name in ("f1", "mcc") else 1 / (1 + np.exp(-plain.undone.astype(np.float64)))
    expected = np.mean([oracle(y, one, sample_weight=weights) for one in judged])
    assert found.arms[0].metrics[name]["value"] == pytest.approx(expected, rel=1e-5)


def test_recipes_are_made_of_weighted_counts_and_keep_unit_mass():
    found = tune(table(), **{**FAST, "recipes": {"en": effective_number, "if": inverse_frequency}}, weight="w")
    masses = found.problem.masses
    assert masses.per_class.sum() == pytest.approx(400, rel=1e-6)
    share = table().assign(ill=lambda d: d["y"] == "ill").pipe(lambda d: d.loc[d["ill"], "w"].sum() / d["w"].sum())
    for arm in found.arms[1:]:
        w = arm.recipe.label_weights()
        assert (1 - share) * w[0] + share * w[1] == pytest.approx(1)
    np.testing.assert_allclose(found.arms[2].recipe.label_weights() * [1 - share, share], 0.5, rtol=1e-5)
    assert found.arms[1].recipe.label_weights().tolist() == pytest.approx(
        effective_number(Counts(masses.per_class, weighted=True)).label_weights().tolist()
    )


def test_undone_probabilities_have_the_weighted_mean():
    data = table()
    data["w"] *= np.where(data["y"] == "ill", 0.1, 1)  # sampled for, ten times too often
    found = tune(data, **FAST, weight="w", metric="log_loss")
    weights, y = found.problem.weights, found.problem.y
    share = np.average(y, weights=weights)
    assert share < 0.5 * y.mean()
    for arm in found.pictures.arms.values():
        p = 1 / (1 + np.exp(-arm.undone.astype(np.float64)))
        assert np.average(p.mean(axis=0), weights=weights) == pytest.approx(share, rel=0.2)


@pytest.mark.parametrize("name", [n for n in by_name.names() if n != "linear"])
def test_every_model_follows_the_weights(name):
    data = table(n=200)
    options = {**FAST, "metric": "log_loss", "model": name, "repeats": 1, "folds": 3}
    studies = tune(data, **options, weight="w"), tune(data, **options, drop="w")
    values = [study.arms[0].metrics["log_loss"]["value"] for study in studies]
    assert np.isfinite(values).all()
    assert values[0] != values[1]


@pytest.mark.parametrize(
    "options",
    [{"group": "g"}, {"time": "t"}, {"group": "g", "time": "t"}, {"classes": 3}, {"baselines": True}, {"search": 1}],
)
def test_weights_go_with_every_other_option(options):
    data = table(classes=options.get("classes", 2))
    data["g"], data["t"] = np.arange(len(data)) // 3, np.arange(len(data))
    without = [c for c in "gt" if c not in (options.get("group"), options.get("time"))]
    more = {name: value for name, value in options.items() if name != "classes"}
    found = tune(data, **{**FAST, **more}, weight="w", drop=without)
    for arm in (*found.arms, *found.baselines):
        assert all(np.isfinite(m["value"]) for m in arm.metrics.values())
    assert "SMOTE" not in [b.name for b in found.baselines]
    assert json.loads(json.dumps(found.to_dict()))["data"]["weight"]["column"] == "w"


def test_few_effective_positives_have_no_verdict_and_are_told():
    data = table()
    ill = np.flatnonzero(data["y"] == "ill")
    data.loc[ill[:3], "w"] = 500.0
    data.loc[ill[3:], "w"] = 5.0
    found = tune(data, **FAST, weight="w", positive="ill")
    assert found.verdict.case == "E"
    assert "effective positives" in found.verdict.sentence
    assert any("differ so much that they tell as little as" in note for note in found.verdict.notes)


def test_the_report_says_that_rows_are_weighted_everywhere_it_counts_them():
    found = tune(table(), **FAST, weight="w")
    report = Report.from_json(found.to_dict())
    content = contents(report)
    assert 'rows weighted by "w"' in content.data
    assert "by weight" in content.data
    assert content.confusion is not None
    assert content.confusion.caption.endswith("each row counted by its weight")
    assert "row weights" in dict(content.computed)
    assert 'column "w"' in " ".join(text(report).split())
    for snippet in content.snippets:
        assert snippet.key == "decide" or ("row_weight" in snippet.code and "row_weight" in snippet.says)
    table_of = report.curves["plain"].cuts[0]
    assert sum(table_of[1:]) == pytest.approx(400, rel=1e-6)


def test_other_weights_are_another_study_and_the_same_go_on(tmp_path):
    data = table()
    tune(data, **FAST, weight="w", folder=tmp_path)
    again = tune(data, **FAST, weight="w", folder=tmp_path)
    assert again.fits["new"] == 0
    assert tune(data.assign(w=data["w"] ** 2), **FAST, weight="w", folder=tmp_path).fits["reused"] == 0


def test_a_classifier_without_sample_weight_is_refused_with_the_way_out():
    with pytest.raises(ValueError, match=r"KNeighborsClassifier takes no sample_weight.* in 'w'\. Take --model linear"):
        tune(table(), **FAST, weight="w", model="sklearn.neighbors.KNeighborsClassifier")


def test_a_function_is_given_the_weights_it_asks_for_and_warned_of_the_others():
    data = table()
    X, y, w = data[["a", "b", "c"]].to_numpy(), (data["y"] == "ill").to_numpy().astype(int), data["w"].to_numpy()
    seen = []

    def fit(recipe, X, y, weight):
        seen.append((len(X), weight))
        return lambda X: X[:, 0]

    options = {k: v for k, v in FAST.items() if k != "label"}
    found = tune(fit, data=(X, y), weight=w, **options)
    assert all(len(weight) == n for n, weight in seen)
    assert np.mean(seen[0][1]) == pytest.approx(1, rel=0.1)
    assert not any("takes no weight=" in warning for warning in found.warnings)
    blind = tune(lambda recipe, X, y: lambda X: X[:, 0], data=(X, y), weight=w, **options)
    assert any("takes no weight=" in warning for warning in blind.warnings)
    assert blind.arms[0].metrics["roc_auc"] == found.arms[0].metrics["roc_auc"]  # it is judged by them all the same
