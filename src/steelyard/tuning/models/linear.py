"""Linear models: logistic regression for two classes, softmax regression for more, fitted many at a time."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...curves import Log
from ...recipe import Recipe
from . import newton
from .forms import Form, Sigmoid, Softmax, refusal
from .model import Axis, Fit
from .rows import Rows


@dataclasses.dataclass(frozen=True)
class Linear:
    """Fitted linear models: theta [arms, strengths, C, p + 1], intercept last; C = 1 for two classes."""

    theta: np.ndarray
    converged: np.ndarray
    classes: int

    def logits(self, X: Any) -> np.ndarray:
        """[arms, strengths, rows] for two classes, else [arms, strengths, rows, C]; as trained, not undone. X may be sparse."""
        arms, strengths, width, p = self.theta.shape
        flat = self.theta.reshape(-1, p)
        # a sparse X has to stand on the left
        z = flat[:, :-1] @ X.T if isinstance(X, np.ndarray) else np.ascontiguousarray((X @ flat[:, :-1].T).T)
        z += flat[:, -1:]
        z = z.reshape(arms, strengths, width, -1)
        return z[:, :, 0] if self.classes == 2 else np.moveaxis(z, 2, 3)

    def arrays(self) -> dict[str, np.ndarray]:
        return {"theta": self.theta}

    def describe(self, arm: int, setting: int, names: Sequence[str]) -> dict[str, Any]:
        """{"coefficients": {column: [C numbers]}, "intercept": [C numbers]}; one number for two classes."""
        theta = self.theta[arm, setting]
        coefficients = dict(zip(names, theta[:, :-1].T.tolist(), strict=True))
        return {"coefficients": coefficients, "intercept": theta[:, -1].tolist()}


class LinearModel:
    """Ridge-penalised linear models, every recipe at every strength.

    minimises  sum_i l_i + strength / 2 |w|^2  (scikit-learn's C = 1 / strength), the intercept not penalised; with row weights
    sum_i w_i l_i
    """

    name = "linear"
    encoding = "scaled"
    together = True
    free_intercept = True
    continues = True
    readable = True
    ruled = False
    weighs = True
    axis = Axis(
        "strength",
        "regularisation strength",
        grid=tuple(10.0 ** (k / 2) for k in range(-3, 4)),
        default=1.0,
        lower=tuple(10.0 ** (-k / 2) for k in range(4, 9)),
        upper=tuple(10.0 ** (k / 2) for k in range(4, 9)),
    )

    def refuses(self, recipe: Recipe, classes: int) -> str:
        """Why a linear model cannot carry the recipe, or ""."""
        return refusal(recipe, classes)

    def fit(self, fit: Fit) -> Linear:
        """Every recipe at every strength. ValueError for recipes that it `refuses`.

        A start changes the time and not the result. Losses that are not convex start from this call's own fit with their
        curve straightened instead, so that nothing of other rows is carried over.
        """
        X, y, recipes, classes = fit.X, fit.y, fit.recipes, fit.classes
        order = np.argsort(y, kind="stable")
        ends = tuple(np.searchsorted(y[order], np.arange(classes + 1)).tolist())
        solve = _dense(X, order, ends, fit.weights) if isinstance(X, np.ndarray) else _sparse(X, order, fit.weights)
        strengths = np.asarray(fit.settings, dtype=np.float64)

        straight = [dataclasses.replace(r, curve=None) if _curved(r) else r for r in recipes]
        # a curved arm is often another one when straightened, which is then fitted once
        first = [straight.index(r) if _curved(recipes[i]) else i for i, r in enumerate(straight)]
        known = set() if fit.start is None else {i for i in first if not _curved(recipes[i])}
        theta = np.zeros((len(recipes), len(strengths), 1 if classes == 2 else classes, X.shape[1] + 1))
        converged = np.zeros(theta.shape[:2], dtype=bool)
        if some := sorted(known):
            at = None if fit.start is None else fit.start["theta"][some]
            theta[some], converged[some] = _every(solve, [straight[i] for i in some], ends, strengths, at)
        if some := sorted({*first} - known):  # a fitted weighting is nearer than nothing
            at = theta[[min(known)] * len(some)] if known else None
            theta[some], converged[some] = _every(solve, [straight[i] for i in some], ends, strengths, at)
        theta, converged = theta[first], converged[first]
        for arms in _same_curve(recipes):
            curved = [recipes[i] for i in arms]
            theta[arms], converged[arms] = _every(solve, curved, ends, strengths, theta[arms])
        return Linear(theta, converged, classes)


# (form, strength of each of its models, number of each one's recipe, where to start) -> (theta, converged)
Solve = Callable[[Form, Tensor, Tensor, Tensor | None], tuple[Tensor, Tensor]]


def _dense(X: np.ndarray, order: np.ndarray, ends: tuple[int, ...], weights: np.ndarray | None) -> Solve:
    rows = Rows.of(X, order, ends, weights)
    return lambda form, strength, arm, start: newton.fit(form, rows, strength, start=start, alike=arm)


def _sparse(X: Any, order: np.ndarray, weights: np.ndarray | None) -> Solve:
    from . import sparse

    design = sparse.Design(X[order], None if weights is None else weights[order])
    return lambda form, strength, arm, start: sparse.solve(form, design, strength, start)


def _every(
    solve: Solve, recipes: Sequence[Recipe], ends: tuple[int, ...], strengths: np.ndarray, start: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Every recipe, which share their curve, at every strength: theta [recipes, strengths, C, p + 1], and whether it
    converged."""
    arm = torch.arange(len(recipes)).repeat_interleave(len(strengths))
    form = (Sigmoid if len(ends) == 3 else Softmax).of(recipes, ends).take(arm)
    begin = None if start is None else torch.from_numpy(start).flatten(0, 1)
    theta, converged = solve(form, torch.from_numpy(strengths).repeat(len(recipes)), arm, begin)
    shape = (len(recipes), len(strengths))
    return theta.unflatten(0, shape).numpy(), converged.unflatten(0, shape).numpy()


def _curved(recipe: Recipe) -> bool:
    return not isinstance(recipe.curve, (Log, type(None)))


def _same_curve(recipes: Sequence[Recipe]) -> list[list[int]]:
    """The arms that have one, by curve."""
    groups: dict[str, list[int]] = {}
    for i, recipe in enumerate(recipes):
        if _curved(recipe):
            groups.setdefault(repr(recipe.curve), []).append(i)
    return list(groups.values())
