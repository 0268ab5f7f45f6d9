"""Training rows drawn anew until the classes are even: the habit that a weighting is compared with.

Balancing the rows asks the model for what inverse-frequency weights ask for, so its scores are undone alike.
"""

import importlib.util
from typing import Any

import numpy as np

from ..ingredients import inverse_frequency
from .arms import Arm

RESAMPLERS = {
    "random oversampling": "RandomOverSampler",
    "random undersampling": "RandomUnderSampler",
    "SMOTE": "SMOTE",
}
NEIGHBOURS = 5  # of SMOTE; a class needs one row more than that


def installed() -> bool:
    return importlib.util.find_spec("imblearn") is not None


def arms(rare: int, *, gaps: bool = False) -> list[Arm]:
    """The resamplings that can be done: none without imbalanced-learn; SMOTE only without gaps and with enough rows.

    rare  rows of the rarest class in the smallest training part
    """
    names = [n for n in RESAMPLERS if n != "SMOTE" or (not gaps and rare > NEIGHBOURS)] if installed() else []
    return [Arm(name, inverse_frequency, resample=name) for name in names]


def resample(name: str, X: Any, y: np.ndarray, seed: int) -> tuple[Any, np.ndarray]:
    """Rows [n', p] and labels [n'] with as many of each class; the same for the same seed."""
    from imblearn import over_sampling, under_sampling

    kind = getattr(over_sampling if name != "random undersampling" else under_sampling, RESAMPLERS[name])
    options = {"k_neighbors": NEIGHBOURS} if name == "SMOTE" else {}
    found = kind(random_state=seed, **options).fit_resample(X, y)
    return found[0], np.asarray(found[1])
