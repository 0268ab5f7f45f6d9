"""Damage done to JSON by its structure: parts gone, replaced, doubled, nested or cut."""

import copy
import json
import random
from typing import Any

ODD: list[Any] = [
    None, True, -1, 0, 1.5, 1e308, 10**30, 10**400, float("nan"), float("inf"), "", "x", "-inf", "nan", "9" * 50, "\ud800", [], [[]], [1], [None],
    [[1, 2], [3]], ["a", "a"], {}, {"a": 1}, {"rows": 3}, {"name": "Focal", "gamma": "x"}, {"name": "Log", "x": 1}, {"name": {}},
]  # fmt: skip


def places(value: Any, at: tuple = ()) -> list[tuple]:
    """The ways to every part of a JSON value."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(place for key, one in parts for place in places(one, (*at, key)))]


def mutated(valid: str, rng: random.Random) -> str:
    """The JSON with a few of its parts gone, replaced, doubled, nested or cut."""
    data = json.loads(valid)
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        way = rng.choice(places(data))
        if not way:
            data = copy.deepcopy(rng.choice([*ODD, data])) if rng.random() < 0.1 else data
            continue
        holder = data
        for key in way[:-1]:
            holder = holder[key]
        what = rng.randrange(5)
        if what == 0:
            del holder[way[-1]]
        elif what == 1:
            holder[way[-1]] = [holder[way[-1]]]
        elif what == 2 and isinstance(holder, list):
            holder.append(copy.deepcopy(holder[way[-1]]))
        else:
            holder[way[-1]] = copy.deepcopy(rng.choice(ODD))
    text = json.dumps(data)
    kind = rng.randrange(20)
    if kind == 0:
        return text[: rng.randrange(len(text) + 1)]
    if kind == 1 and text.startswith("{") and ":" in text:
        first = text[1 : text.index(",")] if "," in text else text[1:-1]
        return "{" + first + "," + text[1:]
    if kind == 2:
        return "[" * 3000 + text + "]" * 3000
    return text
