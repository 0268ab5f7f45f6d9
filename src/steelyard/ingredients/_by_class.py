"""Numbers per class, given in order or by name."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..given import named_in_order
from ..table import as_numpy


def by_class(caller: str, what: str, value: Any, classes: Sequence[str]) -> np.ndarray:
    """[C] float64 in the order of `classes`, from a sequence {class: number} or a Series that names each class once."""
    value = named_in_order(f"{caller}: {what}", value, classes)
    try:
        numbers = as_numpy(value)
    except (TypeError, ValueError):
        raise ValueError(f"{caller}: {what} must be one number per class, got {value!r}.") from None
    if numbers.shape != (len(classes),):
        raise ValueError(
            f"{caller}: {what} must be one number per class ({len(classes)}), got shape {list(numbers.shape)}."
        )
    return numbers
