"""steelyard: how much each mistake should weigh while a network learns, and what that did to the answer.

import steelyard as sy

counts = sy.count("train.parquet", label="diagnosis")
recipe = sy.mix(sy.effective_number(counts), sy.focal(gamma=2.0))
loss = sy.CrossEntropy(recipe)
p = sy.posterior(logits, loss)
"""

import importlib
import importlib.util
from typing import TYPE_CHECKING, Any

from .checkpoints import allow as _allow

# not lazy: importing the submodule of that name later would put the module in the function's place
from .explain import explain as explain
from .extras import brings
from .version import __version__ as __version__

_allow()

# Five groups: what the data holds, how errors are weighed, losses, reading the answer, heavier tools.
# Loaded at first use, so that `import steelyard` and `steelyard --help` do not wait for torch.
_HOMES = {
    "counts": ("Counts",),
    "data": ("count", "ReadingWarning"),
    "recipe": ("Recipe", "mix", "unit_mass"),
    "ingredients": ("initial_bias",),  # and every ingredient of its menu
    "losses.modules": ("CrossEntropy", "BinaryCrossEntropy"),
    "losses.linear": ("LinearCrossEntropy",),
    "losses.dropin": ("CrossEntropyLoss", "BCEWithLogitsLoss"),
    "losses.functional": ("cross_entropy", "binary_cross_entropy"),
    "losses.slopes": ("slopes",),
    "losses.accumulation": ("accumulate", "global_mass"),
    "ops.choice": ("backend",),
    "beyond": ("Sum", "Region", "DeepSupervision", "quality_focal"),
    "calibrate.posterior": ("posterior",),
    "calibrate.threshold": ("threshold",),
    "tuning": ("tune",),
}
_FRAMEWORKS = ("jax", "keras")  # of whom nothing is installed by steelyard: in no list of what there is
_MODULES = ("adaptive", "curves", "calibrate", "plot", "spatial", "testing")
_HOME = {name: home for home, names in _HOMES.items() for name in names}

if TYPE_CHECKING:  # `as` hands a name on, for strict type checkers
    from . import (
        adaptive as adaptive,
        calibrate as calibrate,
        curves as curves,
        plot as plot,
        spatial as spatial,
        testing as testing,
    )
    from .beyond import DeepSupervision as DeepSupervision, Region as Region, Sum as Sum, quality_focal as quality_focal
    from .calibrate.posterior import (
        posterior as posterior,
    )  # mypy takes the modules of these names, from calibrate itself
    from .calibrate.threshold import threshold as threshold
    from .counts import Counts as Counts
    from .data import ReadingWarning as ReadingWarning, count as count
    from .ingredients import *  # noqa: F403
    from .losses.accumulation import accumulate as accumulate, global_mass as global_mass
    from .losses.dropin import BCEWithLogitsLoss as BCEWithLogitsLoss, CrossEntropyLoss as CrossEntropyLoss
    from .losses.functional import binary_cross_entropy as binary_cross_entropy, cross_entropy as cross_entropy
    from .losses.linear import LinearCrossEntropy as LinearCrossEntropy
    from .losses.modules import BinaryCrossEntropy as BinaryCrossEntropy, CrossEntropy as CrossEntropy
    from .losses.slopes import slopes as slopes
    from .ops.choice import backend as backend
    from .recipe import Recipe as Recipe, mix as mix, unit_mass as unit_mass
    from .tuning import tune as tune


def __getattr__(name: str) -> Any:
    if name in _HOME:
        try:
            value = getattr(importlib.import_module(f".{_HOME[name]}", __name__), name)
        except ModuleNotFoundError as missing:
            if not (sentence := brings(missing.name or "")):
                raise
            raise ModuleNotFoundError(f"steelyard.{name}: {sentence}", name=missing.name) from None
    elif name in _MODULES:
        value = importlib.import_module(f".{name}", __name__)
    elif name in _FRAMEWORKS:
        try:
            value = importlib.import_module(f".integrations.{name}", __name__)
        except ModuleNotFoundError as missing:
            if missing.name != name:
                raise
            raise ModuleNotFoundError(f"steelyard.{name} needs {name}: pip install {name}.", name=name) from None
    elif name == "__all__":
        value = ["explain", *_HOME, *_MODULES, *_menu()]
    elif not _is_submodule(name) and name in _menu():
        value = _menu()[name]
    else:
        raise AttributeError(f"module 'steelyard' has no attribute {name!r}")
    globals()[name] = value
    return value


def _is_submodule(name: str) -> bool:
    """`from steelyard import counts` asks here first, and should not wait for the menu."""
    return name.startswith("_") or importlib.util.find_spec(f"{__name__}.{name}") is not None


def _menu() -> dict[str, Any]:
    ours = importlib.import_module(".ingredients", __name__).OURS
    return {function.__name__: function for function in ours}


def __dir__() -> list[str]:
    return sorted({*globals(), *__getattr__("__all__")})
