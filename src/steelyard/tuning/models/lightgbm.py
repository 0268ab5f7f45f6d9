"""LightGBM with a recipe as its objective."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from ...losses.modules import BinaryCrossEntropy, CrossEntropy
from ...losses.slopes import repeated
from ...recipe import Recipe
from .begun import Begun, name_of
from .boosting import AXIS, LEAVES, RATE, ROWS_IN_LEAF, Trees, whole
from .model import Fit
from .pointwise import constant, refusal

Booster = tuple[Any, Callable]  # and its objective

# A tree moves no logit by more than STEP * RATE = 1. Where 1 % are positive, Newton's step in a pure leaf of them is 1 / p = 100,
# or 10 logits at rate 0.1: too far, and only without weights, which would let weights win by repairing the optimiser.
STEP = 10.0


class LightGBMModel:
    """LightGBM with the gradient and the curvature of the recipe's own loss as its objective.

    Boosting starts at the recipe's constant optimum. Gradients and curvature are brought to the scale on which the mean
    curvature there is 1/4, that of even odds: no factor of the weights changes a tree, and what LightGBM compares
    with sums of curvature (min_sum_hessian_in_leaf, cat_l2) asks the same of every arm. A leaf's step is limited (see STEP).
    """

    name = "lightgbm"
    encoding = "raw"
    together = False
    free_intercept = True  # a shift of all logits moves the start, and nothing after it
    continues = False
    readable = True
    ruled = False
    weighs = True
    axis = AXIS

    def __init__(self) -> None:
        self._begun: Begun[Booster] = Begun()

    def refuses(self, recipe: Recipe, classes: int) -> str:
        """Why trees cannot be boosted by the recipe and compared, or ""."""
        return refusal(recipe, classes)

    def fit(self, fit: Fit) -> Trees:
        """Every recipe at every number of trees."""
        import lightgbm

        X, y, classes = fit.X, fit.y, fit.classes
        trees = whole(fit.settings)
        codes = [] if fit.categorical is None else np.flatnonzero(fit.categorical).tolist()
        fixed: dict[str, Any] = {
            "objective": "none",  # until a recipe is
            "learning_rate": RATE,
            "num_leaves": LEAVES,
            "min_data_in_leaf": ROWS_IN_LEAF,
            "max_delta_step": STEP,
            "num_class": 1 if classes == 2 else classes,
            "seed": fit.seed,
            "num_threads": 1,
            "deterministic": True,
            "force_row_wise": True,
            "verbosity": -1,
        }
        rows, models = None, []
        for recipe in fit.recipes:
            first, name = constant(recipe, fit.shares), name_of(fit, recipe)
            one = self._begun.take(name)
            try:
                if one is None:
                    if rows is None:
                        # LightGBM wants arrays that are no views; the bins are made once for all arms
                        rows = lightgbm.Dataset(
                            _owned(X), label=y, categorical_feature=codes, params=fixed, free_raw_data=False
                        ).construct()
                    rows.set_init_score(np.full(len(y), first[0]) if classes == 2 else np.tile(first, (len(y), 1)))
                    one = lightgbm.Booster(fixed, rows), _objective(recipe, fit, first)
                booster, objective = one
                for _ in range(booster.current_iteration(), max(trees)):
                    booster.update(fobj=objective)
                self._begun.keep(name, one, _size(fit))
            except lightgbm.basic.LightGBMError as error:
                if "num_features" not in str(error):
                    raise
                booster = None  # no column has two values that a split could tell apart
            models.append((booster, first))
        return Trees(tuple(models), tuple(trees), _staged, _gains)


def _size(fit: Fit) -> int:
    """Bytes of a booster, about: bins, scores and slopes of every row, sums of the leaves, trees, and the table that its bins were read
    from."""
    rows, columns = fit.X.shape
    logits = 1 if fit.classes == 2 else fit.classes
    return rows * (10 * columns + 32 * logits + 16) + LEAVES * columns * 256 * 16 + 2**19 * logits


def _staged(model: tuple[Any, np.ndarray], X: Any, numbers: Sequence[int]) -> np.ndarray:
    """Every tree is asked once, whatever the order of the numbers."""
    booster, first = model
    scores, done = {}, 0
    score = np.full(X.shape[0], first[0]) if len(first) == 1 else np.tile(first, (X.shape[0], 1))
    for k in sorted(set(numbers)):
        # num_iteration=0 would mean all of them: a booster that stopped early has no tree beyond its last
        if booster is not None and done < booster.current_iteration():
            score = score + booster.predict(
                _owned(X), start_iteration=done, num_iteration=k - done, raw_score=True, num_threads=1
            )
        scores[k], done = score, k
    return np.stack([scores[k] for k in numbers])


def _gains(model: tuple[Any, np.ndarray], trees: int) -> np.ndarray:
    return np.zeros(1) if model[0] is None else model[0].feature_importance("gain", iteration=trees)


def _objective(recipe: Recipe, fit: Fit, first: np.ndarray) -> Callable:
    """LightGBM's (scores, data) -> gradient and curvature, [rows] or [rows, C]."""
    y, classes = fit.y, fit.classes
    loss = (BinaryCrossEntropy if classes == 2 else CrossEntropy)(recipe)
    # tensors, once: what is asked a hundred times has nothing to convert
    labels = torch.from_numpy(y.astype(np.int64))
    weights = None if fit.weights is None else torch.from_numpy(np.ascontiguousarray(fit.weights, dtype=np.float64))
    # the diagonal alone would let C classes that move together go too far; LightGBM's own multiclass has this factor too
    shared = 1.0 if classes == 2 else classes / (classes - 1)
    of = repeated(loss, labels, weights)

    def slopes(z: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        scores = torch.from_numpy(np.ascontiguousarray(z, dtype=np.float64).reshape(len(y), -1))
        return of(scores[:, 0] if classes == 2 else scores)

    _, curvature = slopes(np.tile(first, (len(y), 1)))
    factor = 0.25 / float(curvature.mean())  # row weights have mean 1

    def objective(z: np.ndarray, data: Any) -> tuple[np.ndarray, np.ndarray]:
        g, h = slopes(z)
        return g.mul_(factor).numpy(), h.mul_(factor * shared).numpy()

    return objective


def _owned(X: np.ndarray) -> np.ndarray:
    return X if X.base is None else X.copy()


def saved(fitted: Trees) -> dict[str, Any]:
    """The first arm at the first setting, in LightGBM's own text; "" where it has no tree."""
    booster, first = fitted.models[0]
    text = "" if booster is None else booster.model_to_string(num_iteration=fitted.settings[0])
    return {"first": first.tolist(), "trees": text}


def restored(state: Mapping[str, Any], first: np.ndarray, width: int) -> Trees:
    """`saved` again, for rows of `width` columns. ValueError where the text is no model of theirs."""
    try:
        import lightgbm
    except ModuleNotFoundError:
        raise ImportError(
            "model: this model is LightGBM's, which is not installed: pip install 'steelyard[boosting]'"
        ) from None
    if not state["trees"]:
        return Trees(((None, first),), (1,), _staged, _gains)
    try:
        booster = lightgbm.Booster(model_str=state["trees"])
    except lightgbm.basic.LightGBMError as error:
        raise ValueError(f"LightGBM cannot read its trees ({error})") from None
    if booster.num_feature() != width or booster.num_model_per_iteration() != len(first):
        raise ValueError(f"its trees read {booster.num_feature()} columns, and there are {width}")
    return Trees(((booster, first),), (max(1, booster.current_iteration()),), _staged, _gains)
