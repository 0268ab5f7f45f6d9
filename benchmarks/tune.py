"""How long the tuner takes: linear fits (all rows first, then each training part in a call of its own) and whole commands, against
scikit-learn."""

import argparse
import contextlib
import functools
import json
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from steelyard import Recipe
from steelyard.tuning.models.linear import LinearModel
from steelyard.tuning.models.model import Fit

from . import hard_fits, studies
from .measure import RESULTS, in_turn, write

FOLDS = 5
SOLVERS = ("lbfgs", "newton-cholesky")  # scikit-learn's default, and its fastest on such tables
Part = tuple[np.ndarray, np.ndarray]


def tune(rest: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks tune", description=__doc__)
    parser.add_argument("--rounds", type=int, default=15, help="how often each variant of the easy fits runs, in turn")
    parser.add_argument(
        "--only", action="append", choices=["fits", "hard", "studies"], help="a part, alone; may stand twice"
    )
    parser.add_argument(
        "--row", action="append", default=[], help="of hard and studies a row, by its name; may stand twice"
    )
    parser.add_argument(
        "--table", action="append", default=[], metavar="NAME=FILE=LABEL", help="a further table to tune, such as adult"
    )
    parser.add_argument(
        "--profile",
        action="store_true",
        help="say where the CPU time of the studies goes (spent.py), and measure and write nothing",
    )
    asked = parser.parse_args(rest)
    torch.set_num_threads(1)
    told: dict[str, Any] = {"rows": None, "hard": {}, "studies": {}}
    parts = ["studies"] if asked.profile else asked.only or ["fits", "hard", "studies"]
    with tempfile.TemporaryDirectory() as folder:
        if "fits" in parts:
            told["rows"] = _fits(asked.rounds)
        if "hard" in parts:
            for name, make in hard_fits.tables(Path(folder)).items():
                if not asked.row or name in asked.row:
                    with _one_thread():
                        told["hard"][name] = hard_fits.measure(make())
                    print(hard_fits.line(name, told["hard"][name]), flush=True)
        if "studies" in parts:
            every = studies.tables(Path(folder))
            for one in asked.table:
                name, path, label = one.split("=")
                every[name] = Path(path).resolve(), label, []
            for name, (path, label, options) in every.items():
                if asked.row and name not in asked.row:
                    continue
                if asked.profile:
                    studies.profile(name, path, label, options)
                else:
                    told["studies"][name] = studies.measure(path, label, options)
                    print(studies.line(name, told["studies"][name]), flush=True)
    if asked.profile:
        return
    kept = _kept()
    rows = kept["rows"] if told["rows"] is None else told["rows"]
    print(write("tune", rows, **{part: kept[part] | told[part] for part in ("hard", "studies")}))


def _kept() -> dict[str, Any]:
    """What the results file holds of parts that were not run now."""
    path = RESULTS / "tune.json"
    known = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return {"rows": known.get("rows", []), "hard": known.get("hard", {}), "studies": known.get("studies", {})}


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # lbfgs reaches its limit of iterations
        yield


def _fits(rounds: int) -> list[dict[str, Any]]:
    """Class weights from none to inverse frequency on 5 training parts. scikit-learn makes 12 fits of one part in every round;
    its times for more are multiples."""
    import sklearn

    rows: list[dict[str, Any]] = []
    with _one_thread():
        for shape, classes, counts in (((50_000, 30), 2, (12, 120)), ((50_000, 30), 4, (12,))):
            table = _table(*shape, classes)
            parts = [(table[0][keep], table[1][keep]) for keep in _training(shape[0])]
            few = _recipes(table[1], classes, counts[0])
            variants: dict[str, Callable[[], object]] = {
                f"scikit-learn {solver}": functools.partial(_one_by_one, parts[0], few, solver) for solver in SOLVERS
            }
            for count in counts:
                recipes = _recipes(table[1], classes, count)
                variants[f"steelyard {count}"] = functools.partial(_study, table, parts, recipes, classes)
            found = in_turn(variants, rounds)
            for count in counts:
                rows.append(
                    {
                        "shape": list(shape),
                        "classes": classes,
                        "fits": count * FOLDS,
                        "scikit-learn": sklearn.__version__,
                        "run by scikit-learn": counts[0],
                        **_told(found, count, count * FOLDS / counts[0]),
                        "accuracy": _accuracy(parts[0], few, classes),
                    }
                )
                print(_line(rows[-1]), flush=True)
    return rows


def _table(rows: int, columns: int, classes: int) -> Part:
    """Correlated columns, standardised; 6 % positives, or classes of falling size."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(rows, columns)) + 1.5 * rng.normal(size=(rows, 4)) @ rng.normal(size=(4, columns))
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    base = np.array([0, -4.1]) if classes == 2 else np.linspace(0, -4, classes)
    logits = X @ (0.2 * rng.normal(size=(columns, classes))) + base
    return X, (logits + rng.gumbel(size=logits.shape)).argmax(axis=1)


def _training(rows: int) -> list[np.ndarray]:
    fold = np.arange(rows) % FOLDS
    return [np.flatnonzero(fold != f) for f in range(FOLDS)]


def _recipes(y: np.ndarray, classes: int, count: int) -> list[Recipe]:
    share = np.bincount(y, minlength=classes) / len(y)
    names = [str(c) for c in range(classes)]
    weights = [share**-beta / (share ** (1 - beta)).sum() for beta in np.linspace(0, 1, count)]
    return [Recipe(weight=w, classes=names, kind="exclusive") for w in weights]


def _study(table: Part, parts: Sequence[Part], recipes: Sequence[Recipe], classes: int) -> None:
    engine, strength = LinearModel(), np.ones(1)
    start = engine.fit(Fit(*table, recipes, strength, classes=classes)).arrays()
    for part in parts:
        assert engine.fit(Fit(*part, recipes, strength, classes=classes, start=start)).converged.all()


def _one_by_one(part: Part, recipes: Sequence[Recipe], solver: str, **options: Any) -> list[Any]:
    from sklearn.linear_model import LogisticRegression

    weights = [dict(enumerate(r.label_weights().tolist())) for r in recipes]
    return [LogisticRegression(class_weight=w, solver=solver, **options).fit(*part) for w in weights]


def _told(found: dict[str, dict[str, float]], count: int, times: float) -> dict[str, Any]:
    """Milliseconds for all fits: scikit-learn's as if it made all of them, one after the other."""
    ours = found[f"steelyard {count}"]
    theirs = {name: f for name, f in found.items() if name.startswith("scikit")}
    return {
        "steelyard_ms": ours["median_ms"],
        "quartiles_ms": ours["quartiles_ms"],
        "scikit_learn_ms": {name: times * f["median_ms"] for name, f in theirs.items()},
        "faster": {name: times * ours["ratio"] / f["ratio"] for name, f in theirs.items()},
    }


def _accuracy(part: Part, recipes: Sequence[Recipe], classes: int) -> dict[str, float]:
    """Relative excess of the objective over newton-cholesky run to 1e-10, and the largest difference of a coefficient."""
    best = _one_by_one(part, recipes, "newton-cholesky", tol=1e-10, max_iter=1000)
    default = _one_by_one(part, recipes, "lbfgs")
    ours = LinearModel().fit(Fit(*part, recipes, np.ones(1), classes=classes)).theta[:, 0]
    excess, distance = {"steelyard": 0.0, "scikit-learn lbfgs": 0.0}, 0.0
    for recipe, theta, model, usual in zip(recipes, ours, best, default, strict=True):
        least = _objective(part, recipe, _theta(model))
        for name, other in (("steelyard", theta), ("scikit-learn lbfgs", _theta(usual))):
            excess[name] = max(excess[name], _objective(part, recipe, other) / least - 1)
        distance = max(distance, float(np.abs(theta[:, :-1] - model.coef_).max()))
    return {**{f"objective, {name}": e for name, e in excess.items()}, "coefficients": distance}


def _theta(model: Any) -> np.ndarray:
    return np.column_stack([model.coef_, model.intercept_])


def _objective(part: Part, recipe: Recipe, theta: np.ndarray) -> float:
    X, y = part
    z = X @ theta[:, :-1].T + theta[:, -1]
    z = np.column_stack([np.zeros(len(z)), z]) if z.shape[1] == 1 else z
    losses = np.logaddexp.reduce(z, axis=1) - z[np.arange(len(y)), y]
    return float(recipe.label_weights()[y] @ losses + (theta[:, :-1] ** 2).sum() / 2)


def _line(row: dict[str, Any]) -> str:
    faster = ", ".join(f"x{f:.1f} over {name}" for name, f in row["faster"].items())
    return f"{row['shape']} {row['classes']} classes, {row['fits']} fits: {row['steelyard_ms'] / 1e3:.3f} s ({faster})"
