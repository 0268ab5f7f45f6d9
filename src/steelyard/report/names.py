"""report.json for people: every text in it as it can be shown, cleaned once, before any part is read."""

from collections.abc import Iterator, Mapping
from typing import Any

from ..shown import clean, cut

LONGEST = 120  # characters of a name; sentences and paths are as long as they are
SENTENCES = ("sentence", "remarks", "warnings", "notes", "note", "reason", "equals_plain", "path")


def shown(document: Mapping[str, Any]) -> dict[str, Any]:
    """The same data, with names that can be read. Names that differ stay different: what is one class stays one class."""
    every = set(_texts(document))
    names = {text: short for text in every if (short := _short(text)) != text}
    taken = every - names.keys()
    for text, short in sorted(names.items()):
        unlike, number = short, 2
        while unlike in taken:
            unlike, number = f"{short} ({number})", number + 1
        taken.add(unlike)
        names[text] = unlike
    return _with(document, names, "")


def _short(text: str) -> str:
    return cut(clean(text), LONGEST)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from filter(lambda key: isinstance(key, str), value)
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from _texts(one)


def _with(value: Any, names: Mapping[str, str], key: Any) -> Any:
    if isinstance(value, str):
        return clean(value) if key in SENTENCES else names.get(value, value)
    if isinstance(value, Mapping):
        return {names.get(k, k) if isinstance(k, str) else k: _with(v, names, k) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_with(v, names, key) for v in value]
    return value
