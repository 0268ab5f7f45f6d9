"""Pictures of what the library holds: `sy.plot.counts(counts)` and its neighbours.

Each function returns an Altair chart; given `ax=`, axes of matplotlib, it draws into them and returns them. Several panels take one pair
of axes, which they share out, or a sequence with one pair for each. Charts are dark under `altair.theme.enable("dark")`, and in dark
axes. Altair: pip install "steelyard[plot]".
"""

# functions that share their submodule's name are imported here, so that a later import cannot put the module in their place
from .counts import counts
from .exchange import exchange
from .explanation import explanation
from .history import history
from .map import map
from .recipe import recipe
from .reliability import reliability
from .study import study

__all__ = ["counts", "exchange", "explanation", "history", "map", "recipe", "reliability", "study"]
