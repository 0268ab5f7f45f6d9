"""Times of day and durations, 01:30:00, 2:30 PM, 1 day 02:00:00, PT1H30M, 1h 30m, 2 weeks, as seconds."""

import re
from collections.abc import Iterable

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0
YEAR = 365.25 * DAY
UNITS = {
    "s sec secs second seconds": 1.0,
    "m min mins minute minutes": MINUTE,
    "h hr hrs hour hours": HOUR,
    "d day days": DAY,
    "w wk wks week weeks": 7 * DAY,
    "mo mos month months": YEAR / 12,
    "y yr yrs year years": YEAR,
}
_UNIT = {name: seconds for names, seconds in UNITS.items() for name in names.split()}
_CLOCK = re.compile(
    r"([+-])?(?:([0-9]+) ?d(?:ays?)?,? )?([+-])?([0-9]{1,4}):([0-5][0-9])(?::([0-5][0-9](?:[.,][0-9]+)?))?"
    r"(?: ?([ap])\.?m\.?)?",
    re.IGNORECASE,
)
_MINUTES, _PAIR = re.compile(r"([0-9]{1,4}):([0-5][0-9][.,][0-9]+)"), re.compile(r"([0-9]{1,4}):([0-5][0-9])")
_ISO = re.compile(r"([+-])?P(?:([0-9.]+)W)?(?:([0-9.]+)D)?(?:T(?:([0-9.]+)H)?(?:([0-9.]+)M)?(?:([0-9.]+)S)?)?")
_PART = re.compile(r" ?([0-9]+(?:[.,][0-9]+)?) ?([a-z]+)\.?,?(?: and)?", re.IGNORECASE)
_FRENCH = re.compile(r"([0-9]{1,2}) ?h ?([0-5][0-9])", re.IGNORECASE)
EXAMPLES = ("01:30:00", "00:05", "100:00", "2:30 PM", "1 day 02:00:00", "-00:30", "PT1H30M", "P1DT12H", "1h 30m", "12h30", "2 weeks")  # fmt: skip


def shows_minutes(cell: str) -> bool:
    """1:05.3, which has no hours; nor have the cells beside it."""
    return _MINUTES.fullmatch(cell) is not None


def clock(cell: str, *, minutes: bool = False) -> float | None:
    """Seconds of hh:mm, hh:mm:ss, both with AM or PM or days before them, P1DT2H; None for anything else. `minutes`: of mm:ss."""
    short = _MINUTES.fullmatch(cell) or _PAIR.fullmatch(cell)
    if minutes and short:
        return int(short[1]) * MINUTE + float(short[2].replace(",", "."))
    match = _CLOCK.fullmatch(cell)
    if match is None:
        return _iso(cell)
    sign, days, inner, hours, past, seconds, half = match.groups()
    hour = int(hours)
    if half:
        if not 1 <= hour <= 12 or days or inner:
            return None
        hour = hour % 12 + 12 * (half.lower() == "p")
    if inner and not days:
        return None  # two signs
    rest = hour * HOUR + int(past) * MINUTE + float((seconds or "0").replace(",", "."))
    outer = int(days or 0) * DAY * (-1 if sign == "-" else 1)
    if days:
        return outer + (-rest if inner == "-" else rest)  # as pandas writes -1 days +23:00:00
    return -rest if sign == "-" else rest


def counted(cell: str) -> tuple[float, tuple[str, ...]] | None:
    """(seconds, units) of 1h 30m, 2 weeks, 12h30; None for anything else."""
    if french := _FRENCH.fullmatch(cell):
        return int(french[1]) * HOUR + int(french[2]) * MINUTE, ("h", "m")
    total, units, at = 0.0, list[str](), 0
    while at < len(cell):
        match = _PART.match(cell, at)
        unit = _UNIT.get(match[2].lower()) if match else None
        if match is None or unit is None:
            return None
        total += float(match[1].replace(",", ".")) * unit
        units.append(match[2].lower())
        at = match.end()
    return (total, tuple(units)) if units else None


def several_units(units: Iterable[tuple[str, ...]]) -> bool:
    """Whether the cells of a column need seconds: 35 min alone is 35, but 1h 30m is not, nor 2 h beside 35 min, nor 1 day beside 2 days."""
    units = list(units)
    return any(len(u) > 1 for u in units) or len(set(units)) > 1


def _iso(cell: str) -> float | None:
    match = _ISO.fullmatch(cell)
    if match is None or not any(match.groups()[1:]):
        return None
    try:
        parts = [float(part or 0) for part in match.groups()[1:]]
    except ValueError:
        return None
    seconds = sum(n * unit for n, unit in zip(parts, (7 * DAY, DAY, HOUR, MINUTE, 1.0), strict=True))
    return -seconds if match[1] == "-" else seconds
