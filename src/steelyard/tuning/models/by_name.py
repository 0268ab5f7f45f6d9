"""What `--model` may say, and the model behind each name."""

import difflib
from collections.abc import Callable
from importlib.util import find_spec

from .model import Model


def _linear() -> Model:
    from .linear import LinearModel

    return LinearModel()


def _mlp() -> Model:
    from .mlp import MLPModel

    return MLPModel()


def _boosting() -> Model:
    from .boosting import BoostingModel

    _need("sklearn", "boosting", "steelyard[tune]")
    return BoostingModel()


def _lightgbm() -> Model:
    from .lightgbm import LightGBMModel

    _need("lightgbm", "lightgbm", "steelyard[boosting]")
    return LightGBMModel()


MODELS: dict[str, Callable[[], Model]] = {
    "linear": _linear,
    "mlp": _mlp,
    "boosting": _boosting,
    "lightgbm": _lightgbm,
}


def names() -> tuple[str, ...]:
    """The names that `named` knows beside import paths of scikit-learn classifiers."""
    return tuple(MODELS)


def named(name: str) -> Model:
    """The model: one of `names()`, or a scikit-learn classifier by its import path.

    ValueError for any other name, with the nearest one, and where a package is missing, with the command that installs it.

    >>> named("mlp").axis.name
    'epochs'
    """
    if name in MODELS:
        return MODELS[name]()
    if "." in name.split("(")[0]:
        from .estimators import EstimatorModel

        _need("sklearn", name, "steelyard[tune]")
        return EstimatorModel(name)
    close = difflib.get_close_matches(name, MODELS, n=1)
    raise ValueError(
        f"tune: there is no model {name!r}{f'; did you mean {close[0]}?' if close else '.'} It is one of {', '.join(MODELS)},"
        " or a scikit-learn classifier by its import path, such as sklearn.ensemble.RandomForestClassifier."
    )


def _need(package: str, model: str, extra: str) -> None:
    if find_spec(package) is None:
        raise ValueError(f"tune: the model {model} needs {package}, which is not installed: pip install '{extra}'")
