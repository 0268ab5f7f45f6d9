"""How a date may be spelled: one cell, from a table of forms to its numbers. What a column of them means stands in dates.py."""

import datetime
import functools
import re
import unicodedata
from typing import NamedTuple

DAY = 86_400
EPOCH = datetime.date(1970, 1, 1).toordinal()
PIVOT = 69  # two-digit years from here on are of the last century, as in POSIX and Python's strptime

MONTHS = {
    "English": "january february march april may june july august september october november december",
    "German": "januar februar märz april mai juni juli august september oktober november dezember",
    "French": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "Spanish": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "Italian": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "Portuguese": "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
    "Dutch": "januari februari maart april mei juni juli augustus september oktober november december",
}
SHORT = {
    "mrz": 3,
    "mrt": 3,
    "maerz": 3,
    "jänner": 1,
    "jaenner": 1,
    "feber": 2,
    "juil": 7,
}  # no beginning of a name above
ZONES = {"z": 0, "utc": 0, "gmt": 0, "ut": 0, "wet": 0, "cet": 1, "cest": 2, "edt": -4, "est": -5, "cdt": -5, "cst": -6}
ZONES |= {"mdt": -6, "mst": -7, "pdt": -7, "pst": -8}  # RFC 2822, and those of Western and Central Europe


class Form(NamedTuple):
    """
    name      what a note calls it; `a`, `b`, `c` in the pattern are three numbers whose order the column decides
    pattern   of the cell in small letters without accents
    examples  a cell, and what strptime would take it for
    """

    name: str
    pattern: str
    examples: tuple[tuple[str, str], ...]


_Y = r"(?P<y>[0-9]{4})"
_ERA = r"(?P<y>(?:1[6-9]|2[01])[0-9]{2})"  # where little else says that it is a year
_M, _D = r"(?P<m>[0-9]{1,2})", r"(?P<d>[0-9]{1,2})(?:st|nd|rd|th|er|º|\.)?"
_NAME = r"(?P<name>[a-z]{3,10})\.?"
_OF = r"(?:[-/., ]+(?:de |of )?|)"
_SHORT = r"(?:'(?P<quoted>[0-9]{2})|(?P<yy>[0-9]{2}))"

FORMS = (
    Form(
        "year-month-day",
        rf"{_Y}(?P<s>-|/|\. ?| ){_M}(?P=s)(?P<d>[0-9]{{1,2}})\.?",
        (("2024-12-31", "%Y-%m-%d"), ("2024/3/7", "%Y/%m/%d"), ("2024.12.31", "%Y.%m.%d")),
    ),
    Form("year-month-day", rf"{_Y} ?[年년] ?{_M} ?[月월] ?(?P<d>[0-9]{{1,2}}) ?[日일]", (("2024年3月7日", "%Y年%m月%d日"),)),
    Form(
        "day and month before the year",
        rf"(?P<a>[0-9]{{1,2}})(?P<s>-|/|\. ?| )(?P<b>[0-9]{{1,2}})(?P=s){_Y}\.?",
        (("31/12/2024", "%d/%m/%Y"), ("12/31/2024", "%m/%d/%Y"), ("31.12.2024", "%d.%m.%Y"), ("31-12-2024", "%d-%m-%Y")),
    ),
    Form(
        "two-digit year",
        r"(?P<a>[0-9]{1,2})(?P<s>[-/]|\. ?)(?P<b>[0-9]{1,2})(?P=s)(?P<c>[0-9]{2})",
        (("31/12/68", "%d/%m/%y"), ("12/31/69", "%m/%d/%y"), ("31.12.24", "%d.%m.%y"), ("99-12-31", "%y-%m-%d")),
    ),
    Form(
        "day, name of the month, year",
        rf"{_D}{_OF}{_NAME}{_OF}(?:{_Y}|{_SHORT})",
        (("31 Dec 2024", "%d %b %Y"), ("31-Dec-24", "%d-%b-%y"), ("31DEC2024", "%d%b%Y"), ("1 May 2024", "%d %B %Y")),
    ),
    Form(
        "name of the month, day, year",
        rf"{_NAME} ?{_D}(?:, ?| )(?:{_Y}|'(?P<quoted>[0-9]{{2}}))",
        (("December 31, 2024", "%B %d, %Y"), ("Dec 31 2024", "%b %d %Y")),
    ),
    Form("year, name of the month, day", rf"{_Y}[-/ ]?{_NAME}[-/ ]?{_D}", (("2024-Dec-31", "%Y-%b-%d"),)),
    Form("year-month", rf"{_ERA} ?[-/] ?{_M}", (("2024-03", "%Y-%m"), ("2024/03", "%Y/%m"))),
    Form("month and year", rf"{_M} ?[-/.] ?{_ERA}", (("03/2024", "%m/%Y"), ("03-2024", "%m-%Y"), ("03.2024", "%m.%Y"))),
    Form(
        "name of the month, year",
        rf"{_NAME}(?:[-/., ]*(?:de |of )?{_ERA}|-{_SHORT}| '(?P<short>[0-9]{{2}}))",
        (("Mar 2024", "%b %Y"), ("Mar-24", "%b-%y"), ("March 2024", "%B %Y")),
    ),
    Form("year, name of the month", rf"{_ERA}[-/ ]?{_NAME}", (("2024 Mar", "%Y %b"),)),
    Form("quarter", rf"{_ERA}[-/ ]?q(?P<quarter>[1-4])|q(?P<quarter2>[1-4])[-/ ]?(?P<y2>(?:1[6-9]|2[01])[0-9]{{2}})", (("2024Q1", ""), ("Q4 2024", ""))),
    Form("half-year", rf"{_ERA}[-/ ]?[hs](?P<half>[12])|[hs](?P<half2>[12])[-/ ]?(?P<y2>(?:1[6-9]|2[01])[0-9]{{2}})", (("2024H2", ""),)),
    Form(
        "ISO week",
        rf"{_ERA}-?w(?P<week>[0-9]{{2}})(?:-?(?P<weekday>[1-7]))?",
        (("2024-W05-3", "%G-W%V-%u"), ("2024-W05", "")),
    ),
    Form("year, month, day without signs", r"(?P<y>(?:19|20)[0-9]{2})(?P<m>[0-9]{2})(?P<d>[0-9]{2})", (("20241231T1015", "%Y%m%dT%H%M"),)),
)  # fmt: skip
CLOCKS = (
    "10:15", "10:15:30", "10:15:30.5", "10:15:30,5", "T10:15:30Z", "10:15 PM", "3 p.m.", "10:15:30 +0100", "10:15+01:00", "10:15 CET",
)  # fmt: skip
_CLOCK = re.compile(
    r"(?:(?P<H>[0-9]{1,2})(?:[:.h](?P<M>[0-9]{2})(?:[:.](?P<S>[0-9]{2})(?:[.,](?P<f>[0-9]{1,9}))?)?)?(?: ?(?P<half>[ap])\.?m\.?)?"
    r"|(?P<HH>[0-9]{2})(?P<MM>[0-9]{2})(?P<SS>[0-9]{2})?)"
    r" ?(?:(?P<word>[a-z]{1,4})|(?:utc|gmt)?(?P<sign>[+-])(?P<zh>[0-9]{2}):?(?P<zm>[0-9]{2})?)?(?: ?(?:\(.*\)|\[.*\]))?"
)
_FORMS = [(form, re.compile(f"(?:{form.pattern})")) for form in FORMS]
_WEEKDAY = re.compile(
    r"(?:mon|tue|tues|wed|thu|thur|thurs|fri|sat|sun|monday|tuesday|wednesday|thursday|friday|saturday|sunday)[.,]? "
)
_BETWEEN = re.compile(r"(?:t|,? (?:at |um |kl\.? |klo |a las |om )?|[:_-])(?=[0-9])|, ")
_TIMED = re.compile(r"([^ t:]{6,10})([ t][0-9]{1,2}:[0-9]{2}.*)")
_FIRST = re.compile(r"([0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?(?: ?[ap]m)?),? ([0-9].*)")  # 10:15 31/12/2024
_CTIME = re.compile(r"([a-z]{3} [0-9]{1,2}) ([0-9:]{5,8})( [a-z]{3,4})? ([0-9]{4})")
_SIGNS = str.maketrans(dict.fromkeys("\u2010\u2011\u2013\u2212", "-"))


class Spelled(NamedTuple):
    """What a cell says, before the column decides in which order `numbers` stand.

    numbers    (year, month, day), or three whose order is open
    sign       between them, or ""
    seconds    of the day, the zone taken off
    """

    form: Form
    numbers: tuple[int, int, int]
    open: bool
    short: bool
    sign: str
    seconds: float
    timed: bool
    zoned: bool


def spelled(cell: str) -> Spelled | None:
    """What a cell says, or None if it is no date."""
    text = cell.strip().casefold() if cell.isascii() else _folded(cell)
    if not any("0" <= c <= "9" for c in text):
        return None
    if timed := _TIMED.fullmatch(text):  # most dates with a time share their days, and their times
        date, clock = _spelled(timed[1]), _clock(timed[2])
        if date is not None and clock is not None and not date.timed and not date.zoned:
            return date._replace(seconds=clock[0], zoned=clock[1], timed=True)
    return _spelled(text)


@functools.lru_cache(1 << 16)
def _spelled(text: str) -> Spelled | None:
    text = " ".join(text.translate(_SIGNS).split()).removesuffix(" uhr")
    if not any("0" <= c <= "9" for c in text[:8]) and not text[:3].isalpha():
        return None
    text = _WEEKDAY.sub("", text, count=1) if text[:1].isalpha() else text
    if ctime := _CTIME.fullmatch(text):  # Dec 31 10:15:30 UTC 2024
        text = f"{ctime[1]} {ctime[4]} {ctime[2]}{ctime[3] or ''}"
    if first := _FIRST.fullmatch(text):
        text = f"{first[2]} {first[1]}"
    for form, pattern in _FORMS:
        match = pattern.match(text)
        clock = _clock(text[match.end() :]) if match else None
        numbers = _numbers(match) if match and clock else None
        if match is None or clock is None or numbers is None:
            continue
        seconds, zoned, timed = clock
        groups = match.groupdict()
        short = any(groups.get(name) for name in ("c", "yy", "quoted", "short"))
        return Spelled(form, numbers, "a" in groups, short, (groups.get("s") or "").strip(), seconds, timed, zoned)
    return None


def instant(date: Spelled, order: str = "ymd") -> float | None:
    """Seconds since 1970 of a date whose numbers stand in this order; None where the calendar has no such day."""
    day = _day(date.numbers, order, date.short)
    return None if day is None else day * DAY + date.seconds


@functools.lru_cache(1 << 16)
def _day(numbers: tuple[int, int, int], order: str, short: bool) -> int | None:
    at = dict(zip(order, numbers, strict=True))
    try:
        return datetime.date(full(at["y"]) if short else at["y"], at["m"], at["d"]).toordinal() - EPOCH
    except ValueError:
        return None


def full(year: int) -> int:
    """A two-digit year with its century: 69 to 99 are 1969 to 1999, 0 to 68 are 2000 to 2068."""
    return year if year > 99 else 1900 + year if year >= PIVOT else 2000 + year


def _folded(cell: str) -> str:
    text = unicodedata.normalize("NFKD", cell) if not cell.isascii() else cell
    text = unicodedata.normalize("NFC", "".join(c for c in text if not unicodedata.combining(c)))
    return " ".join(text.casefold().split())


def _months() -> dict[str, int]:
    """Every beginning, of three letters or more, that belongs to one month only."""
    meant: dict[str, set[int]] = {}
    for names in MONTHS.values():
        for number, name in enumerate(_folded(names).split(), 1):
            for end in range(3, len(name) + 1):
                meant.setdefault(name[:end], set()).add(number)
    return {**{name: numbers.pop() for name, numbers in meant.items() if len(numbers) == 1}, **SHORT}


def _numbers(match: re.Match[str]) -> tuple[int, int, int] | None:
    found = {name: text for name, text in match.groupdict().items() if text is not None}
    if "a" in found:
        return int(found["a"]), int(found["b"]), int(found["c"] if "c" in found else found["y"])
    year = next(int(found[name]) for name in ("y", "y2", "yy", "quoted", "short") if name in found)
    if "week" in found:
        try:
            day = datetime.date.fromisocalendar(year, int(found["week"]), int(found.get("weekday", 1)))
        except ValueError:
            return None
        return day.year, day.month, day.day
    for part, months in (("quarter", 3), ("quarter2", 3), ("half", 6), ("half2", 6)):
        if part in found:
            return year, (int(found[part]) - 1) * months + 1, 1
    month = NAMES.get(found["name"]) if "name" in found else int(found["m"])
    return None if month is None else (year, month, int(found.get("d", 1)))


@functools.lru_cache(1 << 17)
def _clock(text: str) -> tuple[float, bool, bool] | None:
    """(seconds of the day, whether a zone is said, whether a time is) of what follows a date; None if it is no time."""
    text = text.strip() if text[:1] != " " else " " + text.strip()
    if not text:
        return 0.0, False, False
    if text in ("z", "utc"):
        return 0.0, True, False
    between = _BETWEEN.match(text)
    match = _CLOCK.fullmatch(text[between.end() :].strip()) if between else None
    if match is None or not (match["M"] or match["half"] or match["HH"]):
        return None
    hour, minute = int(match["H"] or match["HH"]), int(match["M"] or match["MM"] or 0)
    second = int(match["S"] or match["SS"] or 0) + float(f"0.{match['f'] or 0}")
    if match["half"]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + 12 * (match["half"] == "p")
    if minute > 59 or second >= 60 or hour > 24 or (hour == 24 and minute + second > 0):
        return None
    zone = 0.0
    if match["word"]:
        if match["word"] not in ZONES:
            return None
        zone = ZONES[match["word"]] * 3600
    if match["sign"]:
        zone = (int(match["zh"]) * 3600 + int(match["zm"] or 0) * 60) * (-1 if match["sign"] == "-" else 1)
    return hour * 3600 + minute * 60 + second - zone, bool(match["word"] or match["sign"]), True


NAMES = _months()
