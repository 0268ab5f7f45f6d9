"""A column of dates, decided by all its cells together: which of two numbers is the day, and what is missing."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from .date_forms import PIVOT, Spelled, instant, spelled
from .numbers import MOSTLY, is_nothing, quoted, rows_of
from .spelling import AS_IT_STANDS, DATE, Spelling
from .style import UNKNOWN, Style

SAMPLE = 100  # cells by which most columns of words are told
CONFLICT = 0.1  # of the rows that say day first: so many that say month first contradict them
SORTED = 8  # steps in one direction that chance does not make
SPREAD = 3  # a reading that needs so many times the years of another is the wrong one
ORDERS = {"dmy": "day first", "mdy": "month first", "ymd": "year first"}
EXAMPLE = {"dmy": "day/month/year", "mdy": "month/day/year", "ymd": "year/month/day"}


@dataclass(frozen=True)
class Dates:
    """
    value   {cell: seconds since 1970}, None where it is no date
    notes   which forms were understood, what is missing
    guess   what nothing in the column decides, and how it was read; "" if there is no such thing
    open    other columns of the file may decide otherwise
    unsure  why the rows cannot be put in order by it; ""
    style   what the column proves about the other columns of its file
    spelling  in which order the numbers stand
    """

    value: Mapping[str, float | None]
    notes: tuple[str, ...]
    guess: str = ""
    unsure: str = ""
    open: bool = False
    style: Style = UNKNOWN
    spelling: Spelling = AS_IT_STANDS


def dates(
    times: Mapping[str, int],
    style: Style = UNKNOWN,
    descents: Callable[[Mapping[str, float]], tuple[int, int]] | None = None,
) -> Dates | None:
    """The dates that the distinct cells of a column spell, or None if less than nine tenths of the rows are dates, or if some say
    that the day comes first and others that the month does.

    times     {cell: rows}
    style     what other columns of the file prove
    descents  {cell: value} -> (how often the value falls, and rises, from one row to the next), to see whether rows are in order
    """
    some = _some([cell for cell in times if not is_nothing(cell)])
    if sum(spelled(cell) is not None for cell in some) < 0.5 * len(some):
        return None
    cells = {cell: date for cell in times if (date := spelled(cell)) is not None}
    total = sum(n for c, n in times.items() if not is_nothing(c))
    if not cells or sum(times[c] for c in cells) < MOSTLY * total:
        return None
    if _numbers(cells):
        return None
    order, guess, unsure = _order({c: d for c, d in cells.items() if d.open}, times, style, descents)
    if order is None:
        return None
    value = {c: instant(cells[c], order if cells[c].open else "ymd") if c in cells else None for c in times}
    known = {c: times[c] for c, v in value.items() if v is not None}
    if sum(known.values()) < MOSTLY * total:
        return None
    notes = [_forms(known, cells, order)]
    if any(cells[c].short for c in known):
        notes.append(f"two-digit years from {PIVOT} on were read as 19.., others as 20..")
    zoned = sum(n for c, n in known.items() if cells[c].zoned)
    if 0 < zoned < sum(known.values()):
        notes.append(f"{rows_of(sum(known.values()) - zoned)} without a time zone, read as UTC")
    odd = {c: times[c] for c, v in value.items() if v is None}
    if odd:
        notes.append(f"{quoted(odd)} ({rows_of(sum(odd.values()))}) is no date among dates and was read as missing")
    said = None if guess or order == "ymd" else order == "dmy"
    proven = said if any(d.open and d.sign != "." for d in cells.values()) else None
    return Dates(value, tuple(notes), guess, unsure, bool(guess), Style(day_first=proven), Spelling(DATE, order=order))


def resembling(times: Mapping[str, int]) -> float:
    """The share of the rows that spell some date."""
    return sum(n for c, n in times.items() if spelled(c) is not None) / max(1, sum(times.values()))


def _order(
    cells: Mapping[str, Spelled],
    times: Mapping[str, int],
    style: Style,
    descents: Callable[[Mapping[str, float]], tuple[int, int]] | None,
) -> tuple[str | None, str, str]:
    """(in which order the numbers stand, `guess`, `unsure`); no order where the cells contradict each other."""
    if not cells:
        return "ymd", "", ""
    orders = ["dmy", "mdy", *(["ymd"] if all(d.short for d in cells.values()) else [])]
    values = {o: {c: v for c, d in cells.items() if (v := instant(d, o)) is not None} for o in orders}
    fits = {o: sum(times[c] for c in values[o]) for o in orders}
    best = max(fits.values())
    left = [o for o in orders if fits[o] == best]
    for o in orders:
        if o not in left:
            against = sum(times[c] for c in values[o] if c not in values[left[0]])
            speaks = sum(times[c] for c in values[left[0]] if c not in values[o])
            if len(left) == 1 and against > CONFLICT * speaks:
                return None, "", ""
    if len(left) == 1:
        return left[0], "", ""
    left = _fewest_years(left, cells) if len(left) > 1 else left
    if len(left) > 1 and descents is not None:
        left = _in_order(left, values, descents)
    if style.day_first is not None and {"dmy", "mdy"} <= set(left):
        left = ["dmy" if style.day_first else "mdy"]
    if all(d.sign == "." for d in cells.values()) and "dmy" in left:
        left = ["dmy"]  # no country writes the month first with points
    if len(left) == 1:
        return left[0], "", ""
    order = left[0]
    example = next((c for c in cells if len({values[o].get(c) for o in left}) > 1), "")
    if not example:
        return order, "", ""
    others = " or ".join(ORDERS[o] for o in left[1:])
    guess = f"{example!r} {ORDERS[order]}, though nothing tells it from {others}; write dates as 2024-12-31 to be sure"
    same = all(np.array_equal(_ranks(values[left[0]]), _ranks(values[o])) for o in left[1:])
    unsure = f"{example!r} may be read {ORDERS[order]} or {others}, and nothing in the table tells which"
    return order, guess, "" if same else unsure


def _fewest_years(left: list[str], cells: Mapping[str, Spelled]) -> list[str]:
    """Without the readings that make a day of what hardly changes, and a year of what runs through the month."""
    years = {o: len({d.numbers[o.index("y")] for d in cells.values()}) for o in left}
    fewest = min(years.values())
    return [o for o in left if years[o] < SPREAD * max(2, fewest)]


def _in_order(
    left: list[str],
    values: Mapping[str, Mapping[str, float]],
    descents: Callable[[Mapping[str, float]], tuple[int, int]],
) -> list[str]:
    """The one reading under which the rows are in order of time, if there is just one."""
    falls = {o: descents(values[o]) for o in left}
    ordered = [o for o, (down, up) in falls.items() if min(down, up) == 0 and max(down, up) >= SORTED]
    return ordered if len(ordered) == 1 else left


def _ranks(values: Mapping[str, float]) -> np.ndarray:
    return np.unique(np.fromiter(values.values(), float), return_inverse=True)[1]


def _forms(known: Mapping[str, int], cells: Mapping[str, Spelled], order: str) -> str:
    """ "dates such as '31/12/2024' (day/month/year) were read as ..."."""
    names = Counter[str]()
    example: dict[str, str] = {}
    for cell, n in known.items():
        name = EXAMPLE[order] if cells[cell].open else cells[cell].form.name
        names[name] += n
        example.setdefault(name, cell)
    shown = ", ".join(f"{example[name]!r} ({name})" for name, _ in names.most_common(3))
    return f"dates such as {shown} were read as seconds since 1970"


def _numbers(cells: Mapping[str, Spelled]) -> bool:
    """Whether they only resemble dates: 20240131, which is in order as it stands; 2001-02, 2002-03, a year and the next; 1.1923, 1.2034,
    where a month would change."""
    every = cells.values()
    if all(d.form.name == "year-month" and d.numbers[1] == (d.numbers[0] + 1) % 100 for d in every):
        return True
    if all(d.form.name == "month and year" for d in every) and all("." in c for c in cells):
        return not any(c.startswith("0") for c in cells) and len({d.numbers[1] for d in every}) < 3
    return all(d.form.name == "year, month, day without signs" and not d.timed for d in every)


def _some(cells: Sequence[str]) -> Sequence[str]:
    return cells[:: max(1, len(cells) // SAMPLE)][:SAMPLE]
