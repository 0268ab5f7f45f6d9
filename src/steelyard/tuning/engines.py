"""Engines fit every arm at every regularisation strength on one training part.

Only the linear one so far. An engine is a function of (rows, labels, recipes, strengths) and knows nothing of folds,
metrics or verdicts, so that many machines can run it.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np
import torch

from ..calibrate import posterior
from ..recipe import Recipe
from . import newton
from .forms import Form, Sigmoid, Softmax

BATCH = 2**24  # numbers in one [models, C (C + 1) / 2, rows] array


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
        form = Sigmoid.of([recipe], torch.zeros(0, dtype=torch.long))
        return form.log_odds(torch.from_numpy(logits.reshape(1, -1))).numpy().reshape(logits.shape)
    p = np.asarray(posterior(logits.reshape(-1, classes), recipe, link="softmax"))
    with np.errstate(divide="ignore"):
        return np.log(p).reshape(logits.shape)


def fit_linear(
    X: np.ndarray, y: np.ndarray, recipes: Sequence[Recipe], strengths: Sequence[float], *, classes: int = 2
) -> Linear:
    """Ridge-penalised linear models, every recipe at every strength, in batched Newton steps.

    minimises  sum_i l_i + strength / 2 |w|^2  (scikit-learn's C = 1 / strength), the intercept not penalised

    X        [rows, p] float64; y [rows] labels 0..classes-1; for two classes one logit, that of class 1
    ValueError for recipes that smooth targets or that the form cannot carry.
    """
    design = torch.from_numpy(np.column_stack([X, np.ones(len(X))]))
    labels = torch.from_numpy(np.asarray(y, dtype=np.int64))
    penalties = torch.tensor(strengths, dtype=torch.float64)
    width = 1 if classes == 2 else classes
    theta = np.zeros((len(recipes), len(strengths), width, design.shape[1]))
    converged = np.zeros((len(recipes), len(strengths)), dtype=bool)
    for arms in _same_curve(recipes):
        pairs = [(a, s) for a in arms for s in range(len(strengths))]
        batch = max(1, BATCH // (len(X) * width * (width + 1) // 2))
        for start in range(0, len(pairs), batch):
            part = pairs[start : start + batch]
            form = _form([recipes[a] for a, _ in part], labels, classes)
            found, done = newton.fit(form, design, penalties[[s for _, s in part]])
            for (a, s), t, d in zip(part, found.numpy(), done.tolist(), strict=True):
                theta[a, s], converged[a, s] = t, d
    return Linear(tuple(recipes), theta, converged, classes)


def _form(recipes: Sequence[Recipe], labels: torch.Tensor, classes: int) -> Form:
    return Sigmoid.of(recipes, labels) if classes == 2 else Softmax.of(recipes, labels, classes)


def _same_curve(recipes: Sequence[Recipe]) -> list[list[int]]:
    groups: dict[object, list[int]] = {}
    for i, recipe in enumerate(recipes):
        groups.setdefault(repr(recipe.curve), []).append(i)
    return list(groups.values())
