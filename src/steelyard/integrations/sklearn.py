"""scikit-learn: any classifier under weights that are counted in every fit, undone in its probabilities, with its threshold tuned inside.

Weighted(LogisticRegression(), strategy="effective-number", threshold="balanced_accuracy").fit(X, y)
"""

# Types are checked where the framework is not installed.
# pyright: basic, reportMissingImports=false

from typing import Any

import numpy as np
from sklearn import get_config
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.model_selection import check_cv
from sklearn.utils import get_tags
from sklearn.utils._indexing import _safe_indexing
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, column_or_1d, has_fit_parameter

import steelyard as sy

from ..given import same_rows
from .classes import cost_matrix, counted, decided, purpose, recipe_of, weights_of
from .recipe_classifier import RecipeClassifier

__all__ = ["RecipeClassifier", "Weighted"]

NAME = "Weighted"


def _has(method: str) -> Any:
    return lambda self: hasattr(getattr(self, "estimator_", self.estimator), method)


class Weighted(ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    """A classifier trained under label weights, that says what it would have said of the data as they are.

    estimator  a classifier or a pipeline whose last step is one; its `fit` takes sample_weight, or it has class_weight
    strategy   an ingredient by name ("inverse-frequency", "effective-number") or as a function of Counts
               (`functools.partial(sy.effective_number, beta=0.99)`), counted in every fit, so that no fold sees another's rows; a
               Recipe; a list of them, mixed; or None. Weights per label alone
    undo       predict_proba without the weights; False: as the estimator gives them
    threshold  None: the likeliest class by predict_proba. "trained": as the estimator decides under its weights. A number, for the second
               of two classes. Or a purpose of `sy.threshold`, tuned on held-out parts of the training rows: "balanced_accuracy",
               {"cost_fn": 20, "cost_fp": 1}, {"precision": 0.9}, ...
    costs      [C, C]: what it costs to say column c where row y is true, in the order of classes_. The class of least expected cost is said
    cv         of the tuned threshold: as everywhere in scikit-learn

    After fit: estimator_, classes_, recipe_, class_weight_ [C], threshold_ (None where nothing was cut).

    sample_weight of `fit` multiplies, and its sums are what is counted, by a tuned threshold too. ValueError for recipes of more than weights, for an estimator that
    takes none, and where both threshold= and costs= are given.
    """

    def __init__(
        self,
        estimator: Any,
        strategy: Any = "inverse-frequency",
        *,
        undo: bool = True,
        threshold: Any = None,
        costs: Any = None,
        cv: Any = 5,
    ):
        self.estimator, self.strategy, self.undo = estimator, strategy, undo
        self.threshold, self.costs, self.cv = threshold, costs, cv

    def fit(self, X: Any, y: Any, sample_weight: Any = None, **fit_params: Any) -> "Weighted":
        """X as the estimator takes it; y labels [rows]; sample_weight [rows] or None; further arguments go to the estimator."""
        if self.threshold is not None and self.costs is not None:
            raise ValueError(f"{NAME}: threshold= and costs= both decide; give one of them.")
        if get_config()["enable_metadata_routing"] and fit_params:
            fit_params = dict(process_routing(self, "fit", **fit_params).estimator.fit)
        if y is None:
            raise ValueError(f"{NAME}: requires y to be passed, but the target y is None.")
        same_rows(NAME, X=X, y=y, sample_weight=sample_weight)
        check_classification_targets(y)
        y = column_or_1d(y, warn=True)
        if sample_weight is not None:
            sample_weight = _check_sample_weight(sample_weight, X, dtype=np.float64)
            kept = np.flatnonzero(sample_weight)
            if len(kept) < len(sample_weight):  # what does not count holds no class either
                X, y, sample_weight = _safe_indexing(X, kept), y[kept], sample_weight[kept]
                fit_params = _rows_of(fit_params, kept, len(y))
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"{NAME}: y holds one class, {self.classes_.tolist()}; there is nothing to tell apart.")
        self.costs_ = None if self.costs is None else cost_matrix(NAME, self.costs, self.classes_.tolist())
        served = purpose(NAME, self.threshold, self.classes_.tolist())
        self.threshold_ = float(self.threshold) if isinstance(self.threshold, (int, float)) else None
        if served is not None:
            self.threshold_ = self._tuned(X, y, codes, sample_weight, fit_params, served)
        self.estimator_, self.recipe_, self.class_weight_ = self._fitted(X, y, codes, sample_weight, fit_params)
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(self.estimator_, name):
                setattr(self, name, getattr(self.estimator_, name))
        return self

    @available_if(_has("predict_proba"))
    def predict_proba(self, X: Any) -> np.ndarray:
        """[rows, C], in the order of classes_."""
        check_is_fitted(self)
        return self._proba(self.estimator_, self.class_weight_, X)

    @available_if(_has("predict_proba"))
    def predict_log_proba(self, X: Any) -> np.ndarray:
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def predict(self, X: Any) -> np.ndarray:
        """[rows] labels."""
        check_is_fitted(self)
        if self.threshold == "trained" or not hasattr(self.estimator_, "predict_proba"):
            if self.threshold not in (None, "trained") or self.costs_ is not None:
                raise ValueError(
                    f"{NAME}: {type(self.estimator_).__name__} has no predict_proba to cut or to weigh by costs."
                )
            return self.estimator_.predict(X)
        return self.classes_[decided(self.predict_proba(X), self.threshold_, self.costs_)]

    def get_metadata_routing(self) -> MetadataRouter:
        methods = MethodMapping().add(caller="fit", callee="fit")
        return MetadataRouter(owner=self).add_self_request(self).add(estimator=self.estimator, method_mapping=methods)

    def __sklearn_tags__(self) -> Any:
        tags, inner = super().__sklearn_tags__(), get_tags(self.estimator)
        tags.input_tags, tags.non_deterministic = inner.input_tags, inner.non_deterministic
        tags.classifier_tags.multi_class = inner.classifier_tags is None or inner.classifier_tags.multi_class
        tags.classifier_tags.poor_score = inner.classifier_tags is not None and inner.classifier_tags.poor_score
        return tags

    def _proba(self, estimator: Any, weights: np.ndarray, X: Any) -> np.ndarray:
        p = np.asarray(estimator.predict_proba(X), dtype=np.float64)
        if not self.undo:
            return p
        with np.errstate(divide="ignore"):
            z = np.log(p)  # 0 and 1 stay what they are: the limit of any weights
        eta = sy.posterior(z - z.max(axis=1, keepdims=True), sy.Recipe(weight=weights), link="softmax")
        return eta / eta.sum(axis=1, keepdims=True)

    def _fitted(
        self, X: Any, y: np.ndarray, codes: np.ndarray, sample_weight: np.ndarray | None, fit_params: dict[str, Any]
    ) -> tuple[Any, sy.Recipe, np.ndarray]:
        """A clone under the weights of these rows, with its recipe and its weights."""
        recipe = recipe_of(NAME, self.strategy, counted(self.classes_, codes, sample_weight))
        weights = weights_of(NAME, recipe)
        estimator: Any = clone(self.estimator)
        last = estimator.steps[-1] if hasattr(estimator, "steps") else ("", estimator)
        options = dict(fit_params)
        equal = bool(np.ptp(weights) <= 1e-12 * weights.max())
        if has_fit_parameter(last[1], "sample_weight") or (get_config()["enable_metadata_routing"] and last[0]):
            routed = get_config()["enable_metadata_routing"]
            name = f"{last[0]}__sample_weight" if last[0] and not routed else "sample_weight"
            if not equal or sample_weight is not None:
                options[name] = weights[codes] if sample_weight is None else weights[codes] * sample_weight
        elif sample_weight is not None:
            raise ValueError(f"{NAME}: {type(last[1]).__name__}.fit takes no sample_weight, so rows cannot be weighed.")
        elif "class_weight" in last[1].get_params():
            last[1].set_params(class_weight=dict(zip(self.classes_.tolist(), weights.tolist(), strict=True)))
        elif not equal:
            raise ValueError(
                f"{NAME}: {type(last[1]).__name__} takes neither sample_weight nor class_weight, so it cannot be weighted."
            )
        return estimator.fit(X, y, **options), recipe, weights

    def _tuned(
        self,
        X: Any,
        y: np.ndarray,
        codes: np.ndarray,
        sample_weight: np.ndarray | None,
        fit_params: dict[str, Any],
        served: dict[str, Any],
    ) -> float:
        """The cut that serves best on rows that each fold's classifier has not seen."""
        p = np.full(len(y), np.nan)
        folds: Any = check_cv(self.cv, y, classifier=True)
        for train, test in folds.split(X, y):
            some = _rows_of(fit_params, train, len(y))
            if len(np.unique(codes[train])) < 2:
                raise ValueError(
                    f"{NAME}: a training part of the threshold's folds holds one class; take fewer folds (cv=)."
                )
            rows = None if sample_weight is None else sample_weight[train]
            estimator, _, weights = self._fitted(_safe_indexing(X, train), y[train], codes[train], rows, some)
            p[test] = self._proba(estimator, weights, _safe_indexing(X, test))[:, 1]
        known = ~np.isnan(p)
        rows = None if sample_weight is None else sample_weight[known]
        return sy.threshold(p[known], codes[known], weight=rows, **served)


def _rows_of(params: dict[str, Any], rows: np.ndarray, many: int) -> dict[str, Any]:
    """Arguments that have one value for each row, of these rows."""
    return {k: _safe_indexing(v, rows) if np.ndim(v) > 0 and len(v) == many else v for k, v in params.items()}
