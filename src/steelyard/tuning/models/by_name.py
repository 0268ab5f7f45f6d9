"""What `--model` may say, and the engine behind each name."""

import difflib
from collections.abc import Callable
from importlib.util import find_spec

from .model import Engine


def _linear() -> Engine:
    from .linear import LinearEngine

    return LinearEngine()


def _mlp() -> Engine:
    from .mlp import MLPEngine

    return MLPEngine()


def _boosting() -> Engine:
    from .boosting import BoostingEngine

    _need("sklearn", "boosting", "steelyard[tune]")
    return BoostingEngine()


def _lightgbm() -> Engine:
    from .lightgbm import LightGBMEngine

    _need("lightgbm", "lightgbm", "steelyard[boosting]")
    return LightGBMEngine()


MODELS: dict[str, Callable[[], Engine]] = {
    "linear": _linear,
    "mlp": _mlp,
    "boosting": _boosting,
    "lightgbm": _lightgbm,
}


def names() -> tuple[str, ...]:
    """The names that `named` knows beside import paths of scikit-learn classifiers."""
    return tuple(MODELS)


def named(name: str) -> Engine:
    """The engine of a model: one of `names()`, or a scikit-learn classifier by its import path.

    ValueError for any other name, with the nearest one, and where a package is missing, with the command that installs it.

    >>> named("mlp").axis.name
    'epochs'
    """
    if name in MODELS:
        return MODELS[name]()
    if "." in name.split("(")[0]:
        from .estimators import EstimatorEngine

        _need("sklearn", name, "steelyard[tune]")
        return EstimatorEngine(name)
    close = difflib.get_close_matches(name, MODELS, n=1)
    raise ValueError(
        f"tune: there is no model {name!r}{f'; did you mean {close[0]}?' if close else '.'} It is one of {', '.join(MODELS)},"
        " or a scikit-learn classifier by its import path, such as sklearn.ensemble.RandomForestClassifier."
    )


def _need(package: str, model: str, extra: str) -> None:
    if find_spec(package) is None:
        raise ValueError(f"tune: the model {model} needs {package}, which is not installed: pip install '{extra}'")
