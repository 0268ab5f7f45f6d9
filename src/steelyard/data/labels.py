"""From the labels that were found, and how often, to Counts. Every source of labels ends here."""

import difflib
import itertools
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from ..counts import Counts

LARGEST_INDEX = 10_000_000
LONG = 60  # letters of a label that are shown; longer ones are not compared either


def label_name(value: Any) -> str:
    """The name of a class: "0" for 0 and 0.0, "0.5", "True", and text as it is."""
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, float) and value.is_integer() and abs(value) <= 2**53:
        return str(int(value))
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def is_missing(value: Any) -> bool:
    """None, or not equal to itself as NaN, NaT and NA are."""
    if value is None:
        return True
    try:
        return bool(value != value)
    except (TypeError, ValueError):  # pandas.NA refuses to be a bool
        return type(value).__name__ == "NAType"


def listed(values: Any) -> list[Any]:
    """One value or several, as a list; None is none."""
    if values is None:
        return []
    if isinstance(values, (str, bytes)) or not isinstance(values, Iterable):
        return [values]
    return list(values)


def suggest(wanted: str, known: Iterable[str]) -> str:
    """ " Did you mean 'x'?", or nothing: the end of an error about a name that is not known."""
    if len(wanted) > LONG:
        return ""
    by_lower = {k.lower(): k for k in itertools.islice(known, 10_000) if len(k) <= LONG}
    near = difflib.get_close_matches(wanted.lower(), by_lower, n=1, cutoff=0.55)
    return f" Did you mean {by_lower[near[0]]!r}?" if near else ""


def some(names: Sequence[str], limit: int = 12) -> str:
    """The names in one line, shortened."""
    shown = ", ".join(map(short, names[:limit]))
    return shown + (f" and {len(names) - limit} more" if len(names) > limit else "")


def short(name: str) -> str:
    """A name in quotes, cut where it is long."""
    return repr(name if len(name) <= LONG else f"{name[: LONG - 3]}...")


def in_order(classes: Any) -> Any:
    """`classes` as a list, or as {value: name} in the order of the logits: {name: index} and {index: name} mean the index."""
    if not isinstance(classes, Mapping):
        return classes
    if all(map(_is_whole, classes.values())) and not all(map(_is_index, classes)):
        named: dict[Any, str] = {}
        for name, index in sorted(classes.items(), key=lambda pair: pair[1]):
            first = named.setdefault(int(index), label_name(name))
            if first != label_name(name):
                named[label_name(name)] = first
        return named
    if classes and all(map(_is_index, classes)):
        by_target = all(map(_is_whole, classes.values()))
        return dict(sorted(classes.items(), key=lambda pair: int(pair[1] if by_target else pair[0])))
    return classes


def names_in(classes: Any) -> list[str]:
    """The names of the classes, in order."""
    classes = in_order(classes)
    if isinstance(classes, Mapping):
        return list(dict.fromkeys(map(label_name, classes.values())))
    return [label_name(c) for c in listed(classes)]


def renames(classes: Any) -> dict[str, str]:
    """{value: name of its class} of the values that `classes` names differently."""
    classes = in_order(classes)
    return {label_name(v): label_name(n) for v, n in classes.items()} if isinstance(classes, Mapping) else {}


def drop(times: Mapping[Any, int], ignore: Any) -> tuple[dict[Any, int], int]:
    """(the values without the ignored values and the missing ones, how many were missing)."""
    ignored = listed(ignore)
    names = {label_name(v) for v in ignored if not is_missing(v)}
    missing = sum(n for value, n in times.items() if is_missing(value))
    kept = {v: n for v, n in times.items() if not is_missing(v) and not (names and label_name(v) in names)}
    return kept, missing


def from_indices(times: Mapping[Any, int], *, classes: Any, ignore: Any, source: str, unit: str) -> Counts:
    """Integers in memory: label i is logit i. Classes 0..max; names are given by `classes`, or are "0", "1", ...

    Whole numbers as `classes` are matched by value instead, so classes=[1, 2] counts labels that start at 1.
    """
    times, missing = drop(times, ignore)
    refuse_missing(missing, ignore)
    classes = in_order(classes)
    if isinstance(classes, Mapping) and [str(k) for k in classes] != [str(i) for i in range(len(classes))]:
        return by_value(times, classes=classes, source=source, unit=unit)
    names = None if classes is None else listed(classes.values() if isinstance(classes, Mapping) else classes)
    if names and (all(_is_whole(c) for c in names) or len(set(map(label_name, names))) < len(names)):
        return by_value(times, classes=classes, source=source, unit=unit)
    lowest, highest = min(times, default=0), max(times, default=-1)
    if lowest < 0:
        below = sorted(v for v in times if v < 0)
        raise ValueError(
            f"count: labels in memory are logit indices 0, 1, ..., but {below[0]} occurs {_times(times[below[0]])}."
            f" If it marks what does not count pass ignore={below[0] if len(below) == 1 else below};"
            f" to count by value pass classes=, such as classes={sorted(times)[:3]}."
        )
    if names is not None and highest >= len(names):
        raise ValueError(
            f"count: label {highest} ({_times(times[highest])}) has no name: classes= names {len(names)} logits,"
            f" 0..{len(names) - 1}. {_one_too_high(lowest, highest, len(names), names)}"
        )
    if highest > LARGEST_INDEX:
        raise ValueError(
            f"count: labels in memory are logit indices, and {highest} would need {highest + 1} classes."
            " If these numbers are names, pass classes=[...] with the values that occur."
        )
    size = highest + 1 if names is None else len(names)
    _something(size, source)
    per_class = [0] * size
    for value, n in times.items():
        per_class[value] = n
    return Counts(per_class, names, unit, source)


def _one_too_high(lowest: int, highest: int, size: int, names: Sequence[Any]) -> str:
    """What a label beyond the last class may mean. Void pixels are a number above, and labels that start at 1 look like it."""
    if highest == size and lowest >= 1:
        return (
            f"No label is 0, so they may start at 1: subtract 1 (labels - 1), or pass classes={{1: {label_name(names[0])!r}, ...}}."
            f" If {highest} marks what does not count pass ignore={highest}; if it is a class, name it."
        )
    return f"If it marks what does not count pass ignore={highest}; if it is a class, add its name to classes=."


def by_value(
    times: Mapping[Any, int],
    *,
    classes: Any,
    source: str,
    unit: str,
    kind: str = "exclusive",
    items: int | None = None,
    containing: Mapping[Any, int] | None = None,
    also: Mapping[str, Mapping[Any, int]] | None = None,
    digest: str | None = None,
) -> Counts:
    """Table columns, masks, text and booleans: the distinct values ascending, numbers as numbers; or exactly `classes`.

    classes     names in their order; or {value: name}, {index: name}, {name: index}
    items       rows or images, where one can hold several labels or none
    containing  and `also` are tallies by the same values; see Counts

    Missing and ignored values must have been dealt with before (see `drop`).
    """
    renamed = renames(classes)

    def by_name(tally: Mapping[Any, int]) -> dict[str, int]:
        named: dict[str, int] = {}
        for value in ascending(tally):
            name = renamed.get(label_name(value), label_name(value))
            named[name] = named.get(name, 0) + tally[value]
        return named

    named = by_name(times)
    names = list(named) if classes is None else names_in(classes)
    known = frozenset(names)
    for name, n in named.items():
        if name not in known:
            raise ValueError(
                f"count: the label {short(name)} ({_times(n)}) is not one of the classes {some(names)}."
                f"{suggest(name, names)} Add it to classes=, or pass ignore={short(name)}."
            )
    _something(len(names), source)

    def numbers(tally: Mapping[Any, int]) -> list[int]:
        by = by_name(tally)
        return [by.get(name, 0) for name in names]

    return Counts(
        numbers(times),
        names,
        unit,
        source,
        kind=kind,
        items=items,
        containing=None if containing is None else numbers(containing),
        also={name: numbers(tally) for name, tally in (also or {}).items()},
        digest=digest,
    )


def ascending(values: Iterable[Any]) -> list[Any]:
    """Numbers by size, text by its letters; mixed kinds by their kind first."""
    values = list(values)
    try:
        return sorted(values)
    except TypeError:
        return sorted(values, key=lambda v: (type(v).__name__, label_name(v)))


def refuse_continuous(times: Mapping[Any, int], what: str) -> None:
    """ValueError if a column of a table cannot well be a label: measurements, identifiers, free text."""
    total, distinct = sum(times.values()), len(times)
    numbers = all(isinstance(v, (int, float, Decimal)) and not isinstance(v, bool) for v in times)
    fractions = numbers and any(not float(v).is_integer() for v in times)
    measured = fractions and distinct > 20
    if numbers and not fractions and distinct > 100:  # gaps between few repeats: a quantity, not class numbers
        span = max(times) - min(times) + 1
        measured = distinct < 0.9 * span and total < 50 * distinct
    if measured or (distinct > 50 and total < 2 * distinct):
        kind = "continuous" if measured else "like an identifier or free text"
        example = ", ".join(label_name(v) for v in list(times)[:3])
        raise ValueError(
            f"{what} looks {kind}: {distinct:,} different values in {total:,} rows, such as {example}."
            " Choose a column of class names, or cut it into classes first (in Python, classes= counts the values you name)."
        )


def refuse_missing(missing: int, ignore: Any) -> None:
    """ValueError for NaN or None among labels in memory, unless `ignore` holds NaN."""
    if missing and not any(is_missing(v) for v in listed(ignore)):
        raise ValueError(
            f"count: {missing:,} {'label is' if missing == 1 else 'labels are'} missing (NaN or None)."
            " Drop them, or pass ignore=float('nan') to leave them out."
        )


def left_out(rows: int) -> str:
    return f"{rows:,} {'row' if rows == 1 else 'rows'} without a label left out"


def _something(size: int, source: str) -> None:
    if size == 0:
        raise ValueError(f"count: there is no label to count{f' in {source}' if source else ''}; the data is empty.")


def _is_whole(value: Any) -> bool:
    value = value.item() if hasattr(value, "item") else value
    return isinstance(value, int) and not isinstance(value, bool)


def _is_index(value: Any) -> bool:
    return _is_whole(value) or (isinstance(value, str) and value.strip().isdecimal())


def _times(n: int) -> str:
    return "once" if n == 1 else f"{n:,} times"
