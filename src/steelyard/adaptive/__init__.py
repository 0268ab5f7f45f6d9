"""Rules that change the recipe while training goes on. Any of them stands where a Recipe would.

    loss = sy.CrossEntropy(sy.adaptive.Deferred(sy.Recipe(), recipe, after_epoch=160))
    loss.advance(epoch=epoch)        # at the start of every epoch

All follow one protocol (steelyard.rule): state in buffers, so it is in `loss.state_dict()`; statistics summed over
ranks; what a step observes takes effect at the next one; `history()` is a table of the numbers over time. A line below puts a rule
into `RULES`, over which the laws loop (steelyard.testing.check_rule).
"""

from ..rule.history import History as History
from ..rule.protocol import Adaptive as Adaptive
from ..rule.protocol import Rule as Rule

# by a schedule
from .schedules import Anneal as Anneal
from .schedules import Curriculum as Curriculum
from .schedules import Deferred as Deferred

# from what the batches hold
from .batch import BatchStatistics as BatchStatistics
from .knee import FBetaKnee as FBetaKnee
from .seesaw import Seesaw as Seesaw
from .equalized import Equalized as Equalized
from .harmonized import Harmonized as Harmonized
from .hardest import Hardest as Hardest
from .maps import CalibratedMaps as CalibratedMaps

# learned
from .learned import Learned as Learned
from .costs import LearnedCosts as LearnedCosts
from .uncertainty import Uncertainty as Uncertainty

# several at once
from .mixed import Mixed as Mixed
from .family import Family as Family

# beside the rules
from .bilevel import Bilevel as Bilevel
from .entropy import entropy_weights as entropy_weights
from .family import FiLM as FiLM
from .family import condition as condition
from .hardest import hardest as hardest
from .knee import knee_sensitivity as knee_sensitivity
from .knee import normal_exponential_ratio as normal_exponential_ratio
from .knee import uniform_ratio as uniform_ratio
from ..losses.sum import UncertainSum as UncertainSum

RULES: dict[str, type[Rule]] = {
    value.__name__: value
    for value in list(globals().values())
    if isinstance(value, type) and issubclass(value, Rule) and value is not Rule
}
