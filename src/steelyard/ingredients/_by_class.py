"""Numbers per class, given in order or by name."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..table import as_numpy


def by_class(caller: str, what: str, value: Any, classes: Sequence[str]) -> np.ndarray:
    """[C] float64 in the order of `classes`, from a sequence or {class: number} that names each class once."""
    if isinstance(value, Mapping):
        given = {str(k): v for k, v in value.items()}
        wrong = sorted(set(given) ^ set(classes))
        if wrong:
            raise ValueError(
                f"{caller}: {what} names {', '.join(given)} but the classes are {', '.join(classes)};"
                f" {', '.join(map(repr, wrong))} {'is' if len(wrong) == 1 else 'are'} in only one of them."
            )
        value = [given[c] for c in classes]
    try:
        numbers = as_numpy(value)
    except (TypeError, ValueError):
        raise ValueError(f"{caller}: {what} must be one number per class, got {value!r}.") from None
    if numbers.shape != (len(classes),):
        raise ValueError(
            f"{caller}: {what} must be one number per class ({len(classes)}), got shape {list(numbers.shape)}."
        )
    return numbers
