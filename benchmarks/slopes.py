"""What an objective costs that boosters ask for: gradient and curvature of 50,000 rows in C++ against torch, and LightGBM's fit under a
recipe against its own objective of the same trees. CPU time, one thread.
"""

import argparse
import functools
from collections.abc import Callable, Sequence
from importlib import metadata
from typing import Any
from unittest import mock

import numpy as np
import torch

import steelyard as sy
from steelyard.ops import native_slopes

from .measure import in_turn, write

ROWS, TREES = 50_000, 50
RECIPES = {
    "weights": sy.fixed(weight=[1.0, 9.0]),
    "focal 2": sy.focal(gamma=2.0),
    "focal 1.5, weights": sy.mix(sy.focal(gamma=1.5), sy.fixed(weight=[1.0, 9.0])),
    "smoothing": sy.smooth(0.1),
    "GCE": sy.Recipe(curve=sy.curves.GCE(0.7)),
}


def slopes(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks slopes", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--fits", type=int, default=5, help="rounds of fits")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    rows = [*calls(options.rounds), *fits(options.fits)]
    print(write("slopes", rows, packages={"lightgbm": metadata.version("lightgbm")}))
    for row in rows:
        print(f"{row['case']:36} {row['variant']:24} {row['median_ms']:9.2f} ms  x{row['ratio']:.3g}")


def calls(rounds: int) -> list[dict[str, Any]]:
    """One call of `sy.slopes`: the first variant is torch."""
    rng, rows = np.random.default_rng(0), []
    for classes in (2, 5):
        z, y = rng.normal(size=ROWS if classes == 2 else (ROWS, classes)) * 2, rng.integers(0, classes, ROWS)
        for name, recipe in RECIPES.items():
            if recipe.weight is not None and classes > 2:
                recipe = sy.mix(sy.Recipe(curve=recipe.curve), sy.fixed(weight=np.arange(1.0, classes + 1)))
            loss = (sy.BinaryCrossEntropy if classes == 2 else sy.CrossEntropy)(recipe)
            ours = functools.partial(sy.slopes, loss, z, y)
            found = in_turn({"torch": in_torch(ours), "C++": ours}, rounds)
            rows += [{"case": f"{classes} classes, {name}", "variant": v, **t} for v, t in found.items()]
    return rows


def fits(rounds: int) -> list[dict[str, Any]]:
    """LightGBM's own objective is the first variant: without weights, as ours is, and of as many trees."""
    import lightgbm
    from sklearn.datasets import make_classification

    from steelyard.integrations.lightgbm import RecipeLGBM

    rows = []
    params = {"num_threads": 1, "deterministic": True, "force_row_wise": True, "verbosity": -1}
    for classes in (2, 5):
        shares = [0.9] if classes == 2 else None
        X, y = make_classification(ROWS, 20, n_informative=8, n_classes=classes, weights=shares, random_state=0)
        kind = {"objective": "binary"} if classes == 2 else {"objective": "multiclass", "num_class": classes}

        def own(X=X, y=y, kind=kind) -> object:
            return lightgbm.train({**params, **kind}, lightgbm.Dataset(X, y), TREES)

        def of(strategy: Any, X=X, y=y) -> Callable[[], object]:
            return lambda: RecipeLGBM(strategy, trees=TREES, params=params).fit(X, y)

        found = in_turn(
            {
                "its own objective": own,
                "weights": of("effective-number"),
                "weights, focal 1.5": of(["effective-number", sy.focal(gamma=1.5)]),
                "weights, in torch": in_torch(of("effective-number")),
            },
            rounds,
        )
        rows += [{"case": f"fit, {classes} classes", "variant": v, **t} for v, t in found.items()]
    return rows


def in_torch(variant: Callable[[], object]) -> Callable[[], object]:
    def run() -> object:
        with mock.patch.object(native_slopes, "refusal", return_value="the other is measured"):
            return variant()

    return run
