"""What another study was made with, in words."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

NAMES = {
    "data": "the content of the data",
    "data: content": "the content of the data",
    "format": "the format of steelyard's scores",
    "positive": "positive class",
    "table: rows": "rows",
    "table: columns": "columns",
    "table: label": "label",
    "table: classes": "classes",
    "table: labels": "the labels of the rows",
}
LONGEST = 40  # characters of a value that are still read
MOST = 6  # differences that are named


def differences(wanted: str, there: Sequence[str]) -> str:
    """A sentence about the study (JSON) among `there` that is nearest to the wanted one."""
    here = dict(_flat(json.loads(wanted)))
    each = [_compare(here, dict(_flat(json.loads(other)))) for other in there]
    nearest = min(each, key=len)
    named = "; ".join(nearest[:MOST]) + (f"; and {len(nearest) - MOST} more" if len(nearest) > MOST else "")
    nearest_of = "" if len(there) == 1 else f" from the nearest of the {len(there)} studies"
    return f"Different{nearest_of}: {named}."


def _compare(here: dict[str, Any], there: dict[str, Any]) -> list[str]:
    missing = "nothing"
    names = [*here, *(name for name in there if name not in here)]
    pairs = [(NAMES.get(name, name), there.get(name, missing), here.get(name, missing)) for name in names]
    return [
        f"{name} ({_short(old)} there, {_short(new)} here)" if _readable(old) and _readable(new) else name
        for name, old, new in pairs
        if old != new
    ]


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """{"splits": {"folds": 5}} as ("splits: folds", 5)."""
    if not isinstance(value, dict):
        yield name, value
        return
    for key, inner in value.items():
        yield from _flat(inner, f"{name}: {key}" if name else str(key))


def _readable(value: Any) -> bool:
    return len(_short(value)) <= LONGEST


def _short(value: Any) -> str:
    return value if isinstance(value, str) and value == "nothing" else json.dumps(value, ensure_ascii=False)
