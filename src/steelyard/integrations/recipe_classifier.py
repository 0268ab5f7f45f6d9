"""scikit-learn: a linear model or a small network trained under a whole recipe, whose probabilities are undone.

RecipeClassifier([sy.effective_number, sy.focal(gamma=1.0)]).fit(X, y)
"""

# Types are checked where the framework is not installed.
# pyright: basic, reportMissingImports=false

import itertools
import warnings
from typing import Any

import numpy as np
import torch
from scipy.optimize import minimize
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

import steelyard as sy

from ..given import same_rows
from .classes import cost_matrix, counted, decided, plain, recipe_of, undone

NAME = "RecipeClassifier"


class RecipeClassifier(ClassifierMixin, BaseEstimator):
    """minimises  sum_i s_i l_i + alpha / 2 |w|^2  by L-BFGS in float64, l the loss of the recipe.

    strategy      as in `Weighted`, and every other field too: offsets, margins, curves, smoothing
    hidden        units of the hidden layers (tanh); () is a linear model: logistic or softmax regression, scikit-learn's with C = 1 / alpha
    alpha         of the penalty, on weights and not on biases; of a network's first layer per column of unit spread
    undo          predict_proba without the recipe; False: as the sigmoid or the softmax has it
    threshold     None: the likeliest class by predict_proba; a number, for the second of two classes
    costs         [C, C], as in `Weighted`
    max_iter, tol  of L-BFGS: it stops where no slope of the mean loss is above tol
    random_state  of a network's start

    After fit: classes_, recipe_, loss_ (the loss it was trained with), layers_ (weight, bias), n_iter_; of linear models coef_, intercept_.
    X [rows, columns] finite numbers. ValueError for one class, and in predict_proba where `posterior` refuses the recipe.
    """

    def __init__(
        self,
        strategy: Any = None,
        *,
        hidden: tuple[int, ...] = (),
        alpha: float = 1.0,
        undo: bool = True,
        threshold: float | None = None,
        costs: Any = None,
        max_iter: int = 1000,
        tol: float = 1e-8,
        random_state: Any = None,
    ):
        self.strategy, self.hidden, self.alpha, self.undo = strategy, hidden, alpha, undo
        self.threshold, self.costs = threshold, costs
        self.max_iter, self.tol, self.random_state = max_iter, tol, random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> "RecipeClassifier":
        same_rows(NAME, X=X, y=y, sample_weight=sample_weight)
        X, y = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(y)
        s = _check_sample_weight(sample_weight, X, dtype=np.float64)
        if not s.all():
            X, y, s = X[s != 0], y[s != 0], s[s != 0]
        self.classes_, codes = np.unique(y, return_inverse=True)
        classes = len(self.classes_)
        if classes < 2:
            raise ValueError(f"{NAME}: y holds one class, {self.classes_.tolist()}; there is nothing to tell apart.")
        if self.threshold is not None and (classes != 2 or self.costs is not None):
            raise ValueError(
                f"{NAME}: threshold= parts two classes; for more, or for costs, give costs=, a table [C, C]."
            )
        self.costs_ = None if self.costs is None else cost_matrix(NAME, self.costs, self.classes_.tolist())
        self.recipe_ = recipe_of(NAME, self.strategy, counted(self.classes_, codes, s))
        kind = sy.BinaryCrossEntropy if classes == 2 else sy.CrossEntropy
        self.loss_ = kind(self.recipe_)
        middle = s @ X / s.sum()
        spread = np.sqrt(s @ np.square(X - middle) / s.sum())
        spread[spread <= 1e-12 * np.maximum(np.abs(middle), 1e-300)] = 1.0
        x, target = torch.from_numpy((X - middle) / spread), torch.from_numpy(codes.astype(np.int64))
        layers = self._minimised(
            x, target, torch.from_numpy(s), torch.from_numpy(spread), 1 if classes == 2 else classes
        )
        (weight, bias), *rest = [tuple(t.numpy() for t in layer) for layer in layers]
        weight = weight / spread  # in the columns as they are
        self.layers_ = [(weight, bias - weight @ middle), *rest]
        if not self.hidden:
            self.coef_, self.intercept_ = self.layers_[0]
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """[rows, C], in the order of classes_."""
        check_is_fitted(self)
        z = validate_data(self, X, dtype=np.float64, reset=False)
        for weight, bias in self.layers_[:-1]:
            z = np.tanh(z @ weight.T + bias)
        weight, bias = self.layers_[-1]
        z = z @ weight.T + bias
        z = z[:, 0] if len(self.classes_) == 2 else z
        return undone(z, self.recipe_) if self.undo else plain(z)

    def predict(self, X: Any) -> np.ndarray:
        """[rows] labels."""
        check_is_fitted(self)
        return self.classes_[decided(self.predict_proba(X), self.threshold, self.costs_)]

    def _minimised(
        self, x: torch.Tensor, target: torch.Tensor, s: torch.Tensor, spread: torch.Tensor, width: int
    ) -> list[tuple[torch.Tensor, torch.Tensor]]:
        random = check_random_state(self.random_state)
        sizes = [x.shape[1], *self.hidden, width]
        shapes: list[tuple[int, ...]] = [
            shape for into, out in itertools.pairwise(sizes) for shape in ((out, into), (out,))
        ]
        ends = np.cumsum([0, *(int(np.prod(shape)) for shape in shapes)])
        start = np.zeros(ends[-1])
        if self.hidden:
            for first, shape in zip(ends[:-1:2], shapes[::2], strict=True):
                start[first : first + int(np.prod(shape))] = random.standard_normal(shape).ravel() / np.sqrt(shape[1])
        mass, loss = s.sum(), self.loss_
        # a linear model's penalty is on the columns as they are, so that scaling them inside changes the way and not the end
        unit = torch.ones_like(spread) if self.hidden else spread

        def layers_of(flat: torch.Tensor) -> list[tuple[torch.Tensor, torch.Tensor]]:
            parts = [flat[i:j].view(shape) for i, j, shape in zip(ends, ends[1:], shapes, strict=False)]
            return list(zip(parts[::2], parts[1::2], strict=True))

        def value(at: np.ndarray) -> tuple[float, np.ndarray]:
            flat = torch.from_numpy(at).requires_grad_()
            *below, (weight, bias) = layers = layers_of(flat)
            z = x
            for lower, shift in below:
                z = torch.tanh(z @ lower.T + shift)
            z = z @ weight.T + bias
            fit = loss(z[:, 0] if width == 1 else z, target, weight=s, normalizer=mass)
            penalty = sum((w / unit if i == 0 else w).square().sum() for i, (w, _) in enumerate(layers))
            total = fit + self.alpha / 2 * penalty / mass
            (gradient,) = torch.autograd.grad(total, flat)
            return float(total.detach()), gradient.numpy()

        options = {"maxiter": self.max_iter, "maxfun": 10 * self.max_iter, "gtol": self.tol, "ftol": 0.0, "maxcor": 20}
        found = minimize(value, start, jac=True, method="L-BFGS-B", options=options)
        self.n_iter_ = max(1, int(found.nit))
        steepest = float(np.abs(value(found.x)[1]).max(initial=0.0))
        if not steepest <= 1e3 * self.tol:
            warnings.warn(
                f"{NAME}: after {self.n_iter_} steps a slope of {steepest:.1e} is left (tol={self.tol:g}). Scale the columns, raise alpha or"
                " max_iter.",
                ConvergenceWarning,
                stacklevel=3,
            )
        return layers_of(torch.from_numpy(found.x))
