"""The charts of a report, each defined once, as a Vega-Lite specification made with Altair.

drawing.py makes the picture that stands in the page without JavaScript and on paper; the page's script draws the same
specification again and moves its marks with the sliders.
"""

from collections.abc import Callable

from ..document import Report
from .chart import Picture
from .classes import classes
from .paths import search, weight_paths
from .reliability import reliability
from .scores import scores
from .thresholds import cost, exchange, precision_recall, roc

MENU: tuple[Callable[[Report], list[Picture]], ...] = (
    scores,
    cost,
    precision_recall,
    roc,
    exchange,
    reliability,
    weight_paths,
    search,
    classes,
)

__all__ = ["MENU", "Picture", "pictures"]


def pictures(report: Report) -> list[Picture]:
    """Those for which the study kept points, in the order in which the page shows them."""
    return [picture for make in MENU for picture in make(report)]
