"""The tuner's networks: all arms trained side by side over one arm after the other, same batches and same answer, one thread."""

import functools

import numpy as np
import torch

import steelyard as sy
from steelyard.tuning.models.mlp import MLPModel
from steelyard.tuning.models.model import Fit

from .measure import in_turn, write

ROWS, COLUMNS, EPOCHS = 8_000, 30, np.array([1.0])


def mlp(rounds: int) -> None:
    """Label weights of 4 to 16 ratios; hidden layers of 16 to 64 units; batches of about 125 rows."""
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(ROWS, COLUMNS))
    y = (X[:, 0] + rng.normal(size=ROWS) > 2).astype(np.int64)
    rows = []
    for arms, hidden in ((4, 32), (8, 16), (8, 32), (8, 64), (16, 32)):
        engine = MLPModel(hidden=hidden)
        recipes = [
            sy.Recipe(weight=[1.0, ratio], classes=("no", "yes"), kind="exclusive")
            for ratio in np.geomspace(1, 12, arms)
        ]
        found = in_turn(
            {
                "one by one": functools.partial(_one_by_one, engine, X, y, recipes),
                "together": functools.partial(engine.fit, Fit(X, y, recipes, EPOCHS)),
            },
            rounds,
        )
        told = ", ".join(f"{name} {t['median_ms']:.3g} ms (x{t['ratio']:.2f})" for name, t in found.items())
        print(f"{arms} arms of {hidden} units: {told}", flush=True)
        rows.append({"arms": arms, "hidden": hidden, "rows": ROWS, "columns": COLUMNS, "variants": found})
    print(write("mlp", rows))


def _one_by_one(engine: MLPModel, X: np.ndarray, y: np.ndarray, recipes: list[sy.Recipe]) -> None:
    for recipe in recipes:
        engine.fit(Fit(X, y, [recipe], EPOCHS))
