"""Rules that change the recipe while training goes on. Any of them stands where a Recipe would.

    loss = sy.CrossEntropy(sy.adaptive.Deferred(sy.Recipe(), recipe, after_epoch=160))
    loss.advance(epoch=epoch)        # at the start of every epoch

All follow one protocol (steelyard.rule): state in buffers, so it is in `loss.state_dict()`; statistics summed over ranks;
what a step observes takes effect at the next one; `history()` is a table of the numbers over time.
"""

from ..history import History
from ..rule import Adaptive, Rule
from .anneal import Anneal
from .bilevel import Bilevel
from .costs import LearnedCosts
from .curriculum import Curriculum
from .deferred import Deferred
from .learned import Learned
from .mixed import Mixed

__all__ = [
    "Adaptive",
    "Anneal",
    "Bilevel",
    "Curriculum",
    "Deferred",
    "History",
    "Learned",
    "LearnedCosts",
    "Mixed",
    "Rule",
]
