"""Your own numbers."""

from collections.abc import Sequence
from typing import Any

from ..curves import Curve
from ..options import ingredient
from ..recipe import Recipe


@ingredient
def fixed(
    *,
    scale: Any = None,
    offset: Any = None,
    margin: Any = None,
    weight: Any = None,
    target: Any = None,
    curve: Curve | None = None,
    norm: str | float | None = None,
    classes: Sequence[Any] | None = None,
    kind: str | None = None,
) -> Recipe:
    """Set fields of a Recipe to numbers of your own, to be mixed with what other ingredients set.

    Every field as in `Recipe`: a vector is per label, a table is [label value, class], {class: weight} works.
    Tensors that require a gradient are kept and learned. Nothing is rescaled.

    Source: yours.

    >>> fixed(weight=[1.0, 9.0]).class_weight.tolist()
    [1.0, 9.0]
    """
    return Recipe(scale, offset, margin, weight, target, curve, norm, classes=classes, kind=kind)
