"""Names of models and what stands behind them. Files: tuning/models/model.py."""

import importlib.util

import numpy as np
import pytest

from steelyard import Recipe
from steelyard.tuning.models import by_name
from steelyard.tuning.models.model import Fit

PATH = "sklearn.ensemble.RandomForestClassifier(n_estimators=5)"
RECIPE = Recipe(weight=[0.5, 5.0], classes=("no", "yes"), kind="exclusive")


@pytest.mark.parametrize("name", [*by_name.names(), PATH])
def test_every_engine_fits_scores_and_keeps_to_the_protocol(name):
    engine = by_name.named(name)
    assert engine.name == name
    assert engine.encoding in ("scaled", "raw")
    assert all(isinstance(flag, bool) for flag in (engine.together, engine.free_intercept, engine.readable))
    grid = engine.axis.grid
    assert list(grid) == sorted(grid)
    assert engine.axis.default in grid
    assert all(s < grid[0] for s in engine.axis.lower)
    assert list(engine.axis.lower) == sorted(engine.axis.lower, reverse=True)
    assert all(s > grid[-1] for s in engine.axis.upper)
    assert engine.refuses(RECIPE, 2) == ""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 3))
    y = (X[:, 0] + rng.normal(size=200) > 1).astype(int)
    settings = np.array(grid[:2])
    fitted = engine.fit(Fit(X, y, [Recipe(classes=("no", "yes"), kind="exclusive"), RECIPE], settings, seed=1))
    z = fitted.logits(X)
    assert z.shape == (2, len(settings), 200)
    assert np.isfinite(z).all()
    assert fitted.converged.shape == z.shape[:2]
    assert fitted.converged.dtype == bool
    assert isinstance(fitted.describe(1, 0, ["a", "b", "c"]), dict)
    assert bool(fitted.describe(1, 0, ["a", "b", "c"])) == engine.readable


def test_another_name_is_an_error_with_the_nearest():
    with pytest.raises(ValueError, match="did you mean boosting"):
        by_name.named("bosting")
    with pytest.raises(ValueError, match="linear, mlp, boosting, lightgbm"):
        by_name.named("quantum")


@pytest.mark.parametrize(
    ("name", "package", "command"),
    [("lightgbm", "lightgbm", r"steelyard\[boosting\]"), ("boosting", "sklearn", r"steelyard\[tune\]")],
)
def test_a_missing_package_is_an_error_with_the_command_that_installs_it(monkeypatch, name, package, command):
    real = importlib.util.find_spec
    monkeypatch.setattr(by_name, "find_spec", lambda wanted: None if wanted == package else real(wanted))
    with pytest.raises(ValueError, match=f"needs {package}, which is not installed: pip install '{command}'"):
        by_name.named(name)
