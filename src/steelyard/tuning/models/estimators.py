"""Any scikit-learn classifier by its import path, trained with label weights."""

import ast
import dataclasses
import difflib
import importlib
import inspect
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...recipe import Recipe
from ..threads import own_warnings
from .boosting import beyond_weights, label_weights, one_thread, present, sample_weights
from .model import Axis, Fit
from .pointwise import refusal

PACKAGES = {"sklearn": "scikit-learn", "imblearn": "imbalanced-learn"}  # where pip's name is another one


@dataclasses.dataclass(frozen=True)
class Estimators:
    """Fitted classifiers, one per arm. weights [arms, C] are those that they were trained with, on rows that count for `rows`."""

    models: tuple[Any, ...]
    weights: np.ndarray
    rows: float
    converged: np.ndarray
    classes: int

    def logits(self, X: Any) -> np.ndarray:
        """Log-odds [arms, 1, rows] of the predicted probabilities, else their logarithms [arms, 1, rows, C].

        A forest says 0 and 1, whose logarithms no later row could repair. So p_c becomes (n p_c + w_c / C) / (n + mean w): as
        if one row more, of every class in equal parts, had been seen wherever the model is asked. Ranks stay as they are.
        """
        scores = []
        for model, weights in zip(self.models, self.weights, strict=True):
            with own_warnings():
                p = np.asarray(model.predict_proba(X), dtype=np.float64)
            mass = np.log(self.rows * p + weights / self.classes)
            scores.append(mass[:, 1] - mass[:, 0] if self.classes == 2 else mass - np.log(self.rows + weights.mean()))
        return np.stack(scores)[:, None]

    def arrays(self) -> dict[str, np.ndarray]:
        return {}

    def describe(self, arm: int, setting: int, names: Sequence[str]) -> dict[str, Any]:
        return {}


class EstimatorModel:
    """A classifier named by its import path, with arguments if need be.

    >>> EstimatorModel("sklearn.neighbors.KNeighborsClassifier(n_neighbors=5)").estimator
    KNeighborsClassifier()

    Label weights go through sample_weight where `fit` takes it, else through class_weight. ValueError for a path that cannot
    be imported, that is no classifier, or that gives no probabilities.
    """

    encoding = "scaled"
    together = False
    free_intercept = False
    continues = False
    readable = False
    ruled = False
    axis = Axis("", "", (1.0,), 1.0)

    def __init__(self, path: str):
        self._of(classifier(path), path)

    def _of(self, estimator: Any, path: str) -> None:
        from sklearn.utils.validation import has_fit_parameter

        self.name = path
        self.estimator = estimator
        # a pipeline hands its last step what is meant for it by name
        last = estimator.steps[-1] if hasattr(estimator, "steps") else ("", estimator)
        self.row_weights = f"{last[0]}__sample_weight" if last[0] else "sample_weight"
        parameters = self.estimator.get_params()
        if any(v is not None for name, v in parameters.items() if name.rpartition("__")[2] == "class_weight"):
            raise ValueError(
                f"tune: {path} sets class_weight, which is what the arms of a study set; leave it out of the arguments."
            )
        self.by_row = has_fit_parameter(last[1], "sample_weight")
        self.weighs = self.by_row
        self.by_class = not self.by_row and "class_weight" in parameters

    def refuses(self, recipe: Recipe, classes: int) -> str:
        """Why label weights do not say it or the classifier does not take them, or ""."""
        kind = type(self.estimator).__name__
        more = beyond_weights(recipe)
        if more:
            return (
                f"a scikit-learn classifier takes label weights only, and it also sets {more}; --model linear takes it"
            )
        if not (self.by_row or self.by_class) and not _equal(label_weights(recipe, classes)):
            return f"{kind} takes neither sample_weight nor class_weight, so it cannot be trained with weights"
        return refusal(recipe, classes)

    def fit(self, fit: Fit) -> Estimators:
        """A clone for every recipe; there is nothing to set, so settings must be [1]."""
        from sklearn.base import clone

        if np.shape(fit.settings) != (1,):
            raise ValueError(f"tune: {self.name} has no axis to tune, got the settings {list(fit.settings)}.")
        present(fit, self.name)
        X, y = fit.X, fit.y
        models, converged = [], []
        weights = np.stack([label_weights(r, fit.classes) for r in fit.recipes])
        for own, recipe in zip(weights, fit.recipes, strict=True):
            model: Any = clone(self.estimator)
            _seed(model, fit.seed)
            plain = _equal(own) and fit.weights is None  # then as the user would fit it without us
            if self.by_class and not plain:
                model.set_params(class_weight={c: float(w) for c, w in enumerate(own)})
            by_row = {self.row_weights: sample_weights(recipe, fit)} if self.by_row and not plain else {}
            with own_warnings() as heard, one_thread():
                try:
                    model.fit(X, y, **by_row)
                except Exception as error:
                    columns = f" and {X.shape[1]} columns" if len(getattr(X, "shape", ())) == 2 else ""
                    raise ValueError(
                        f"tune: {self.name} could not be fitted on {len(y)} rows{columns} ({type(X).__name__}): {error}"
                    ) from error
            models.append(model)
            converged.append([not any("ConvergenceWarning" in s or "converge" in s for s in heard)])
        return Estimators(tuple(models), weights, fit.mass, np.array(converged), fit.classes)


def classifier(path: str) -> Any:
    """A classifier from its import path; arguments are literals by name, read and never run."""
    from sklearn.base import BaseEstimator, is_classifier

    module, name, arguments = parse(path)
    cls = _imported(path, module, name)
    if not (inspect.isclass(cls) and issubclass(cls, BaseEstimator)):
        raise ValueError(f"tune: {module}.{name} is no scikit-learn estimator; give the path of a classifier's class.")
    known = inspect.signature(cls).parameters
    for argument in arguments:
        if argument not in known:
            raise ValueError(
                f"tune: {name} has no argument {argument!r}{_nearest(argument, list(known))}; it takes {', '.join(known)}."
            )
    try:
        estimator = cls(**arguments)
    except TypeError as error:
        raise ValueError(
            f"tune: {path} cannot be made: {error}. Estimators that need other estimators have no place on a command line;"
            " make a class that builds them."
        ) from None
    if not is_classifier(estimator):
        raise ValueError(f"tune: {name} is no classifier; the study is about classes.")
    if not callable(getattr(estimator, "predict_proba", None)):
        raise ValueError(
            f"tune: {name} has no predict_proba with these arguments, and weights can only be undone on probabilities."
            " Take a classifier that has it, such as sklearn.linear_model.LogisticRegression."
        )
    return estimator


def parse(path: str) -> tuple[str, str, dict[str, Any]]:
    """ "a.b.Name(x=1)" -> ("a.b", "Name", {"x": 1})."""
    wrong = (
        f"tune: {path!r} is no import path of a classifier; write package.module.Name or package.module.Name(option=1)"
    )
    try:
        tree = ast.parse(path.strip(), mode="eval").body
    except (SyntaxError, ValueError):
        raise ValueError(f"{wrong}.") from None
    arguments: dict[str, Any] = {}
    if isinstance(tree, ast.Call):
        if tree.args or any(k.arg is None for k in tree.keywords):
            raise ValueError(f"{wrong}: every argument by its name.")
        try:
            arguments = {str(k.arg): ast.literal_eval(k.value) for k in tree.keywords}
        except (ValueError, TypeError):
            raise ValueError(f"{wrong}: arguments are numbers, texts, True, False, None, or lists of them.") from None
        tree = tree.func
    parts: list[str] = []
    while isinstance(tree, ast.Attribute):
        parts.append(tree.attr)
        tree = tree.value
    if not isinstance(tree, ast.Name) or not parts:
        raise ValueError(f"{wrong}.")
    name, *rest = parts
    return ".".join([tree.id, *reversed(rest)]), name, arguments


def _imported(path: str, module: str, name: str) -> Any:
    try:
        home = importlib.import_module(module)
    except ModuleNotFoundError as error:
        missing = str(error.name)
        package = missing.split(".")[0]
        if missing == package:
            install = f"pip install {PACKAGES.get(package, package)}"
            raise ValueError(f"tune: {path} needs the package {package}, which is not installed: {install}") from None
        raise ValueError(f"tune: there is no module {missing}, which {path} names.") from None
    except ImportError as error:
        raise ValueError(f"tune: {module} cannot be imported: {error}") from None
    if name not in vars(home) and name not in dir(home):
        raise ValueError(f"tune: {module} has no {name}{_nearest(name, dir(home))}.")
    return getattr(home, name)


def _nearest(name: str, names: Sequence[str]) -> str:
    close = difflib.get_close_matches(name, names, n=1)
    return f"; did you mean {close[0]}?" if close else ""


def _equal(weights: np.ndarray) -> bool:
    return bool(np.ptp(weights) <= 1e-12 * weights.max())


def _seed(model: Any, seed: int) -> None:
    """Every random_state that was left open, those of parts too."""
    for name, value in model.get_params(deep=True).items():
        if name.rpartition("__")[2] == "random_state" and value is None:
            model.set_params(**{name: seed})
