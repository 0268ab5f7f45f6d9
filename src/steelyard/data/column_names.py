"""The names of columns: all different, and found by name or number."""

import re
from collections.abc import Sequence

from .labels import some, suggest

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
    name = name.strip()
    return name[1:-1].strip() if len(name) > 1 and name[0] == name[-1] and name[0] in "'\"" else name
