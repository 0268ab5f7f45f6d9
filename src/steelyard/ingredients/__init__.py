"""The menu: each ingredient is a function that returns a Recipe.

What a label counts (weight)      inverse_frequency, effective_number, median_frequency, log_frequency, pos_neg,
                                  deployment, costs
What the head start is (offset)   logit_adjustment, costs(field="offset")
How sharp the logits are (scale)  class_temperature, label_temperature
By how much to win (margin)       margin
How the penalty falls (curve)     focal, asymmetric, poly, generalized, symmetric
What a label asks for (target)    smooth, costs(field="target")
Your own numbers                  fixed

`initial_bias` is no ingredient: it returns the numbers with which the last layer should start.
"""

from collections.abc import Callable

from ..recipe import Recipe
from ._plugins import plugins
from .asymmetric import asymmetric
from .class_temperature import class_temperature
from .costs import costs
from .deployment import deployment
from .effective_number import effective_number
from .fixed import fixed
from .focal import focal
from .initial_bias import initial_bias
from .inverse_frequency import inverse_frequency
from .label_temperature import label_temperature
from .log_frequency import log_frequency
from .logit_adjustment import logit_adjustment
from .margin import margin
from .median_frequency import median_frequency
from .pos_neg import pos_neg
from .robust import generalized, poly, symmetric
from .smooth import smooth

__all__ = [
    "asymmetric",
    "class_temperature",
    "costs",
    "deployment",
    "effective_number",
    "fixed",
    "focal",
    "generalized",
    "initial_bias",
    "inverse_frequency",
    "label_temperature",
    "log_frequency",
    "logit_adjustment",
    "margin",
    "median_frequency",
    "menu",
    "poly",
    "pos_neg",
    "smooth",
    "symmetric",
]

OURS: tuple[Callable[..., Recipe], ...] = (
    inverse_frequency,
    effective_number,
    median_frequency,
    log_frequency,
    pos_neg,
    deployment,
    costs,
    logit_adjustment,
    class_temperature,
    label_temperature,
    margin,
    focal,
    asymmetric,
    poly,
    generalized,
    symmetric,
    smooth,
    fixed,
)


def menu() -> dict[str, Callable[..., Recipe]]:
    """{"effective-number": effective_number, ...}: ours, then those of the entry point group `steelyard.ingredients`.

    A plug-in that cannot be used is left out with a RuntimeWarning that names it.
    """
    return plugins({function.spec.cli_name: function for function in OURS})  # type: ignore[attr-defined]
