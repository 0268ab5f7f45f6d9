"""XGBoost: trees with a recipe as their objective, and the undo of scale_pos_weight for models that exist already.

RecipeXGB("effective-number", trees=200).fit(X, y).predict_proba(X_new)
"""

# Types are checked where the framework is not installed.
# pyright: basic, reportMissingImports=false

import json
from typing import Any

import numpy as np
import xgboost

import steelyard as sy

from .boosting import STEP, Boosted, Objective, Watch
from .classes import undone as probabilities


class RecipeXGB(Boosted):
    __doc__ = Boosted.__doc__

    def _grown(self, X: Any, codes: np.ndarray, weight: np.ndarray | None, watch: Watch) -> xgboost.Booster:
        classes = len(self.classes_)
        objective = Objective(self.recipe_, codes, weight, self.first_)
        options = {"verbosity": 0, "max_delta_step": STEP, **(self.params or {}), "base_score": 0.0}
        if classes > 2:
            options["num_class"] = classes
        more: dict[str, Any] = {}
        record: dict[str, Any] = {}
        if watch.rows is not None and watch.judge is not None:
            judge, seen = watch.judge, watch.rows
            more = {
                "evals": [(self._rows(seen.X, seen.codes), "eval")],
                "custom_metric": lambda scores, data: (
                    judge.name,
                    judge(scores.reshape(len(seen.codes), -1) if classes > 2 else scores, seen.codes, seen.weight),
                ),
                "maximize": False,
                "evals_result": record,
                "verbose_eval": False,
                "early_stopping_rounds": watch.rounds,
            }
        booster = xgboost.train(
            {**options, "disable_default_eval_metric": True},
            self._rows(X, codes),
            num_boost_round=self.trees,
            obj=lambda scores, data: objective(scores.reshape(len(codes), -1) if classes > 2 else scores),
            callbacks=watch.callbacks or None,
            **more,
        )
        self.evals_ = np.array(record.get("eval", {}).get(watch.judge.name, []) if watch.judge else [])
        self.trees_ = booster.best_iteration + 1 if watch.rounds is not None else booster.num_boosted_rounds()
        return booster

    def _raw(self, X: Any) -> np.ndarray:
        margins = self.booster_.predict(self._rows(X), output_margin=True, iteration_range=(0, self.trees_))
        return margins.astype(np.float64) - (self.first_[0] if len(self.classes_) == 2 else self.first_)

    def _rows(self, X: Any, codes: np.ndarray | None = None) -> xgboost.DMatrix:
        return xgboost.DMatrix(X, label=codes, base_margin=self._begin(np.shape(X)[0]))


def trained_with(model: Any) -> sy.Recipe:
    """The weights that a model of two classes was trained under, as a Recipe: scale_pos_weight.

    model  an XGBClassifier that is fitted, or a Booster with the objective binary:logistic. ValueError for other objectives
    """
    booster = model.get_booster() if hasattr(model, "get_booster") else model
    kept = json.loads(booster.save_config())["learner"]["objective"]
    if kept["name"] not in ("binary:logistic", "binary:logitraw"):
        raise ValueError(
            f"trained_with: the model's objective is {kept['name']}; scale_pos_weight acts on binary:logistic."
        )
    return sy.Recipe(weight=[1.0, float(kept["reg_loss_param"]["scale_pos_weight"])], kind="exclusive")


def undone(model: Any, X: Any) -> np.ndarray:
    """[rows, 2] probabilities of a model that exists, without the weights that `trained_with` finds."""
    booster = model.get_booster() if hasattr(model, "get_booster") else model
    margins = booster.predict(xgboost.DMatrix(X), output_margin=True)
    return probabilities(margins.astype(np.float64), trained_with(model))
