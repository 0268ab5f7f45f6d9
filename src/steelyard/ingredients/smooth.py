"""Label smoothing: a label asks for a little less than certainty."""

from typing import Annotated, Any

from ..counts import Counts
from ..given import by_class as by_name
from ..given import is_pandas, unnamed
from ..options import In, ingredient
from ..recipe import Recipe
from ..table import Smooth
from ._by_class import by_class


@ingredient
def smooth(
    amount: Annotated[Any, In(0.0, 1.0, search=(0.0, 0.3), per_label=True)] = 0.1, *, toward: Any = None
) -> Recipe:
    """Ask for (1 - amount) on the label and spread the rest: T[y,c] = (1 - e_y) [c = y] + e_y v_c.

    amount   e: one number, one per label [C], or {class: amount}; in a sigmoid loss one number or (is not, is)
    toward   v: None is uniform (1/2 in a sigmoid loss); Counts mean their prior; or [C] summing to 1, or {class: share}

    Weights act after the smoothing, on the sample, so smoothing with weights keeps its optimum at the label.

    Source: Szegedy et al. 2016, arXiv:1512.00567, sec. 7; an amount per class: Zhong et al. 2021, arXiv:2104.00466.

    >>> smooth(0.1, toward=Counts.of(900, 100)).target
    smooth by 0.1 toward [0.9, 0.1]
    """
    counts = toward if isinstance(toward, Counts) else None
    classes = _names(toward) or _names(amount)
    if _names(amount) is not None and counts is not None and counts.kind == "multilabel":
        raise ValueError("smooth: with multilabel counts amount is one number or two (is not, is), not one per class.")
    if classes is not None and _names(amount) is not None:
        amount = by_class("smooth", "amount", amount, classes)
    if counts is not None:
        toward = counts.prior if counts.kind == "exclusive" else counts.prior[1]
    elif classes is not None and toward is not None:
        toward = by_class("smooth", "toward", toward, classes)
    return Recipe(target=Smooth(amount, toward), classes=classes, kind=None if counts is None else counts.kind)


def _names(value: Any) -> tuple[str, ...] | None:
    if isinstance(value, Counts):
        return value.classes
    named = None if is_pandas(value) and unnamed(value) else by_name(value, "smooth")
    return None if named is None else tuple(named)
