"""Reading the answer: probabilities with the weights undone, recalibrated, where to cut them and at what price."""

# functions that share their submodule's name are imported here, so that a later import cannot put the module in their place
from .exchange import Exchange, exchange
from .export import Posterior, fold
from .posterior import inside, posterior
from .scaling import Scaling, scaling
from .threshold import threshold

__all__ = ["Exchange", "Posterior", "Scaling", "exchange", "fold", "inside", "posterior", "scaling", "threshold"]
