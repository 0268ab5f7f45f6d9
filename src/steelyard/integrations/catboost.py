"""CatBoost: trees with a recipe as their objective, and the undo of class weights for models that exist already.

RecipeCatBoost("effective-number", trees=200).fit(X, y).predict_proba(X_new)

Weights per label and offsets per class are CatBoost's own losses of weighted rows that start elsewhere, so its C++ computes them; of other
fields Python computes the slopes, for two classes.
"""

# Types are checked where the framework is not installed.
# pyright: basic, reportMissingImports=false

import warnings
from typing import Any

import catboost
import numpy as np

import steelyard as sy

from .boosting import Boosted, Judge, Objective, Watch
from .classes import undone as probabilities


class RecipeCatBoost(Boosted):
    __doc__ = Boosted.__doc__

    def _grown(self, X: Any, codes: np.ndarray, weight: np.ndarray | None, watch: Watch) -> catboost.CatBoost:
        classes = len(self.classes_)
        options = {"iterations": self.trees, "verbose": False, "allow_writing_files": False, **(self.params or {})}
        shift = _native(self.recipe_, classes)
        if shift is not None:
            rows = self.recipe_.label_weights()[codes] * (1.0 if weight is None else weight)
            begin = self.first_ + (shift if classes > 2 else shift[1:] - shift[:1])
            options |= {"loss_function": "Logloss" if classes == 2 else "MultiClass"}
            if classes == 2:
                options |= {"boost_from_average": False}
        elif classes > 2:
            raise ValueError(
                "RecipeCatBoost: of more than two classes CatBoost takes weights per label and offsets per class alone; RecipeLGBM and"
                " RecipeXGB take every field."
            )
        else:
            rows, begin = weight, self.first_
            options |= {
                "loss_function": _Slopes(Objective(self.recipe_, codes, weight, self.first_)),
                "eval_metric": "Logloss",
            }
            options = {"leaf_estimation_iterations": 1, "leaf_estimation_method": "Newton", **options}

        def started(many: int) -> np.ndarray:
            return np.full(many, begin[0]) if classes == 2 else np.tile(begin, (many, 1))

        more: dict[str, Any] = {}
        if watch.rows is not None and watch.judge is not None:
            seen = watch.rows
            options["eval_metric"] = _Metric(watch.judge, 0.0 if shift is None else begin - self.first_)
            pool = catboost.Pool(seen.X, seen.codes, weight=seen.weight, baseline=started(len(seen.codes)))
            more = {"eval_set": pool, "use_best_model": watch.rounds is not None, "early_stopping_rounds": watch.rounds}
        with warnings.catch_warnings():
            warnings.filterwarnings(
                "ignore", "Failed to import numba"
            )  # it would compile the objective; ours is torch's already
            booster = catboost.CatBoost(options).fit(
                catboost.Pool(X, codes, weight=rows, baseline=started(len(codes))),
                callbacks=watch.callbacks or None,
                **more,
            )
        found = booster.get_evals_result().get("validation", {}) if more else {}
        self.evals_ = np.array(found.get("_Metric", []))
        self.trees_ = int(booster.tree_count_)
        return booster

    def _raw(self, X: Any) -> np.ndarray:
        return np.asarray(self.booster_.predict(X, prediction_type="RawFormulaVal"))


class _Slopes:
    """What CatBoost asks of an objective in Python: derivatives of what is to grow, of all rows at once."""

    def __init__(self, objective: Objective):
        self.objective = objective

    def calc_ders_range(self, approxes: Any, targets: Any, weights: Any) -> Any:
        rows = None if weights is None else np.asarray(weights)
        g, h = self.objective.of(np.asarray(approxes), np.asarray(targets).astype(np.int64), rows)
        return np.column_stack([-g, -h])


class _Metric:
    """What CatBoost asks of a metric in Python: the judge's mean of scores that start where the trees do."""

    def __init__(self, judge: Judge, shift: Any):
        self.judge, self.shift = judge, shift

    def is_max_optimal(self) -> bool:
        return False

    def evaluate(self, approxes: Any, target: Any, weight: Any) -> tuple[float, float]:
        z = np.column_stack(approxes) - self.shift
        rows = None if weight is None else np.asarray(weight)
        codes = np.asarray(target).astype(np.int64)
        return self.judge(z[:, 0] if z.shape[1] == 1 else z, codes, rows), 1.0

    def get_final_error(self, error: float, weight: float) -> float:
        return error


def _native(recipe: sy.Recipe, classes: int) -> np.ndarray | None:
    """[C] offsets of a recipe that is weights per label and offsets per class alone; None of another."""
    if any(getattr(recipe, f) is not None for f in ("scale", "margin", "target", "curve")):
        return None
    if recipe.weight is not None and recipe.weight.shape[1] > 1:
        return None
    if recipe.offset is None:
        return np.zeros(classes)
    offset = np.broadcast_to(recipe.offset.numpy(), (classes, classes))
    return offset[0].copy() if bool((offset == offset[0]).all()) and np.isfinite(offset).all() else None


def trained_with(model: Any) -> sy.Recipe:
    """The weights that a model was trained under, as a Recipe: scale_pos_weight, class_weights or auto_class_weights, which it keeps.

    model   a CatBoostClassifier that is fitted. ValueError for losses other than Logloss and MultiClass
    """
    options = model.get_all_params()
    if options.get("loss_function") not in ("Logloss", "MultiClass"):
        raise ValueError(
            f"trained_with: the model's loss is {options.get('loss_function')}; class weights are undone of Logloss and MultiClass."
        )
    weight = options.get("class_weights")
    return sy.Recipe(weight=np.ones(len(model.classes_)) if weight is None else np.asarray(weight), kind="exclusive")


def undone(model: Any, X: Any) -> np.ndarray:
    """[rows, C] probabilities of a CatBoostClassifier that exists, without the weights that `trained_with` finds."""
    return probabilities(
        np.asarray(model.predict(X, prediction_type="RawFormulaVal"), dtype=np.float64), trained_with(model)
    )
