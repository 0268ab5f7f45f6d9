"""Engines fit every arm at every regularisation strength on one training part.

Only the linear one so far. An engine is a function of (rows, labels, recipes, strengths) and knows nothing of folds,
metrics or verdicts, so that many machines can run it.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np
import torch

from ..calibrate import posterior
from ..curves import Log
from ..recipe import Recipe
from . import newton
from .forms import Form, Sigmoid, Softmax

BATCH = 2**21  # numbers in one [models, C (C + 1) / 2, rows] array; larger ones leave the cache


@dataclasses.dataclass(frozen=True)
class Linear:
    """Fitted linear models: theta [arms, strengths, C, p + 1], intercept last; C = 1 for two classes."""

    recipes: tuple[Recipe, ...]
    theta: np.ndarray
    converged: np.ndarray
    classes: int

    def logits(self, X: np.ndarray) -> np.ndarray:
        """[arms, strengths, rows] for two classes, else [arms, strengths, rows, C]; as trained, not undone."""
        z = np.einsum("ascp,np->asnc", self.theta[..., :-1], X, optimize=True) + self.theta[:, :, None, :, -1]
        return z[..., 0] if self.classes == 2 else z

    def undone(self, logits: np.ndarray) -> np.ndarray:
        """The same on plain scale: log-odds of the positive class, or log-probabilities [..., C]."""
        return np.stack([undo(z, r, self.classes) for z, r in zip(logits, self.recipes, strict=True)])


def undo(logits: np.ndarray, recipe: Recipe, classes: int) -> np.ndarray:
    """Logits of one arm -> log-odds (two classes) or log-probabilities [..., C] of the posterior they stand for.

    Two classes: log(l0' / -l1'), kept in logarithms so that ranks survive where probabilities round to 0 or 1.
    """
    if classes == 2:
        form = Sigmoid.of([recipe], (0, 0, 0))
        return form.log_odds(torch.from_numpy(logits.reshape(1, -1))).numpy().reshape(logits.shape)
    p = np.asarray(posterior(logits.reshape(-1, classes), recipe, link="softmax"))
    with np.errstate(divide="ignore"):
        return np.log(p).reshape(logits.shape)


def fit_linear(
    X: np.ndarray,
    y: np.ndarray,
    recipes: Sequence[Recipe],
    strengths: Sequence[float] | np.ndarray,
    *,
    classes: int = 2,
    start: np.ndarray | None = None,
) -> Linear:
    """Ridge-penalised linear models, every recipe at every strength, in batched Newton steps.

    minimises  sum_i l_i + strength / 2 |w|^2  (scikit-learn's C = 1 / strength), the intercept not penalised

    X        [rows, p] float64; y [rows] labels 0..classes-1; for two classes one logit, that of class 1
    start    theta to start from; where the loss is convex it changes the time and not the result
    ValueError for recipes that smooth targets or that the form cannot carry.
    """
    order = np.argsort(y, kind="stable")
    ends = np.searchsorted(y[order], np.arange(classes + 1)).tolist()
    design = torch.from_numpy(np.column_stack([X[order], np.ones(len(X))]))
    penalties = torch.tensor(np.asarray(strengths), dtype=torch.float64)
    width = 1 if classes == 2 else classes
    theta = np.zeros((len(recipes), len(strengths), width, design.shape[1])) if start is None else start.copy()
    converged = np.zeros((len(recipes), len(strengths)), dtype=bool)
    for arms in _same_curve(recipes):
        pairs = np.array([(a, s) for a in arms for s in range(len(strengths))])
        # Newton's last step squares the error where the curvature is exact, and only there
        tolerance = 1e-8 if isinstance(recipes[arms[0]].curve, (Log, type(None))) else 1e-10
        batch = max(1, BATCH // (len(X) * width * (width + 1) // 2))
        for part in (pairs[i : i + batch] for i in range(0, len(pairs), batch)):
            a, s = part.T
            chosen = [recipes[i] for i in a]
            form: Form = Sigmoid.of(chosen, ends) if classes == 2 else Softmax.of(chosen, ends)
            found, done = newton.fit(
                form, design, penalties[s], start=torch.from_numpy(theta[a, s]), tolerance=tolerance
            )
            theta[a, s], converged[a, s] = found.numpy(), done.numpy()
    return Linear(tuple(recipes), theta, converged, classes)


def _same_curve(recipes: Sequence[Recipe]) -> list[list[int]]:
    groups: dict[object, list[int]] = {}
    for i, recipe in enumerate(recipes):
        groups.setdefault(repr(recipe.curve), []).append(i)
    return list(groups.values())
