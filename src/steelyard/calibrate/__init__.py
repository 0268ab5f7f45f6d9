"""Reading the answer: probabilities with the weights undone, and where to cut them."""

from .posterior import inside, posterior
from .threshold import threshold

__all__ = ["inside", "posterior", "threshold"]
