"""Numbers and labels as people bring them: a list, an array, {class: number}, a Counter, a Series by class, a configuration."""

import contextlib
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

_SUMS = " Sums of row weights? Say so: Counts(..., weighted=True)."
MOST = 2**53  # every whole number up to here is a float64


def by_class(per_class: Any) -> dict[str, float] | None:
    """{class: number} in the order of the logits, of a dictionary or a Series by class; None where there are only numbers."""
    if isinstance(per_class, Mapping):
        keys, numbers = list(per_class), list(per_class.values())
        ascending = isinstance(per_class, Counter) or all(isinstance(k, int) for k in keys)
    elif hasattr(per_class, "to_numpy") and hasattr(per_class, "index") and not callable(per_class.index):
        keys, numbers, index = list(per_class.index), per_class.to_numpy().tolist(), per_class.index
        keys = [k[0] if isinstance(k, tuple) and len(k) == 1 else k for k in keys]  # of frame[["y"]].value_counts()
        ascending = True
        if getattr(index, "ordered", False):  # ordered categories
            places = index.codes.tolist()
            order = sorted(range(len(places)), key=places.__getitem__)
            keys, numbers, ascending = [keys[i] for i in order], [numbers[i] for i in order], False
    else:
        return None
    if any(k is None or k != k for k in keys):
        raise ValueError("Counts: a class is missing (NaN or None); leave it out, or name it.")
    pairs = list(zip(keys, numbers, strict=True))
    if ascending:
        try:
            pairs.sort(key=lambda pair: pair[0])
        except TypeError:
            raise ValueError("Counts: the classes are of mixed kinds; name them alike, such as all as text.") from None
    named = {class_name(k): n for k, n in pairs}
    if len(named) < len(pairs):
        raise ValueError("Counts: two classes have the same name; class names must differ.")
    return named


def in_order(named: dict[str, float], classes: Sequence[Any] | None) -> tuple[list[float], list[str]]:
    """Numbers and names; `classes` chooses the order, or names the classes 0, 1, ..."""
    names = list(named) if classes is None else [class_name(c) for c in classes]
    if set(names) == set(named):
        return [named[name] for name in names], names
    if list(named) == [str(i) for i in range(len(names))]:
        return list(named.values()), names
    raise ValueError(
        f"Counts: the numbers are those of {', '.join(map(repr, named))}, but classes= names"
        f" {', '.join(map(repr, names))}; give the same names, or none."
    )


def class_name(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def by_label(numbers: Sequence[float], names: Sequence[str] | None, y: Any) -> dict[Any, float]:
    """{label: its number} for the labels that `y` holds, each of its own type, as Python has it.

    numbers  [C] in the order of `names`; one stands for all classes
    names    None: labels 0, 1, ... are places; others, as many as there are numbers, stand ascending

    ValueError where a label is missing or has no number.
    """
    labels = _labels_of(y)
    if len(numbers) == 1:
        return dict.fromkeys(labels.values(), numbers[0])
    if names is None:
        places = [str(i) for i in range(len(numbers))]
        names = places if set(labels) <= set(places) or len(labels) != len(numbers) else list(labels)
    if tuple(names) == ("0", "1") and set(labels) <= {"False", "True"}:
        names = ("False", "True")
    known = dict(zip(names, numbers, strict=True))
    strange = [repr(label) for name, label in labels.items() if name not in known]
    if strange:
        raise ValueError(
            f"weights_by_label: y holds {', '.join(strange[:5])}, but the recipe has weights for {', '.join(names)};"
            " count the labels that you train on."
        )
    return {label: known[name] for name, label in labels.items()}


def _labels_of(y: Any) -> dict[str, Any]:
    """{name of the class: the label}, ascending where the labels have an order."""
    if hasattr(y, "detach"):
        y = y.detach().cpu().numpy()
    elif hasattr(y, "to_numpy"):
        y = y.to_numpy()
    if isinstance(y, np.ndarray) and y.dtype.kind in "iufbUS":
        found = np.unique(y).tolist()
    else:
        found = list(dict.fromkeys(v.item() if hasattr(v, "item") else v for v in y))
    if any(v is None or v != v for v in found):
        raise ValueError("weights_by_label: y holds a missing label (NaN or None); leave those rows out.")
    with contextlib.suppress(TypeError):  # kinds that have no order
        found.sort()
    return {class_name(v): v for v in found}


def unwrapped(value: Any) -> Any:
    """What Hydra and OmegaConf made a configuration of, again: they turn dataclasses that stand in a list, as recipes are, into dictionaries.
    Nothing is imported."""
    module = sys.modules.get("omegaconf")
    return module.OmegaConf.to_object(value) if module is not None and module.OmegaConf.is_config(value) else value


def sums(values: Iterable[float]) -> np.ndarray:
    """Of row weights by class, float64 [C]."""
    n = np.array(values if isinstance(values, np.ndarray) else list(values))
    if n.ndim != 1 or n.dtype.kind not in "iuf" or not bool(np.all((n >= 0) & (n <= MOST))):
        raise ValueError(
            f"Counts: weighted per_class must be one sum of weights in [0, 2^53] per class, got {n.tolist()[:5]}."
        )
    n = n.astype(np.float64)
    n.setflags(write=False)
    return n


def whole_numbers(name: str, values: Iterable[float]) -> np.ndarray:
    n = np.asarray(values if isinstance(values, np.ndarray) else list(values))
    if n.ndim != 1:
        raise ValueError(f"Counts: {name} must be one number per class, got shape {list(n.shape)}.")
    if n.size and n.dtype.kind not in "iu" and not (n.dtype.kind == "f" and bool(np.all(n == np.floor(n)))):
        raise ValueError(f"Counts: {name} must be whole numbers, got {n.tolist()[:5]}." + _SUMS * (n.dtype.kind == "f"))
    if n.size and (least := n.min()) < 0:
        raise ValueError(f"Counts: {name} must be >= 0, got {least:g}.")
    if n.size and (most := n.max()) > MOST:
        raise ValueError(f"Counts: {name} must be at most 2^53, got {most:g}.")
    n = n.astype(np.int64)
    n.setflags(write=False)
    return n
