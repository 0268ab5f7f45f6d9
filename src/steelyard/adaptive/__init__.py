"""Rules that change the recipe while training goes on. Any of them stands where a Recipe would.

    loss = sy.CrossEntropy(sy.adaptive.Deferred(sy.Recipe(), recipe, after_epoch=160))
    loss.advance(epoch=epoch)        # at the start of every epoch

All follow one protocol (steelyard.rule): state in buffers, so it is in `loss.state_dict()`; statistics summed over
ranks; what a step observes takes effect at the next one; `history()` is a table of the numbers over time.
"""

from ..rule.history import History
from ..rule.protocol import Adaptive, Rule
from .anneal import Anneal
from .batch import BatchStatistics
from .bilevel import Bilevel
from .costs import LearnedCosts
from .curriculum import Curriculum
from .deferred import Deferred
from .entropy import entropy_weights
from .equalized import Equalized
from .family import Family
from .film import FiLM, condition
from .hardest import Hardest, hardest
from .harmonized import Harmonized
from .knee import FBetaKnee, knee_sensitivity
from .knee_cdf import normal_exponential_ratio, uniform_ratio
from .learned import Learned
from .maps import CalibratedMaps
from .mixed import Mixed
from .seesaw import Seesaw
from .uncertainty import UncertainSum, Uncertainty

__all__ = [
    "Adaptive",
    "Anneal",
    "BatchStatistics",
    "Bilevel",
    "CalibratedMaps",
    "Curriculum",
    "Deferred",
    "Equalized",
    "FBetaKnee",
    "Family",
    "FiLM",
    "Hardest",
    "Harmonized",
    "History",
    "Learned",
    "LearnedCosts",
    "Mixed",
    "Rule",
    "Seesaw",
    "UncertainSum",
    "Uncertainty",
    "condition",
    "entropy_weights",
    "hardest",
    "knee_sensitivity",
    "normal_exponential_ratio",
    "uniform_ratio",
]
