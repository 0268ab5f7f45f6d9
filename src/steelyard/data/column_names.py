"""The names of columns: all different, and found by name or number."""

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Any

from .labels import some, suggest

PATTERN = "*?["
_INDEX = re.compile(r"__index_level_\d+__|Unnamed: 0(\.\d+)*")  # pandas writes its row names so
REPAIRS = 6  # names that are said to be repaired, one by one


def find_column(names: Sequence[str], wanted: str | int, where: str) -> str:
    """The name of a column, given by its name, or by its number: 1 is the first, -1 the last.

    ValueError with the nearest name and the columns there are.
    """
    if wanted in names:
        return str(wanted)
    try:
        number = int(wanted)
    except ValueError:
        raise ValueError(
            f"{where}: there is no column {wanted!r}.{suggest(str(wanted), names)} The columns are {some(names)}."
        ) from None
    if number == 0 or abs(number) > len(names):
        raise ValueError(
            f"{where}: there is no column {number}; columns are numbered 1 to {len(names)}, or -1 to -{len(names)}"
            f" from the end. The columns are {some(names)}."
        )
    return names[number - 1 if number > 0 else number]


def find_columns(names: Sequence[str], wanted: Sequence[str | int], where: str) -> list[str]:
    """`find_column` for each of many."""
    known = frozenset(names)
    return [w if isinstance(w, str) and w in known else find_column(names, w, where) for w in wanted]


def label_columns(names: Sequence[str], label: Any, where: str) -> tuple[str | int | tuple[str, ...], str | None]:
    """(the one column of the label, or several; a note on what was chosen by a pattern or between commas).

    A pattern, tag_* or tag_[0-9], stands for the columns that match it, and a,b for both where they are columns and a,b is none. Several
    columns are several labels, also where a pattern matches only one. ValueError where nothing matches.
    """
    if isinstance(label, int) or (isinstance(label, str) and label in names):
        return label, None
    asked = [label] if isinstance(label, str) else list(label)
    picked: list[str] = []
    for one in asked:
        picked.extend(_columns(names, one, where, alone=isinstance(label, str)))
    if isinstance(label, str) and picked == [label]:
        return label, None
    columns = tuple(dict.fromkeys(picked))
    if not isinstance(label, str) and not any(
        isinstance(one, str) and one not in names and _is_pattern(one) for one in asked
    ):
        return columns, None
    note = f"{' and '.join(map(repr, asked))} stands for {len(columns)} {'column' if len(columns) == 1 else 'columns'}, each a yes-or-no label of its own name"
    return columns, f"{note}: {some(columns, 8)}; classes= (--classes) renames them"


def _columns(names: Sequence[str], wanted: str | int, where: str, *, alone: bool) -> list[str]:
    """The columns that one word of a label stands for."""
    if not isinstance(wanted, str) or wanted in names:
        return [find_column(names, wanted, where)]
    if _is_pattern(wanted) and "," not in wanted:
        matching = [name for name in names if fnmatchcase(name, wanted)]
        if not matching:
            start = wanted[: min(wanted.find(c) for c in PATTERN if c in wanted)]
            raise ValueError(
                f"{where}: no column matches {wanted!r}.{suggest(start, names)} The columns are {some(names)}."
            )
        return matching
    parts = [part.strip() for part in wanted.split(",")]
    if alone and len(parts) > 1 and all(part in names or _is_pattern(part) for part in parts):
        return [name for part in parts for name in _columns(names, part, where, alone=False)]
    return [wanted] if alone else [find_column(names, wanted, where)]


def _is_pattern(word: str) -> bool:
    return any(letter in word for letter in PATTERN)


def without_row_names(names: Sequence[str], notes: list[str]) -> list[str]:
    """The names without those that pandas gives to row names, which is said: they tell the rows apart, and nothing else."""
    left = [name for name in names if not _INDEX.fullmatch(name)]
    if not left or len(left) == len(names):
        return list(names)
    gone = ", ".join(dict.fromkeys(name for name in names if _INDEX.fullmatch(name)))
    notes.append(f"row names are not used and not numbered: {gone} (to use them, give them another name)")
    return left


def distinct_names(raw: Sequence[str], notes: list[str]) -> tuple[str, ...]:
    """Names without blanks and quotes around them, all different: `x`, `x.2`; a column without a name gets one."""
    wanted = [bare_name(name) for name in raw]
    taken, known = set(wanted), set[str]()
    copies: dict[str, int] = {}
    names, repairs = [], []
    for i, name in enumerate(wanted, 1):
        named = name or f"column_{i}"
        if not name:
            repairs.append(f"column {i} has no name; it is called {named}")
        unique = named
        if named in known:
            copy = copies.get(named, 1) + 1
            while (unique := f"{named}.{copy}") in known or unique in taken:
                copy += 1
            copies[named] = copy
            repairs.append(f"the name {named!r} occurs twice; column {i} is called {unique!r}")
        known.add(unique)
        names.append(unique)
    notes.extend(repairs[:REPAIRS])
    if len(repairs) > REPAIRS:
        notes.append(
            f"{len(repairs) - REPAIRS} more columns have no name or one that occurs twice; they are numbered alike"
        )
    return tuple(names)


def bare_name(name: str) -> str:
    name = name.strip(" \t\r\n\f\v\u00a0\u200b\u2060\ufeff")
    return name[1:-1].strip() if len(name) > 1 and name[0] == name[-1] and name[0] in "'\"" else name
