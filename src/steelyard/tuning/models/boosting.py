"""Boosted trees of scikit-learn, with label weights; and what LightGBM's share with them.

`--model boosting` is always scikit-learn's and `--model lightgbm` (lightgbm.py) always the other, whatever is installed, so that
one command gives one answer on every machine.
"""

import dataclasses
import functools
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from ...curves import Log
from ...recipe import Recipe
from . import skopped
from .bins import Bins
from .model import Axis, Fit
from .pointwise import refusal

# one that still gains at 100 gets more: rare classes are mostly learned by then, and every fit would pay for the trees beyond
AXIS = Axis("trees", "trees", (25.0, 50.0, 100.0), default=100.0, lower=(10.0,), upper=(200.0, 400.0, 800.0), stride=1)
RATE, LEAVES, ROWS_IN_LEAF = 0.1, 31, 20


@dataclasses.dataclass(frozen=True)
class Trees:
    """Fitted ensembles, one per arm with the largest number of trees; fewer of them are a beginning of it.

    staged   (model, X, numbers of trees) -> [numbers, rows(, C)], one model per arm
    """

    models: tuple[Any, ...]
    settings: tuple[int, ...]
    staged: Callable[[Any, Any, Sequence[int]], np.ndarray]
    gains: Callable[[Any, int], np.ndarray] | None = None

    @property
    def converged(self) -> np.ndarray:
        """[arms, settings] True: when to stop is what the number of trees is tuned for."""
        return np.ones((len(self.models), len(self.settings)), dtype=bool)

    def logits(self, X: Any) -> np.ndarray:
        """[arms, settings, rows] for two classes, else [arms, settings, rows, C]; as trained, not undone."""
        return np.stack([self.staged(model, X, self.settings) for model in self.models])

    def arrays(self) -> dict[str, np.ndarray]:
        return {}

    def describe(self, arm: int, setting: int, names: Sequence[str]) -> dict[str, Any]:
        """{"gain": {column: its share of what the splits gained}}, the largest first; {} for scikit-learn's."""
        if self.gains is None:
            return {}
        gain = self.gains(self.models[arm], self.settings[setting])
        shares = gain / max(gain.sum(), np.finfo(float).tiny)
        return {"gain": {names[i]: float(shares[i]) for i in np.argsort(-shares, kind="stable") if shares[i] > 0}}


class BoostingModel:
    """scikit-learn's HistGradientBoostingClassifier; the weights of the labels are its sample_weight.

    Its leaves hold 20 rows or more, by number and not by weight, so that no arm grows other trees for its weights' scale.
    """

    name = "boosting"
    encoding = "raw"
    together = False
    free_intercept = False
    continues = False
    readable = False
    ruled = False
    weighs = True
    axis = AXIS

    def refuses(self, recipe: Recipe, classes: int) -> str:
        """Why label weights do not say it, or ""."""
        more = beyond_weights(recipe)
        if more:
            return (
                f"scikit-learn's boosting takes label weights only, and it also sets {more}; --model lightgbm takes it"
            )
        return refusal(recipe, classes)

    def fit(self, fit: Fit) -> Trees:
        """Every recipe at every number of trees."""
        from sklearn.ensemble import HistGradientBoostingClassifier

        trees = whole(fit.settings)
        present(fit, self.name)
        bins = Bins.of(fit.X, fit.categorical)
        rows = bins(fit.X)
        fixed: dict[str, Any] = {
            "learning_rate": RATE,
            "max_iter": max(trees),
            "max_leaf_nodes": LEAVES,
            "min_samples_leaf": ROWS_IN_LEAF,
            "early_stopping": False,
            "categorical_features": fit.categorical,
            "random_state": fit.seed,
        }
        models = []
        with one_thread():
            for recipe in fit.recipes:
                model = HistGradientBoostingClassifier(**fixed)
                models.append((model.fit(rows, fit.y, sample_weight=sample_weights(recipe, fit)), bins))
        return Trees(tuple(models), tuple(trees), _staged)


def _staged(model: tuple[Any, Bins], X: Any, numbers: Sequence[int]) -> np.ndarray:
    classifier, binned = model
    scores = {}
    with one_thread():
        for k, raw in enumerate(classifier.staged_decision_function(binned(X)), start=1):
            if k in numbers:
                scores[k] = raw.copy()
    return np.stack([scores[k] for k in numbers])


def saved(fitted: Trees) -> dict[str, Any]:
    """The first arm at the first setting: skops' text of the classifier, and the bins."""
    classifier, bins = fitted.models[0]
    return {"skops": skopped.dumped(classifier), **bins.to_dict()}


def restored(state: Mapping[str, Any], classes: int, width: int, trusted: Collection[str] = ()) -> Trees:
    """`saved` again, for rows of `width` columns. ValueError where it is another classifier, or reads other columns."""
    one = skopped.restored(state["skops"], trusted)
    kind = type(one).__name__
    if kind != "HistGradientBoostingClassifier":
        raise ValueError(f"its classifier is a {kind}, and HistGradientBoostingClassifier belongs there")
    if (one.n_features_in_, len(one.classes_)) != (width, classes):
        raise ValueError(
            f"its trees read {one.n_features_in_} columns and tell {len(one.classes_)} classes, and there are {width} and {classes}"
        )
    return Trees(((one, Bins.from_dict(state, width)),), (one.n_iter_,), _staged)


def one_thread() -> AbstractContextManager[Any]:
    """OpenMP's limit belongs to a thread: one that was set by whoever started this thread does not hold in it."""
    return _pools().limit(limits=1, user_api="openmp")


@functools.cache
def _pools() -> Any:
    import sklearn.ensemble  # noqa: F401  # only what is loaded is found
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()  # looks through all libraries, which takes longer than a small fit


def beyond_weights(recipe: Recipe) -> str:
    """What the recipe sets beside weights per label, for a sentence, or ""."""
    names = [f for f in ("scale", "offset", "margin", "target") if getattr(recipe, f) is not None]
    if not isinstance(recipe.curve, (Log, type(None))):
        names.append("curve")
    return ", ".join(names)


def label_weights(recipe: Recipe, classes: int) -> np.ndarray:
    """W[y,y] of every label, [C]."""
    return np.ones(classes) if recipe.weight is None else recipe.weight.diagonal(classes)


def sample_weights(recipe: Recipe, fit: Fit) -> np.ndarray:
    """[rows]: the weight of each row's label, times the row's own."""
    by_label = label_weights(recipe, fit.classes)[fit.y]
    return by_label if fit.weights is None else by_label * fit.weights


def whole(settings: np.ndarray) -> list[int]:
    trees = [round(float(s)) for s in settings]
    if not trees or min(trees) < 1:
        raise ValueError(f"tune: boosting takes 1 tree or more, got {list(settings)}.")
    return trees


def present(fit: Fit, model: str) -> None:
    """ValueError unless every class is there: scikit-learn would number the others anew."""
    missing = np.flatnonzero(fit.shares == 0)
    if len(missing):
        raise ValueError(
            f"tune: a training part of {len(fit.y)} rows has none of class {missing[0]}, and {model} can only learn classes that"
            " it sees. Take fewer folds, or merge the class with another."
        )
