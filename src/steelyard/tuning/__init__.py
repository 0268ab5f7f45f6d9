"""The tuner: which weighting, which threshold, and how sure one can be."""

from .arms import Arm
from .study import Study, tune

__all__ = ["Arm", "Study", "tune"]
