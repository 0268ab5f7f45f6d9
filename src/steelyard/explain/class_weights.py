"""Whether one weight for each class says all of a recipe, and the classes as keys: what frameworks with class weights ask for."""

import math
from collections.abc import Sequence

from ..recipe import Recipe

BEYOND = {
    "scale": "multiplies the logits",
    "offset": "adds to the logits inside the loss",
    "margin": "lowers the logit of the label",
    "target": "changes what a label asks for",
    "curve": "changes how the penalty falls with the probability",
    "norm": "changes what the loss is divided by",
}


TRUE, FALSE = frozenset(("True", "TRUE", "true")), frozenset(("False", "FALSE", "false"))  # as pandas reads a CSV


def beyond_weights(recipe: Recipe) -> str | None:
    """Why a vector of class weights cannot say this recipe, or None if it can."""
    others = [f"{name} {what}" for name, what in BEYOND.items() if getattr(recipe, name) is not None]
    if others:
        return "its " + " and its ".join(others) + ", which class weights cannot express"
    if recipe.weight is None:
        return "it sets no weight"
    if recipe.kind == "multilabel":
        return "it holds two weights for each label, yes and no, which class weights cannot express"
    try:
        recipe.label_weights()
    except ValueError as error:
        return str(error).removeprefix("Recipe: ").rstrip(".")
    return None


def label_values(names: Sequence[str]) -> list[bool | int | float | str]:
    """Class names as the values that a label column holds: all numbers, all booleans, or text.

    >>> label_values(["1", "2.5"]), label_values(["0", "ill"]), label_values(["True", "False"])
    ([1, 2.5], ['0', 'ill'], [True, False])
    """
    if len({name.lower() for name in names}) == len(names) and set(names) <= TRUE | FALSE:
        return [name in TRUE for name in names]
    numbers = [_number(name) for name in names]
    return list(names) if None in numbers else [n for n in numbers if n is not None]


def _number(name: str) -> int | float | None:
    """The number that is written like this, and not in another way, such as 007."""
    for kind in (int, float):
        try:
            value = kind(name)
        except ValueError:
            continue
        if str(value) == name and not name.endswith(".0") and math.isfinite(value):
            return value
    return None
