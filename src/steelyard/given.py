"""Numbers and labels as people bring them: a list, an array, {class: number}, a Counter, a Series by class, a configuration."""

import contextlib
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np

_SUMS = " Sums of row weights? Say so: Counts(..., weighted=True)."
MOST = 2**53  # every whole number up to here is a float64


def by_class(values: Any, who: str = "Counts") -> dict[str, Any] | None:
    """{class: number} in the order of the logits, of a dictionary or a Series by class; None where there are only numbers.

    A dictionary keeps its order, but for keys that are numbers, or text that is the places 0, 1, ...: those, and a Series, which stands
    by frequency after `value_counts`, ascend, as labels do.
    """
    if isinstance(values, Mapping):
        keys, numbers = list(values), list(values.values())
        ascending = isinstance(values, Counter) or all(isinstance(k, Real) for k in keys)
    elif is_series(values):
        keys, numbers, index = list(values.index), values.to_numpy().tolist(), values.index
        keys = [k[0] if isinstance(k, tuple) and len(k) == 1 else k for k in keys]  # of frame[["y"]].value_counts()
        ascending = True
        if getattr(index, "ordered", False):  # ordered categories
            codes = index.codes.tolist()
            order = sorted(range(len(codes)), key=codes.__getitem__)
            keys, numbers, ascending = [keys[i] for i in order], [numbers[i] for i in order], False
    else:
        return None
    if any(k is None or k != k for k in keys):
        raise ValueError(f"{who}: a class is missing (NaN or None); leave it out, or name it.")
    pairs = list(zip(keys, numbers, strict=True))
    if ascending:
        try:
            pairs.sort(key=lambda pair: pair[0])
        except TypeError:
            raise ValueError(f"{who}: the classes are of mixed kinds; name them alike, such as all as text.") from None
    named = {class_name(k): n for k, n in pairs}
    if len(named) < len(pairs):
        raise ValueError(f"{who}: two classes have the same name; class names must differ.")
    return {name: named[name] for name in places(len(named))} if set(named) == set(places(len(named))) else named


def square(values: Any, who: str) -> tuple[np.ndarray, list[str]] | None:
    """(numbers [C, C], names of the classes) of a DataFrame whose rows and columns are classes; None for anything else.

    Names in the order of its rows, or the places 0, 1, ... ascending. ValueError where rows and columns name different classes.
    """
    if not is_pandas(values) or is_series(values):
        return None
    rows, columns = ([class_name(key) for key in axis] for axis in (values.index, values.columns))
    if len(set(rows)) < len(rows) or sorted(rows) != sorted(columns):
        raise ValueError(
            f"{who}: the rows of the table are named {', '.join(rows[:8])} and its columns {', '.join(columns[:8])}; name both by the"
            " classes, each once, or give the numbers alone (.to_numpy())."
        )
    names = places(len(rows)) if set(rows) == set(places(len(rows))) else rows
    numbers = np.asarray(values.to_numpy(), dtype=np.float64)
    return numbers[np.ix_([rows.index(n) for n in names], [columns.index(n) for n in names])], names


def named_in_order(who: str, values: Any, classes: Sequence[str]) -> Any:
    """Numbers by name, [C] or [C, C], in the order of the classes; other numbers as they are. ValueError for other names.

    What pandas numbers 0, 1, ... has names only where the classes are called so.
    """
    if is_pandas(values) and unnamed(values) and set(classes) != set(places(len(classes))):
        return values
    if (per_class := by_class(values, who)) is not None:
        return in_places(who, list(per_class.values()), list(per_class), classes)
    if (table := square(values, who)) is not None:
        return in_places(who, *table, classes)
    return values


def in_places(who: str, values: Any, names: Sequence[str], classes: Sequence[str]) -> Any:
    """The numbers of `names`, [C] or an array [C, C], in the order of `classes`. ValueError where these are others."""
    names, classes = list(names), [str(c) for c in classes]
    wrong = sorted(set(names) ^ set(classes))
    if wrong:
        raise ValueError(
            f"{who} names {', '.join(names)} but the classes are {', '.join(classes)}; {', '.join(map(repr, wrong))}"
            f" {'is' if len(wrong) == 1 else 'are'} in only one of them."
        )
    order = [names.index(c) for c in classes]
    return values[np.ix_(order, order)] if isinstance(values, np.ndarray) else [values[i] for i in order]


def same_rows(who: str, **columns: Any) -> None:
    """ValueError where columns of pandas name the same rows in another order: they would be joined by place, each row to another's."""
    named = [(name, column.index) for name, column in columns.items() if is_pandas(column)]
    for name, index in named[1:]:
        first, known = named[0]
        if len(index) == len(known) and not index.equals(known) and set(index.tolist()) == set(known.tolist()):
            raise ValueError(
                f"{who}: {first} and {name} hold the same rows in another order, by their index; rows are joined by place. Order them alike,"
                f" {name}.loc[{first}.index], or take the index off (.to_numpy())."
            )


def is_pandas(values: Any) -> bool:
    """A Series or a DataFrame: what has an index of names, which are lost where it is taken for numbers. Nothing is imported."""
    return hasattr(values, "to_numpy") and hasattr(values, "index") and not callable(values.index)


def is_series(values: Any) -> bool:
    return is_pandas(values) and getattr(values, "ndim", 1) == 1


def unnamed(values: Any) -> bool:
    """Whether numbers stand at their places: a list, an array, a Series or DataFrame that is numbered 0, 1, ..."""
    if not is_pandas(values):
        return True
    axes = (values.index,) if is_series(values) else (values.index, values.columns)
    return all([class_name(key) for key in axis] == places(len(axis)) for axis in axes)


def places(n: int) -> list[str]:
    """The names of classes that have none."""
    return [str(i) for i in range(n)]


def in_order(named: dict[str, float], classes: Sequence[Any] | None) -> tuple[list[float], list[str]]:
    """Numbers and names; `classes` chooses the order, or names the classes 0, 1, ..."""
    names = list(named) if classes is None else [class_name(c) for c in classes]
    if set(names) == set(named):
        return [named[name] for name in names], names
    if list(named) == places(len(names)):
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
        standing = places(len(numbers))
        names = standing if set(labels) <= set(standing) or len(labels) != len(numbers) else list(labels)
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
