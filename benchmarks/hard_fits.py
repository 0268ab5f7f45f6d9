"""What one linear fit of a default study costs on tables that are hard for a solver, beside scikit-learn's, in CPU seconds.

As the tuner does it: seven weightings at seven strengths on all rows, then on the training part of each fold, started from there.
The first fold is run and counted five times. scikit-learn fits two of the weightings at three of the strengths.
"""

import itertools
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from steelyard import Counts, Recipe, focal, inverse_frequency
from steelyard.tuning.models.linear import LinearModel
from steelyard.tuning.models.model import Fit

from . import hard

FOLDS = 5
BETAS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
THEIRS = (10**-1.5, 1.0, 10**1.5)
Table = tuple[Any, np.ndarray]


def tables(folder: Path) -> dict[str, Callable[[], Table]]:
    """{name: what makes X [rows, p] and y}"""
    return {
        "ratios": lambda: _encoded(hard.write("ratios", folder / "ratios.csv")),
        "categories": lambda: _encoded(hard.write("categories", folder / "categories.csv")),
        "4 classes, 100 columns": lambda: _classes(20_000, 100, 4),
        "7 classes, 100 columns": lambda: _classes(13_000, 100, 7),
        "text, 20,000 columns": lambda: _text(5_000, 20_000),
    }


def measure(table: Table) -> dict[str, Any]:
    """CPU seconds per fit, how many times as fast as scikit-learn's solvers, and by how much objectives are above the best that is
    known, in shares of it."""
    X, y = table
    classes = int(y.max()) + 1
    counts = Counts.of(*np.bincount(y).tolist())
    recipes = [*(inverse_frequency(counts, beta=beta) for beta in BETAS), focal(gamma=2.0)]
    recipes = [Recipe() if r.weight is None and r.curve is None else r for r in recipes]
    strengths = np.array(LinearModel.axis.grid)
    train = np.flatnonzero(np.arange(len(y)) % FOLDS != 0)
    here, there = (X, y), (X[train], y[train])
    began = time.process_time()
    start = LinearModel().fit(Fit(*here, recipes, strengths, classes=classes)).arrays()
    whole = time.process_time() - began
    began = time.process_time()
    fitted = LinearModel().fit(Fit(*there, recipes, strengths, classes=classes, start=start))
    part = time.process_time() - began
    ours = (whole + FOLDS * part) / (FOLDS * len(recipes) * len(strengths))
    solvers = ("lbfgs", "newton-cholesky") if isinstance(X, np.ndarray) else ("lbfgs",)
    chosen = list(itertools.product((0, len(BETAS) - 1), THEIRS))
    taken, values = {}, {}
    for solver in solvers:
        taken[solver], values[solver] = _theirs(there, recipes, chosen, solver)
    found = [
        _objective(there, recipes[i], fitted.theta[i, int(np.argmin(np.abs(strengths - s)))], s) for i, s in chosen
    ]
    least = np.min([found, *values.values()], axis=0)
    return {
        "shape": list(X.shape),
        "classes": classes,
        "steelyard_ms": 1e3 * ours,
        "scikit_learn_ms": {name: 1e3 * t for name, t in taken.items()},
        "faster": {name: t / ours for name, t in taken.items()},
        "excess": {name: float((v / least - 1).max()) for name, v in {"steelyard": np.array(found), **values}.items()},
        "converged": float(fitted.converged.mean()),
    }


def _theirs(
    part: Table, recipes: Sequence[Recipe], chosen: Sequence[tuple[int, float]], solver: str
) -> tuple[float, np.ndarray]:
    """CPU seconds per fit, and the objectives."""
    from sklearn.linear_model import LogisticRegression

    models = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # lbfgs reaches its limit of iterations
        began = time.process_time()
        for i, strength in chosen:
            weights = dict(enumerate(recipes[i].label_weights().tolist())) if recipes[i].weight is not None else None
            models.append(LogisticRegression(C=1 / strength, class_weight=weights, solver=solver).fit(*part))
        taken = (time.process_time() - began) / len(chosen)
    thetas = [np.column_stack([model.coef_, model.intercept_]) for model in models]
    return taken, np.array([_objective(part, recipes[i], t, s) for (i, s), t in zip(chosen, thetas, strict=True)])


def _objective(part: Table, recipe: Recipe, theta: np.ndarray, strength: float) -> float:
    X, y = part
    z = X @ theta[:, :-1].T + theta[:, -1]
    z = np.column_stack([np.zeros(len(y)), z]) if z.shape[1] == 1 else z
    losses = np.logaddexp.reduce(z, axis=1) - z[np.arange(len(y)), y]
    weights = np.ones(len(y)) if recipe.weight is None else recipe.label_weights()[y]
    return float(weights @ losses + strength / 2 * (theta[:, :-1] ** 2).sum())


def _encoded(path: Path) -> Table:
    from steelyard.tuning.data.problem import problem

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        task = problem(str(path), "failed")
    every = np.arange(len(task.y))
    return task.features.encode(every)(every), task.y


def _classes(rows: int, columns: int, classes: int) -> Table:
    """Correlated columns, standardised; classes of falling size."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(rows, columns)) + 1.5 * rng.normal(size=(rows, 4)) @ rng.normal(size=(4, columns))
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    logits = X @ (0.1 * rng.normal(size=(columns, classes))) + np.linspace(0, -3, classes)
    return X, (logits + rng.gumbel(size=logits.shape)).argmax(axis=1)


def _text(rows: int, words: int) -> Table:
    """TF-IDF-like rows of unit length, words by Zipf's law; 8 % positives that prefer some words."""
    rng = np.random.default_rng(0)
    share = 1 / np.arange(1, words + 1)
    tastes = np.where(rng.random(words) < 0.01, 6.0, 1.0)
    y = (rng.random(rows) < 0.08).astype(int)
    lines = []
    for positive in y:
        p = share * (tastes if positive else 1.0)
        counts = np.bincount(rng.choice(words, size=60, p=p / p.sum()), minlength=words)
        lines.append(sparse.csr_matrix(counts.astype(float)))
    X = sparse.vstack(lines, format="csr")
    idf = np.log(rows / (1 + np.bincount(X.indices, minlength=words))) + 1
    X = sparse.csr_matrix(X.multiply(idf))
    length = np.sqrt(np.asarray(X.multiply(X).sum(axis=1)).ravel())
    return sparse.csr_matrix(sparse.diags(1 / length) @ X), y


def line(name: str, row: dict[str, Any]) -> str:
    faster = ", ".join(f"x{f:.1f} over {solver}" for solver, f in row["faster"].items())
    return (
        f"{name} {row['shape']}: {row['steelyard_ms']:.2f} ms a fit ({faster}), excess {row['excess']['steelyard']:.1g}"
    )
