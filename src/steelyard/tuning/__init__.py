"""The tuner: which weighting, which threshold, and how sure one can be."""

from .space import Arm
from .study import Study, tune

__all__ = ["Arm", "Study", "tune"]
