"""The menu: each ingredient is a function that returns a Recipe.

A line below puts an ingredient on it, and everything else follows: `sy.NAME`, the command line, the page in the docs, the laws.
`initial_bias` is no ingredient: it returns the numbers with which the last layer should start.
"""

from collections.abc import Callable

from ..options import Spec
from ..recipe import Recipe
from ._plugins import plugins
from .initial_bias import initial_bias as initial_bias

# what a label counts (weight)
from .inverse_frequency import inverse_frequency as inverse_frequency
from .effective_number import effective_number as effective_number
from .median_frequency import median_frequency as median_frequency
from .log_frequency import log_frequency as log_frequency
from .pos_neg import pos_neg as pos_neg
from .deployment import deployment as deployment
from .costs import costs as costs  # also offset, target

# what the head start is (offset)
from .logit_adjustment import logit_adjustment as logit_adjustment

# how sharp the logits are (scale)
from .class_temperature import class_temperature as class_temperature
from .label_temperature import label_temperature as label_temperature

# by how much to win (margin)
from .margin import margin as margin

# how the penalty falls (curve)
from .focal import focal as focal
from .asymmetric import asymmetric as asymmetric
from .robust import poly as poly
from .robust import generalized as generalized
from .robust import symmetric as symmetric

# what a label asks for (target)
from .smooth import smooth as smooth

# your own numbers
from .fixed import fixed as fixed

# now, not later: an import of a file by its path may put the module in its function's place
OURS: tuple[Callable[..., Recipe], ...] = tuple(
    value for value in list(globals().values()) if isinstance(getattr(value, "spec", None), Spec)
)


def menu() -> dict[str, Callable[..., Recipe]]:
    """{"effective-number": effective_number, ...}: ours, then those of the entry point group `steelyard.ingredients`.

    A plug-in that cannot be used is left out with a RuntimeWarning that names it.
    """
    return plugins({function.spec.cli_name: function for function in OURS})  # type: ignore[attr-defined]
