"""Laws of the boosters, each with its own library. Files: integrations/lightgbm.py, integrations/xgboost.py, integrations/catboost.py."""

import importlib

import numpy as np
import pytest

import steelyard as sy

pytest.importorskip("sklearn")
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.model_selection import cross_val_predict

X, Y = make_classification(1000, 6, n_informative=4, weights=[0.93], random_state=0)
X3, Y3 = make_classification(900, 6, n_informative=4, n_classes=3, weights=[0.8, 0.15], random_state=1)
SHARE = Y.mean()
RECIPES = {
    "plain": None,
    "weights": "inverse-frequency",
    "offsets": "logit-adjustment",
    "both": ["inverse-frequency", "logit-adjustment"],
    "focal": ["effective-number", sy.focal(gamma=1.0)],
    "smooth": sy.smooth(0.05),
    "scale": sy.fixed(scale=2.0),
}
NEUTRAL = {  # no limit on sums of curvature or on steps, so that only their ratio counts; one thread
    "lightgbm": {"min_sum_hessian_in_leaf": 0, "max_delta_step": 0, "num_threads": 1, "deterministic": True},
    "xgboost": {
        "tree_method": "exact",
        "lambda": 0,
        "min_child_weight": 0,
        "max_delta_step": 0,
        "nthread": 1,
        "max_depth": 4,
    },
    "catboost": {
        "thread_count": 1,
        "random_seed": 0,
        "bootstrap_type": "No",
        "random_strength": 0,
        "depth": 4,
        "learning_rate": 0.2,  # else it is made of the number of trees
    },
}
NAMES = {"lightgbm": "RecipeLGBM", "xgboost": "RecipeXGB", "catboost": "RecipeCatBoost"}


@pytest.fixture(params=NAMES)
def name(request):
    pytest.importorskip(request.param)
    return request.param


@pytest.fixture
def make(name):
    kind = getattr(importlib.import_module(f"steelyard.integrations.{name}"), NAMES[name])
    return lambda strategy=None, trees=8, **options: kind(strategy, trees=trees, params=NEUTRAL[name], **options)


def its_own(name, weight, first):
    """Raw scores of the library's own cross-entropy, trees that start at `first`."""
    start, fixed = np.full(len(Y), first), NEUTRAL[name]
    if name == "lightgbm":
        import lightgbm

        rows = lightgbm.Dataset(X, Y, weight=weight, init_score=start)
        booster = lightgbm.train(
            {"objective": "binary", "boost_from_average": False, "verbosity": -1, **fixed}, rows, 8
        )
        return booster.predict(X, raw_score=True) + start
    if name == "xgboost":
        import xgboost

        rows = xgboost.DMatrix(X, Y, weight=weight, base_margin=start)
        return xgboost.train({"objective": "binary:logistic", "verbosity": 0, **fixed}, rows, 8).predict(
            rows, output_margin=True
        )
    import catboost

    pool = catboost.Pool(X, Y, weight=weight, baseline=start)
    quiet = {"verbose": False, "allow_writing_files": False, "boost_from_average": False, "loss_function": "Logloss"}
    return (
        catboost.CatBoost({"iterations": 8, **quiet, **fixed}).fit(pool).predict(X, prediction_type="RawFormulaVal")
        + start
    )


def test_without_a_recipe_the_trees_are_the_librarys_own(name, make):
    """Row weights that all differ leave no ties, of which rounding would choose."""
    weight = np.random.default_rng(0).uniform(0.5, 1.5, len(Y))
    ours = make().fit(X, Y, sample_weight=weight)
    assert ours.first_[0] == pytest.approx(np.log((weight @ Y) / (weight @ (1 - Y))), abs=1e-8)
    theirs = its_own(name, weight, ours.first_[0])
    np.testing.assert_allclose(ours.decision_scores(X), theirs, atol=5e-3)  # a tie or two of XGBoost
    np.testing.assert_allclose(ours.predict_proba(X)[:, 1], 1 / (1 + np.exp(-theirs)), atol=1e-3)


def test_a_common_factor_of_the_weights_changes_nothing(make):
    one, two = (make(sy.fixed(weight=[w, 7 * w])).fit(X, Y) for w in (1.0, 40.0))
    np.testing.assert_allclose(one.predict_proba(X), two.predict_proba(X), atol=1e-5)


def test_offsets_shift_the_start_and_are_undone_again(make):
    plain, shifted = make().fit(X, Y), make("logit-adjustment").fit(X, Y)
    np.testing.assert_allclose(shifted.predict_proba(X), plain.predict_proba(X), atol=1e-5)
    raw = make("logit-adjustment", undo=False).fit(X, Y).predict_proba(X)[:, 1]
    assert raw.mean() > 3 * SHARE


@pytest.mark.parametrize("recipe", RECIPES)
def test_every_recipe_is_boosted_and_undone(name, make, recipe):
    """Without a tree the undone probabilities are the shares; with trees they rank and hold the share roughly."""
    model = make(RECIPES[recipe], trees=1).fit(X, Y)
    start = model.first_[0]
    odds = sy.posterior(np.array([start]), model.recipe_, link="sigmoid")
    np.testing.assert_allclose(odds, SHARE, atol=1e-6)
    model = make(RECIPES[recipe], trees=40).fit(X, Y)
    p = model.predict_proba(X)
    np.testing.assert_allclose(p.sum(1), 1)
    assert abs(p[:, 1].mean() / SHARE - 1) < 0.5
    assert p[Y == 1, 1].mean() > 2 * p[Y == 0, 1].mean()
    if name == "catboost" and recipe in ("focal", "smooth", "scale"):
        with pytest.raises(ValueError, match="weights per label and offsets per class alone"):
            make(RECIPES[recipe]).fit(X3, Y3)
        return
    many = make(RECIPES[recipe], trees=20).fit(X3, Y3)
    np.testing.assert_allclose(sy.posterior(many.first_[None], many.recipe_)[0], np.bincount(Y3) / len(Y3), atol=1e-6)
    assert (many.predict(X3) == Y3).mean() > 0.85


def test_labels_costs_and_folds_are_as_in_scikit_learn(make):
    names = np.where(Y, "ill", "well")
    model = make("inverse-frequency").fit(X, names)
    assert model.classes_.tolist() == ["ill", "well"]
    assert set(model.predict(X)) <= {"ill", "well"}
    assert abs(model.predict_proba(X)[:, 0].mean() / SHARE - 1) < 0.5
    careful = make("inverse-frequency", costs=[[0, 50], [1, 0]]).fit(X, names)
    assert (careful.predict(X) == "ill").mean() > (model.predict(X) == "ill").mean()
    found = cross_val_predict(clone(make("inverse-frequency")), X, Y, cv=3, method="predict_proba")
    assert found.shape == (len(Y), 2)
    with pytest.raises(ValueError, match="one class"):
        make().fit(X, np.zeros(len(Y)))


def test_weights_of_models_that_exist_are_undone(name):
    ours = importlib.import_module(f"steelyard.integrations.{name}")
    counts = sy.count(Y)
    negatives, positives = counts.table
    if name == "lightgbm":
        import lightgbm

        quiet = {"n_estimators": 20, "verbosity": -1, "n_jobs": 1}
        known = {"counts": counts}
        models = {
            (1.0, negatives / positives): lightgbm.LGBMClassifier(is_unbalance=True, **quiet),
            (1.0, 7.0): lightgbm.LGBMClassifier(scale_pos_weight=7.0, **quiet),
            (2.0, 6.0): lightgbm.LGBMClassifier(class_weight={0: 2.0, 1: 6.0}, **quiet),
            (len(Y) / (2 * negatives), len(Y) / (2 * positives)): lightgbm.LGBMClassifier(
                class_weight="balanced", **quiet
            ),
        }
        with pytest.raises(ValueError, match="was trained with is_unbalance, and does not keep"):
            ours.undone(next(iter(models.values())).fit(X, Y), X)
        text = models[(1.0, 7.0)].fit(X, Y).booster_.model_to_string()
        assert ours.trained_with(lightgbm.Booster(model_str=text)).label_weights().tolist() == [1.0, 7.0]
    elif name == "xgboost":
        import xgboost

        known, models = {}, {(1.0, 7.0): xgboost.XGBClassifier(scale_pos_weight=7.0, n_estimators=20, n_jobs=1)}
        with pytest.raises(ValueError, match="objective is multi:softprob"):
            ours.trained_with(xgboost.XGBClassifier(n_estimators=2).fit(X3, Y3))
    else:
        import catboost

        quiet, known = {"iterations": 20, "verbose": False, "allow_writing_files": False, "thread_count": 1}, {}
        models = {
            (1.0, 7.0): catboost.CatBoostClassifier(scale_pos_weight=7.0, **quiet),
            (2.0, 6.0): catboost.CatBoostClassifier(class_weights=[2.0, 6.0], **quiet),
            (1.0, negatives / positives): catboost.CatBoostClassifier(auto_class_weights="Balanced", **quiet),
        }
    for weights, model in models.items():
        fitted = model.fit(X, Y)
        np.testing.assert_allclose(ours.trained_with(fitted, **known).label_weights(), weights, rtol=1e-6)
        p = fitted.predict_proba(X) / np.array(weights)
        np.testing.assert_allclose(ours.undone(fitted, X, **known), p / p.sum(1, keepdims=True), atol=1e-6)


LOSSES = ["undone", "recipe"]


def eval_rows(classes):
    """Rows of the same kind whose labels are half noise: more trees soon do harm."""
    X_, y_ = (X, Y) if classes == 2 else (X3, Y3)
    rng = np.random.default_rng(3)
    rows = rng.permutation(len(y_))[:400]
    y_ = np.where(rng.uniform(size=400) < 0.4, rng.permutation(y_[rows]), y_[rows])
    return X_[rows] + rng.normal(size=(400, 6)) * 0.5, y_


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("recipe", ["plain", "both", "focal"])
def test_the_eval_set_is_judged_as_the_model_answers(name, make, recipe, loss, classes):
    """The last loss written down is that of the model's own answers, start and undo in it, by weights of the rows."""
    if name == "catboost" and classes == 3 and recipe == "focal":
        pytest.skip("refused")
    X_, y_ = (X, Y) if classes == 2 else (X3, Y3)
    seen, labels = eval_rows(classes)
    weight = np.random.default_rng(1).uniform(0.5, 2, len(labels))
    model = make(RECIPES[recipe], trees=12).fit(
        X_, y_, eval_set=(seen, labels), eval_sample_weight=weight, eval_loss=loss
    )
    assert model.trees_ == len(model.evals_) == 12
    if loss == "undone":
        each = -np.log(model.predict_proba(seen)[np.arange(len(labels)), labels])
    else:
        import torch

        z = torch.from_numpy(model.decision_scores(seen))
        each = (sy.BinaryCrossEntropy if classes == 2 else sy.CrossEntropy)(model.recipe_, reduction="none")(
            z, torch.from_numpy(labels)
        ).numpy()
    assert model.evals_[-1] == pytest.approx(np.average(each, weights=weight), rel=1e-5)
    np.testing.assert_allclose(model.predict_proba(X_), make(RECIPES[recipe], trees=12).fit(X_, y_).predict_proba(X_))


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("recipe", ["both", "focal"])
def test_early_stopping_keeps_the_trees_up_to_the_least_loss(make, recipe, loss):
    seen, labels = eval_rows(2)
    model = make(RECIPES[recipe], trees=150).fit(X, Y, eval_set=[(seen, labels)], eval_loss=loss, early_stopping=5)
    assert len(model.evals_) < 150, "it was to stop"
    assert model.trees_ == model.evals_.argmin() + 1
    assert len(model.evals_) == model.trees_ + 5
    short = make(RECIPES[recipe], trees=model.trees_).fit(X, Y)
    np.testing.assert_allclose(model.predict_proba(X), short.predict_proba(X), atol=1e-6)


def test_eval_sets_that_do_not_fit_are_named(make):
    names = np.where(Y, "ill", "well")
    for says, options in {
        "labels that y does not hold: unknown": {"eval_set": (X[:2], ["ill", "unknown"])},
        "has no rows": {"eval_set": (X[:0], [])},
        "need rows to judge by": {"early_stopping": 5},
        "eval_loss must be one of undone, recipe": {"eval_set": (X, names), "eval_loss": "auc"},
        "1 or more, got 0": {"eval_set": (X, names), "early_stopping": 0},
        "one pair": {"eval_set": [(X, names), (X, names)]},
    }.items():
        with pytest.raises(ValueError, match=says):
            make(trees=2).fit(X, names, **options)
    model = make(trees=3).fit(X, names, eval_set=(X, names))
    assert len(model.evals_) == 3
    assert len(make(trees=3).fit(X, names).evals_) == 0


def test_callbacks_are_the_boosters_own(name, make):
    seen = []
    if name == "lightgbm":

        def callback(env):
            seen.append(env.iteration)

    elif name == "xgboost":
        import xgboost

        class Heard(xgboost.callback.TrainingCallback):
            def after_iteration(self, model, epoch, evals_log):
                seen.append(epoch)
                return False

        callback = Heard()
    else:

        class Heard:
            def after_iteration(self, info):
                seen.append(info.iteration)
                return True

        callback = Heard()
    make("inverse-frequency", trees=4).fit(X, Y, callbacks=[callback])
    assert len(seen) == 4


def test_they_are_recalibrated_on_request(make):
    """Trees that were fitted far beyond the optimum say too much; CalibratedClassifierCV around them takes it back."""
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.metrics import log_loss

    rows = np.arange(len(Y)) % 2 == 0
    fitted = make("inverse-frequency", trees=60).fit(X[rows], Y[rows])
    calibrated = CalibratedClassifierCV(make("inverse-frequency", trees=60), cv=3).fit(X[rows], Y[rows])
    p, q = (model.predict_proba(X[~rows]) for model in (fitted, calibrated))
    assert log_loss(Y[~rows], q) < log_loss(Y[~rows], p)
    assert abs(q[:, 1].mean() - SHARE) < 0.03
