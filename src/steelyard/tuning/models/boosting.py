"""Boosted trees of scikit-learn, with label weights; and what LightGBM's share with them.

`--model boosting` is always scikit-learn's and `--model lightgbm` (lightgbm.py) always the other, whatever is installed, so that
one command gives one answer on every machine.
"""

import dataclasses
import functools
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Self

import numpy as np

from ...curves import Log
from ...recipe import Recipe
from .model import Axis, Fit
from .pointwise import refusal

# one that still gains at 100 gets more: rare classes are mostly learned by then, and every fit would pay for the trees beyond
AXIS = Axis("trees", "trees", (25.0, 50.0, 100.0), default=100.0, lower=(10.0,), upper=(200.0, 400.0, 800.0), stride=1)
RATE, LEAVES, ROWS_IN_LEAF = 0.1, 31, 20
BINS = 255  # values of a column that scikit-learn tells apart


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
        binned = _Bins.of(fit.X, fit.categorical)
        rows = binned(fit.X)
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
                models.append(model.fit(rows, fit.y, sample_weight=sample_weights(recipe, fit)))

        def staged(model: Any, X: Any, numbers: Sequence[int]) -> np.ndarray:
            scores = {}
            with one_thread():
                for k, raw in enumerate(model.staged_decision_function(binned(X)), start=1):
                    if k in numbers:
                        scores[k] = raw.copy()
            return np.stack([scores[k] for k in numbers])

        return Trees(tuple(models), tuple(trees), staged)


@dataclasses.dataclass(frozen=True)
class _Bins:
    """Every column as at most BINS values, the same ones for all arms.

    scikit-learn would lay the bins by the weights: other ones for every arm, at a cost beyond that of a small fit.

    edges    of the numbers by column: the quantiles, a value equal to an edge below it
    places   of the categories by column: the frequent codes have one of their own, the others share the last; unseen: NaN
    """

    edges: dict[int, np.ndarray]
    places: dict[int, np.ndarray]

    @classmethod
    def of(cls, X: np.ndarray, categorical: np.ndarray | None) -> Self:
        edges, places = {}, {}
        codes = np.zeros(X.shape[1], dtype=bool) if categorical is None else categorical
        for j, column in enumerate(X.T):
            known = column[~np.isnan(column)]
            if codes[j]:
                counts = np.bincount(known.astype(np.int64), minlength=1)
                order = np.argsort(-counts, kind="stable")
                place = np.full(len(counts), BINS - 1.0)
                place[order[: BINS - 1]] = np.arange(min(BINS - 1, len(counts)))
                places[j] = np.where(counts > 0, place, np.nan)
            elif len(np.unique(known)) > BINS:
                shares = np.linspace(0, 1, BINS + 1)[1:-1]
                edges[j] = np.unique(np.quantile(known, shares, method="averaged_inverted_cdf"))
        return cls(edges, places)

    def __call__(self, X: np.ndarray) -> np.ndarray:
        X = X.copy()
        for j, edge in self.edges.items():
            X[:, j] = np.where(np.isnan(X[:, j]), np.nan, np.searchsorted(edge, X[:, j], side="left"))
        for j, place in self.places.items():
            known = ~np.isnan(X[:, j])
            codes = X[known, j].astype(np.int64)
            X[known, j] = np.where(codes < len(place), place[np.minimum(codes, len(place) - 1)], np.nan)
        return X


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
