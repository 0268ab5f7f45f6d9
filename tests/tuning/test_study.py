"""Whole studies, and small simulations in which the truth is known.

Files: tuning/answer.py, tuning/answer_parts.py, tuning/contest.py, tuning/fitted.py, tuning/job.py, tuning/opening.py, tuning/pruning.py, tuning/search.py.
"""

import functools
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from steelyard import Recipe, focal, inverse_frequency, logit_adjustment
from steelyard.tuning import Study, study, tune
from steelyard.tuning.models import by_name

DEMO = Path(__file__).resolve().parents[2] / "examples" / "data" / "mammography_adbench.csv"
# no resampled rows: they cost most of the fits and never win
FAST = {"label": "y", "bootstrap": 200, "baselines": False}
FEW_ARMS = {
    "inverse_frequency(beta=0.5)": lambda c: inverse_frequency(c, beta=0.5),
    "inverse_frequency(beta=1)": inverse_frequency,
    "focal(gamma=2)": focal(gamma=2.0),
}


def seeds(count: int, quick: int) -> list:
    """The first few in every run, the others in the slow one."""
    return [seed if seed < quick else pytest.param(seed, marks=pytest.mark.slow) for seed in range(count)]


def table(X, y) -> pd.DataFrame:
    data = pd.DataFrame(X, columns=[f"x{i}" for i in range(X.shape[1])])
    data["y"] = np.where(y == 1, "ill", "well")
    return data


def nothing(seed: int, n: int = 400) -> pd.DataFrame:
    """Labels independent of X."""
    rng = np.random.default_rng(seed)
    return table(rng.normal(size=(n, 5)), np.arange(n) < n // 10)


def outliers(seed: int, n: int = 2000) -> pd.DataFrame:
    """6 % positives shifted along one axis, 1 % negatives far out on it: they flatten an unweighted slope."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) < 6 * n // 100
    X = rng.normal(size=(n, 5))
    X[y, 0] += 2.5
    far = slice(6 * n // 100, 7 * n // 100)
    X[far] = rng.normal(size=X[far].shape) / 2
    X[far, 0] += 20
    return table(X, y)


def well_specified(seed: int, n: int = 1000) -> pd.DataFrame:
    """A logistic truth, which plain training can represent."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3))
    return table(X, rng.random(n) < 1 / (1 + np.exp(3 - 1.5 * X[:, 0] + X[:, 1])))


@pytest.mark.parametrize("seed", seeds(10, 2))
def test_labels_without_signal_never_have_a_winner(seed):
    found = tune(nothing(seed), **FAST, repeats=3, recipes=FEW_ARMS, seed=seed)
    assert found.verdict.winner is None
    assert found.verdict.case in "BCDF"


@pytest.mark.parametrize("seed", seeds(3, 1))
def test_weights_that_help_win(seed):
    found = tune(outliers(seed), **FAST, repeats=3, recipes=FEW_ARMS)
    assert found.verdict.case == "A"
    won = next(a for a in found.arms if a.name == found.verdict.winner)
    assert won.metrics["average_precision"]["low"] > 0
    assert won.metrics["average_precision"]["difference"] > 0.03
    assert found.final.arm == won.name
    assert found.final.recipe == won.recipe


@pytest.mark.parametrize("seed", seeds(3, 1))
def test_weights_that_cannot_help_do_not_win(seed):
    found = tune(well_specified(seed), **FAST, repeats=3, recipes=FEW_ARMS, metric="balanced-accuracy")
    assert found.verdict.winner is None


@pytest.fixture(scope="module")
def usual() -> Study:
    return tune(well_specified(0), **FAST, repeats=2, cost_fn=20, cost_fp=1)


def test_the_same_seed_gives_the_same_study(usual):
    again = tune(well_specified(0), **FAST, repeats=2, cost_fn=20, cost_fp=1).to_dict()
    first = usual.to_dict()
    for data in (first, again):
        data.pop("seconds")
    assert again == first


def test_another_seed_gives_other_folds(usual):
    other = tune(well_specified(0), **FAST, repeats=2, cost_fn=20, cost_fp=1, seed=1)
    assert other.arms[0].metrics != usual.arms[0].metrics


def test_logit_adjustment_is_listed_and_not_compared(usual):
    listed = next(a for a in usual.arms if a.name == "logit_adjustment(tau=1)")
    assert "free intercept" in listed.equals
    assert listed.metrics == usual.arms[0].metrics
    assert "6 strategies compared. In decisions, by expected cost" in usual.verdict.sentence


def test_counts_of_fits_are_arms_times_strengths_times_parts(usual):
    """Seven arms at seven strengths, and some of them at further ones."""
    each = 2 * 5 + 1
    further, rest = divmod(usual.fits["new"] - 7 * 7 * each, each)
    assert rest == usual.fits["reused"] == 0
    assert 0 <= further <= 7 * (len(usual.settings) - 7)


def test_costs_move_the_threshold_and_are_reported(usual):
    assert usual.final.threshold_rule == "expected_cost"
    assert 0.005 < usual.final.threshold < 0.2  # near 1 / 21 where probabilities are honest
    assert all("expected_cost" in a.metrics for a in usual.arms)
    by_cost = tune(well_specified(0), **FAST, repeats=2, cost_fn=20, metric="expected_cost", recipes=FEW_ARMS)
    assert by_cost.arms[0].metrics["expected_cost"] == usual.arms[0].metrics["expected_cost"]
    assert by_cost.to_dict()["costs"] == {"fn": 20, "fp": 1}


def test_the_final_model_is_the_fit_on_all_rows(usual):
    data = well_specified(0)
    X = data[["x0", "x1", "x2"]].to_numpy()
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    expected = LogisticRegression(C=1 / usual.final.setting, tol=1e-10, max_iter=1000).fit(X, data["y"] == "ill")
    assert usual.final.arm == "plain"
    np.testing.assert_allclose([c[0] for c in usual.final.model["coefficients"].values()], expected.coef_[0], atol=1e-4)
    np.testing.assert_allclose(usual.final.model["intercept"], expected.intercept_, atol=1e-4)


def test_undone_probabilities_are_honest_and_those_as_trained_are_not(usual):
    """Means of plain and of the best arm against the share of positives."""
    share = usual.problem.y.mean()
    plain = 1 / (1 + np.exp(-usual.pictures.arms["plain"].undone))
    assert plain.mean() == pytest.approx(share, rel=0.02)
    heavy = tune(well_specified(0), **FAST, repeats=2, recipes=[inverse_frequency])
    trained = 1 / (1 + np.exp(-list(heavy.pictures.arms.values())[1].trained))
    assert trained.mean() > 2 * share
    assert (1 / (1 + np.exp(-list(heavy.pictures.arms.values())[1].undone))).mean() == pytest.approx(share, rel=0.15)


def test_the_report_is_json_and_complete(usual):
    data = json.loads(json.dumps(usual.to_dict(), allow_nan=False))
    assert data["format"] == "steelyard.report/1"
    assert data["positive"] == "ill"
    assert data["data"]["classes"] == ["well", "ill"]
    assert sum(data["data"]["counts"]) == data["data"]["rows"] == 1000
    assert data["verdict"]["sentence"] == usual.verdict.sentence
    assert set(data["verdict"]) >= {"case", "winner", "threshold", "sentence"}
    assert data["arms"][0]["name"] == "plain"
    assert Recipe.from_json(json.dumps(data["final"]["recipe"])) == usual.final.recipe
    for name, curve in data["curves"].items():
        assert name in [a["name"] for a in data["arms"]]
        assert len(curve["precision_recall"]["recall"]) <= 200
        assert len(curve["thresholds"]["threshold"]) <= 200
        assert sum(g["rows"] for g in curve["reliability"]["after"]) == 2 * 1000


def test_progress_runs_from_nothing_to_all():
    seen = []
    found = tune(
        nothing(0),
        label="y",
        repeats=1,
        folds=2,
        bootstrap=100,
        recipes=[inverse_frequency],
        progress=lambda *n: seen.append(n),
    )
    assert seen[0][0] == 0
    assert seen[-1] == (found.fits["new"], found.fits["new"])
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_few_positives_give_no_verdict_but_intervals():
    data = well_specified(0)
    ill = np.flatnonzero(data["y"] == "ill")[14:]
    found = tune(data.drop(index=ill), **FAST, repeats=2, recipes=FEW_ARMS)
    assert found.verdict.case == "E"
    assert found.verdict.sentence.startswith("No verdict: 14 positives.")
    assert found.folds == 3
    assert found.arms[1].metrics["average_precision"]["high"] > found.arms[1].metrics["average_precision"]["low"]


def test_balanced_classes_leave_only_what_changes_the_loss():
    data = well_specified(0)
    n = (data["y"] == "ill").sum()
    even = pd.concat([part.head(n) for _, part in data.groupby("y")])
    found = tune(even, **FAST, repeats=2)
    assert {a.name for a in found.arms if not a.equals} == {"plain", "focal(gamma=2)"}


def test_nothing_to_compare_is_said():
    found = tune(well_specified(0), **FAST, repeats=2, recipes=[logit_adjustment])
    assert found.verdict.winner is None
    assert found.verdict.sentence.startswith("No weighting was compared")
    assert found.to_dict()["verdict"]["best"] is None


def test_three_classes_are_compared_by_balanced_accuracy():
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1, 2], [300, 60, 25])
    X = rng.normal(size=(385, 3)) + 1.5 * np.eye(3)[y]
    data = pd.DataFrame(X, columns=list("abc"))
    data["y"] = np.array(["x", "y", "z"])[y]
    found = tune(data, **FAST, repeats=2, recipes=FEW_ARMS)
    assert found.metric.name == "balanced_accuracy"
    assert found.verdict.case in "BCF"
    written = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert written["positive"] is None
    assert np.sum(written["curves"]["plain"]["confusion"]) == pytest.approx(385)
    assert written["verdict"]["threshold_is"] == "factors"
    assert written["verdict"]["threshold"] is None
    assert written["verdict"]["factors"] == list(found.threshold)
    assert found.threshold[0] == 1 > found.threshold[1] > found.threshold[2]  # balanced accuracy asks for the shares
    p, said = found.model.predict_proba(data), found.model.predict(data)
    np.testing.assert_array_equal(said, np.array(["x", "y", "z"])[(p / found.threshold).argmax(axis=1)])
    arm = found.pictures.arms["plain"]
    np.testing.assert_array_equal(arm.decided, arm.shifted.argmax(axis=-1))
    for one in written["arms"]:  # every weighting says how far its probabilities can be believed
        assert sum(group["rows"] for group in one["reliability"]) == pytest.approx(2 * 385)
    plain = written["curves"]["plain"]["reliability"]["after"]
    assert written["arms"][0]["reliability"] == plain
    assert np.any(arm.decided != arm.undone.argmax(axis=-1))
    cut = written["practice"]["cut"]
    assert cut["low"] > 0.02
    assert "over the largest probability" in found.verdict.sentence
    assert found.arms[0].metrics["balanced_accuracy"]["value"] > 0.6


def test_where_the_largest_probability_is_as_good_it_is_prescribed():
    rng = np.random.default_rng(0)
    y = np.arange(450) % 3  # as many of each: no share to divide by
    data = pd.DataFrame(rng.normal(size=(450, 3)) + 1.5 * np.eye(3)[y], columns=list("abc")).assign(y=y)
    found = tune(data, label="y", repeats=2, bootstrap=100, recipes={"focal": focal(gamma=2.0)}, baselines=False)
    assert found.threshold == found.model.threshold == (1.0, 1.0, 1.0)
    assert not found.practice.moves
    arm = found.pictures.arms["plain"]  # and what is told of decisions is told of those
    np.testing.assert_array_equal(arm.decided, arm.undone.argmax(axis=-1))
    kept = found.to_dict()["sampled"]["plain"]
    assert kept["rows"] == kept["of"] == 900
    assert "so the largest probability decides as well and is to be kept" in found.verdict.sentence
    np.testing.assert_array_equal(found.model.predict(data).astype(int), found.model.predict_proba(data).argmax(axis=1))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"model": "lineal"}, "no model 'lineal'; did you mean linear"),
        ({"metric": "f2"}, "unknown metric 'f2'. Did you mean 'f1'"),
        ({"folds": 1}, "folds must be a whole number, at least 2, got 1"),
        ({"repeats": 0}, "repeats must be a whole number"),
        ({"bootstrap": 10}, "bootstrap must be a whole number, at least 100"),
        ({"cost_fn": -1}, "cost_fn must be a number > 0"),
        ({"label": "z"}, "there is no column 'z'"),
    ],
)
def test_wrong_options_are_refused_with_the_way_out(options, says):
    with pytest.raises(ValueError, match=says):
        tune(nothing(0), **{"label": "y", **options})


def test_the_grid_grows_where_an_arm_still_gains():
    """On labels without signal log loss asks for ever more regularisation."""
    found = tune(nothing(3), **FAST, repeats=2, recipes=[inverse_frequency], metric="log-loss")
    assert len(found.settings) > 7
    steps = np.diff(np.log10(found.settings))
    np.testing.assert_allclose(steps, 0.5)
    assert max(found.settings) > 100


def test_a_grid_grows_for_the_arm_that_gains_and_for_plain(monkeypatch):
    """Balanced weights want ten thousand times the penalty on mammograms, a mild weighting none of it."""
    made = []

    class Kept(study.Search):
        def __init__(self, *args, **options):
            super().__init__(*args, **options)
            made.append(self)

    monkeypatch.setattr(study, "Search", Kept)
    recipes = {name: functools.partial(inverse_frequency, beta=beta) for name, beta in (("mild", 0.25), ("full", 1.0))}
    found = tune(DEMO, label="calcification", recipes=recipes, repeats=1, bootstrap=100, baselines=False)
    plain, mild, full = made[0].out.fitted
    assert full.all()
    assert plain.all()
    assert len(found.settings) > 7 == mild.sum()
    assert np.isnan(made[0].out.scores[1, ~mild]).all()
    assert found.fits["new"] == made[0].out.fitted.sum() * 6  # five parts and all rows


@pytest.mark.parametrize("model", [*by_name.names(), "sklearn.linear_model.LogisticRegression"])
@pytest.mark.parametrize("classes", [2, 3])
def test_every_model_goes_through_a_whole_study(model, classes):
    """Numbers, gaps, categories; two classes and three; the report can be written."""
    if model == "lightgbm":
        pytest.importorskip("lightgbm")
    rng = np.random.default_rng(1)
    y = np.repeat(np.arange(classes), [160, 60, 40][:classes])
    data = pd.DataFrame({"x": rng.normal(size=len(y)) + 1.5 * y, "ward": rng.choice(list("abc"), len(y)), "y": y})
    data.loc[::17, "x"] = np.nan
    found = tune(data, label="y", model=model, repeats=1, folds=2, bootstrap=100, recipes=FEW_ARMS, baselines=False)
    written = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    judged = [arm for arm in written["arms"] if not arm["equals_plain"]]
    assert {arm["name"] for arm in judged} | {s["name"] for s in written["skipped"]} == {"plain", *FEW_ARMS}
    ranked = judged[0]["metrics"]["roc_auc" if classes == 2 else "balanced_accuracy"]["value"]
    assert ranked > (0.75 if classes == 2 else 0.55)  # the signal is strong
    grid, each = len(by_name.named(model).axis.grid), 2 + (model == "linear")
    assert found.fits["new"] % each == 0
    assert len(judged) * grid * each <= found.fits["new"] <= len(judged) * len(found.settings) * each
