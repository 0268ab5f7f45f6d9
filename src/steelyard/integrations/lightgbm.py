"""LightGBM: trees with a recipe as their objective, and the undo of is_unbalance and scale_pos_weight for models that exist already.

RecipeLGBM("effective-number", trees=200).fit(X, y).predict_proba(X_new)
"""

# Types are checked where the framework is not installed.
# pyright: basic, reportMissingImports=false

from typing import Any

import lightgbm
import numpy as np

import steelyard as sy

from .boosting import STEP, Boosted, Objective, Watch, balance
from .classes import undone as probabilities


class RecipeLGBM(Boosted):
    __doc__ = Boosted.__doc__

    def _grown(self, X: Any, codes: np.ndarray, weight: np.ndarray | None, watch: Watch) -> lightgbm.Booster:
        classes = len(self.classes_)
        objective = Objective(self.recipe_, codes, weight, self.first_)
        options = {
            "verbosity": -1,
            "max_delta_step": STEP,
            **(self.params or {}),
            "num_class": 1 if classes == 2 else classes,
            "objective": lambda scores, data: objective(scores),
        }
        rows = lightgbm.Dataset(X, label=codes, init_score=self._begin(len(codes)))
        callbacks, more, record = list(watch.callbacks), {}, {}
        if watch.rows is not None and watch.judge is not None:
            judge, seen = watch.judge, watch.rows
            options["metric"] = "None"  # its own would be of the raw scores
            begin = self._begin(len(seen.codes))
            more = {
                "valid_sets": [lightgbm.Dataset(seen.X, label=seen.codes, init_score=begin, reference=rows)],
                "valid_names": ["eval"],
                "feval": lambda scores, data: (judge.name, judge(scores, seen.codes, seen.weight), False),
            }
            callbacks.append(lightgbm.record_evaluation(record))
            if watch.rounds is not None:
                callbacks.append(lightgbm.early_stopping(watch.rounds, verbose=False))
        booster = lightgbm.train(options, rows, num_boost_round=self.trees, callbacks=callbacks, **more)
        self.evals_ = np.array(record.get("eval", {}).get(watch.judge.name, []) if watch.judge else [])
        self.trees_ = booster.best_iteration if booster.best_iteration > 0 else booster.current_iteration()
        return booster

    def _raw(self, X: Any) -> np.ndarray:
        if not self.trees_:  # 0 would mean all that it has
            return np.zeros(np.shape(X)[0] if len(self.classes_) == 2 else (np.shape(X)[0], len(self.classes_)))
        return np.asarray(self.booster_.predict(X, raw_score=True, num_iteration=self.trees_))


def trained_with(model: Any, counts: sy.Counts | None = None) -> sy.Recipe:
    """The weights that a model of two classes was trained under, as a Recipe: those of is_unbalance, scale_pos_weight and class_weight.

    model   an LGBMClassifier that is fitted, or a Booster with the objective binary
    counts  of the labels that it was trained on: is_unbalance and class_weight="balanced" are made of them

    ValueError for models of other objectives, and where counts are needed.
    """
    booster = getattr(model, "booster_", model)
    of_classifier = model.get_params() if hasattr(model, "get_params") else {}
    options = {**getattr(booster, "params", {}), **{k: v for k, v in of_classifier.items() if v is not None}}
    objective = str(options.get("objective") or ("binary" if getattr(model, "n_classes_", 2) == 2 else "multiclass"))
    if not objective.startswith("binary"):
        raise ValueError(
            f"trained_with: the model's objective is {objective}; is_unbalance and scale_pos_weight act on two classes."
        )
    weight = np.ones(2)
    if any(
        str(options.get(name)).lower() in ("true", "1") for name in ("is_unbalance", "unbalance", "unbalanced_sets")
    ):
        n = balance("trained_with", counts, "is_unbalance")
        weight *= n.max() / n
    weight[1] *= float(options.get("scale_pos_weight", 1.0))
    by_class = options.get("class_weight")
    if isinstance(by_class, str):
        n = balance("trained_with", counts, "class_weight='balanced'")
        weight *= n.sum() / (2 * n)
    elif by_class:
        weight *= np.array([by_class.get(c, 1.0) for c in model.classes_.tolist()])
    return sy.Recipe(weight=weight, kind="exclusive")


def undone(model: Any, X: Any, counts: sy.Counts | None = None) -> np.ndarray:
    """[rows, 2] probabilities of a model that exists, without the weights that `trained_with` finds."""
    booster = getattr(model, "booster_", model)
    return probabilities(np.asarray(booster.predict(X, raw_score=True), dtype=np.float64), trained_with(model, counts))
