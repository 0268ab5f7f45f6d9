"""Numbers in clothes: 1,219 and 1.219,50, $1,219.50, 12 %, 35 kg, (12.5), <500, 01:30:00. A column decides together; what was taken
off is said, and a few cells that are no numbers are missing values, quoted."""

import heapq
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from .date_forms import MONTHS
from .durations import clock, counted, several_units, shows_minutes
from .signs import EITHER, Signs, number, signs_of
from .spelling import AS_IT_STANDS, CLOCK, DRESSED, DURATION, Spelling
from .style import UNKNOWN, Style

MOSTLY = 0.9  # share of cells that must be numbers for the others to be odd ones
UNIT, MONEY = 0.5, 0.1  # share of rows that must have a unit, or the sign of a currency, for it to be one
SHOWN = 3
FIRST = 100  # cells by which most columns of words are told

NOTHING = frozenset({
    "none", "-", "--", "---", "–", "—", ".", "..", "\\n", "n.a.", "n.a", "n/k", "n/d", "n.d.", "nd", "nil", "(null)", "<null>", "null",
    "nan", "missing", "unknown", "(blank)", "*", "#ref!", "#div/0!", "#value!", "#null!", "#num!", "#name?", "not available",
    "not applicable", "no data",
})  # what people write where they have no number  # fmt: skip
MAGNITUDES = {
    "k": 1e3, "K": 1e3, "tsd": 1e3, "m": 1e6, "M": 1e6, "mn": 1e6, "Mio": 1e6, "Mn": 1e6, "MM": 1e6, "B": 1e9, "bn": 1e9, "Bn": 1e9,
    "Mrd": 1e9, "cr": 1e7, "lakh": 1e5,
}  # fmt: skip
BYTES = {
    "B": 1.0,
    "kB": 1e3,
    "KB": 1e3,
    "MB": 1e6,
    "GB": 1e9,
    "TB": 1e12,
    "KiB": 2.0**10,
    "MiB": 2.0**20,
    "GiB": 2.0**30,
}

_SIGNS = r"R\$|US\$|C\$|A\$|NZ\$|HK\$|S\$|[$€£¥₹₽₩₺₪฿₫₱₴]|zł|Kč|Rs\.?|Rp\.?"
_CODES = (
    "USD|EUR|GBP|JPY|CHF|CAD|AUD|NZD|INR|BRL|CNY|RMB|SEK|NOK|DKK|PLN|CZK|HUF|MXN|ZAR|KRW|TRY|SGD|HKD|RUB|THB|IDR|PHP"
)
_MONEY = rf"(?:{_SIGNS}|{_CODES})"
_CELL = re.compile(
    rf"(?P<open>\()?\s*(?P<bound>[<>≤≥]=?)?\s*(?P<sign>[+-])?\s*(?P<before>{_MONEY})?\s*(?P<inner>[+-])?\s*"
    r"(?P<body>[0-9](?:[0-9.,' ]*[0-9])?[.,]?|[.,][0-9]+)(?:(?<=[.,])-{1,2}|(?P<after>(?<=[0-9])-))?(?P<power>[eE][+-]?[0-9]+)?\s*"
    rf"(?P<unit>[%‰]|{_MONEY}|[^\W\d_]{{1,6}}[²³]?(?:/[^\W\d_]{{1,5}}[²³]?)?|°[CF]?)?\.?\s*(?P<plus>\+)?(?P<close>\))?"
)
_LETTERS = str.maketrans(
    {
        **dict.fromkeys("−–‒﹣－", "-"),
        **dict.fromkeys("\u00a0\u202f\u2009\u2007", " "),
        **dict.fromkeys("’＇", "'"),
        **{chr(start + i): str(i) for start in (0xFF10, 0x0660, 0x06F0, 0x0966) for i in range(10)},  # １２, ١٢, ۱۲, १२
        "٫": ".",
        "٬": ",",
        "．": ".",
        "，": ",",
    }
)


@dataclass(frozen=True)
class Numbers:
    """
    value      {cell: number}, None where it is none
    undressed  what was taken off
    odd        quotes what is missing
    guess      what nothing in the column decides, and how it was read; "" if there is no such thing
    open       other columns of the file may decide otherwise
    style      what the column proves about the other columns of its file
    spelling   how each of them was read, for `as_before`
    """

    value: Mapping[str, float | None]
    undressed: tuple[str, ...]
    odd: tuple[str, ...]
    guess: str = ""
    open: bool = False
    style: Style = UNKNOWN
    spelling: Spelling = AS_IT_STANDS

    @property
    def notes(self) -> tuple[str, ...]:
        return *self.undressed, *self.odd


def dressed(times: Mapping[str, int], decimal: str = ".", style: Style = UNKNOWN) -> Numbers | None:
    """The numbers that the distinct cells of a column spell, or None if less than nine tenths of the rows are numbers.

    decimal  "," where a comma does not separate the cells of the file and so may be a decimal sign
    style    what other columns of the file prove
    """
    some = _some(times)
    if timed := _timed(some) and _timed(times):
        return timed
    if not _mostly({c: 0.0 for c in some if _match(c)}, some, least=0.5):
        return None
    matches = {cell: m for cell in times if (m := _match(cell)) and _closed(m)}
    if not _mostly(dict.fromkeys(matches, 0.0), times):
        return None
    unit, factors = _unit(matches, times)
    money = bool(re.fullmatch(_MONEY, unit))
    own = {c: _own(m, factors) for c, m in matches.items()}
    bodies = {c: m["body"] for c, m in matches.items() if (own[c] or unit) == unit}
    signs = signs_of(list(bodies.values()), decimal, style, money=money)
    value: dict[str, float | None] = dict.fromkeys(times)
    for cell in bodies:
        value[cell] = _amount(matches[cell], signs, factors)
    if not _mostly(value, times) or _is_month(unit):
        return None
    known = {c: times[c] for c, v in value.items() if v is not None}
    if _only_classes(value, matches) or all(matches[c]["after"] for c in known):
        return None
    notes = []
    if signs.thousands:
        notes.append(f"{signs.thousands!r} was read as the separator of thousands")
    if signs.point in (",", EITHER) and any("," in b for b in bodies.values()):
        notes.append("the decimal comma was read")
    if unit:
        bare = sum(n for c, n in known.items() if not own[c])
        notes.append(f"{unit!r} was taken off the numbers" + (f", and {rows_of(bare)} had none" if bare else ""))
    if factors:
        used = sorted({matches[c]["unit"] for c in known} & factors.keys(), key=lambda name: (factors[name], name))
        notes.append(" and ".join(f"{name!r} was read as times {factors[name]:,.0f}" for name in used))
    if any(matches[c]["open"] for c in known):
        notes.append("numbers in brackets were read as negative")
    if any(matches[c]["after"] for c in known):
        notes.append("numbers with a minus behind them were read as negative")
    if bounds := {c: n for c, n in known.items() if _bound(matches[c])}:
        notes.append(f"{quoted(bounds)} ({rows_of(sum(bounds.values()))}) was read as the bound itself")
    proves = Style(signs.point if signs.proven and signs.point != EITHER else "")
    scale = "bytes" if factors is BYTES else "magnitudes" if factors else ""
    spelling = Spelling(DRESSED, signs.thousands, signs.point, unit, scale)
    return Numbers(value, tuple(notes), _odd(value, times), signs.guess, signs.open, proves, spelling)


def as_before(cell: str, spelling: Spelling) -> float | None:
    """The number that one cell spells in a column that was read like this ("dressed", "clock" or "duration"), or None."""
    if spelling.how == CLOCK:
        return clock(" ".join(_plain(cell).split()), minutes=spelling.minutes)
    if spelling.how == DURATION:
        length = counted(" ".join(_plain(cell).split()))
        return None if length is None else length[0]
    match = _match(cell)
    if match is None or not _closed(match):
        return None
    factors = {"": {}, "magnitudes": MAGNITUDES, "bytes": BYTES}[spelling.factors]
    if (_own(match, factors) or spelling.unit) != spelling.unit:
        return None
    return _amount(match, Signs(spelling.thousands, spelling.point), factors)


def _amount(m: re.Match[str], signs: Signs, factors: Mapping[str, float]) -> float | None:
    amount = number(m["body"], signs, m["power"] or "")
    if amount is None:
        return None
    amount *= factors.get(m["unit"] or "", 1.0)
    return -amount if _negative(m) else amount


def numeric(times: Mapping[str, int]) -> tuple[float, tuple[str, ...]]:
    """(share of the rows that spell some number on their own, examples of both kinds) of a column that is no column of numbers."""
    alone = {cell: _match(cell) is not None for cell in times}
    share = sum(n for cell, n in times.items() if alone[cell]) / max(1, sum(times.values()))
    examples = [next((c for c in times if alone[c] is is_one), None) for is_one in (True, False)]
    if None in examples:
        examples = list(times)[:2]
    return share, tuple(e[:30] for e in examples if e is not None)


def _match(cell: str) -> re.Match[str] | None:
    return _CELL.fullmatch(_plain(cell))


def _plain(cell: str) -> str:
    return (cell if cell.isascii() else cell.translate(_LETTERS)).strip()


def _some(times: Mapping[str, int]) -> dict[str, int]:
    """Some of the cells, the most frequent among them, by which most columns of words are told."""
    often = heapq.nlargest(FIRST, times, key=times.__getitem__)
    spread = list(times)[:: max(1, len(times) // FIRST)]
    return {cell: times[cell] for cell in (*often, *spread)}


def _unit(matches: Mapping[str, re.Match[str]], times: Mapping[str, int]) -> tuple[str, dict[str, float]]:
    """(what is taken off: the unit that most rows have, or the sign of a currency; what k, M or MB multiply by in this column)."""
    behind = {m["unit"] for m in matches.values() if m["unit"]}
    factors = BYTES if behind & (BYTES.keys() - {"B"}) else MAGNITUDES
    rows = sum(times.values())
    scaled = sum(times[c] for c, m in matches.items() if m["unit"] in factors)
    is_money = any(m["before"] for m in matches.values())
    large = behind & factors.keys() - {"m", "B"} or (is_money and behind & factors.keys())  # 5 m alone is no million
    if not large or scaled < MONEY * rows or any(times[c] for c, m in matches.items() if m["power"]):
        factors = {}
    units = Counter[str]()
    for cell, m in matches.items():
        if own := _own(m, factors):
            units[own] += times[cell]
    unit, often = units.most_common(1)[0] if units else ("", 0)
    least = MONEY if re.fullmatch(_MONEY, unit) else UNIT
    return unit if often >= least * rows else "", factors  # 12O once is a slip, not twelve of a unit


def _own(m: re.Match[str], factors: Mapping[str, float]) -> str:
    """The unit of one cell."""
    return m["before"] or (m["unit"] if m["unit"] and m["unit"] not in factors else "")


def _only_classes(value: Mapping[str, float | None], matches: Mapping[str, re.Match[str]]) -> bool:
    """Whether one number stands with several bounds: <=50K and >50K are categories, not two spellings of 50."""
    kinds: dict[float, set[str]] = {}
    for cell, amount in value.items():
        if amount is not None:
            kinds.setdefault(amount, set()).add(_bound(matches[cell]))
    return any(len({*k} - {""}) > 1 or ("" in k and k & {">", "+"}) for k in kinds.values())


def _is_month(unit: str) -> bool:
    """5 Mar, a date without a year."""
    return len(unit) > 2 and any(name.startswith(unit.casefold()) for name in MONTHS["English"].split())


def _negative(m: re.Match[str]) -> bool:
    return "-" in (m["sign"] or "") + (m["inner"] or "") + (m["after"] or "") or bool(m["open"])


def _bound(m: re.Match[str]) -> str:
    return (m["bound"] or "") + (m["plus"] or "")


def _closed(m: re.Match[str]) -> bool:
    return bool(m["open"]) == bool(m["close"]) and sum(map(bool, (m["sign"], m["inner"], m["after"]))) < 2


def _timed(times: Mapping[str, int]) -> Numbers | None:
    """Times of day and durations."""
    texts = {cell: " ".join(_plain(cell).split()) for cell in times}
    minutes = any(map(shows_minutes, texts.values()))
    clocks = {cell: clock(text, minutes=minutes) for cell, text in texts.items()}
    if _mostly(clocks, times):
        return Numbers(
            clocks,
            ("times of day were read as seconds",),
            _odd(clocks, times),
            spelling=Spelling(CLOCK, minutes=minutes),
        )
    lengths = {cell: counted(text) for cell, text in texts.items()}
    seconds = {cell: None if length is None else length[0] for cell, length in lengths.items()}
    if not _mostly(seconds, times) or not several_units(length[1] for length in lengths.values() if length):
        return None
    example = next(cell for cell, length in lengths.items() if length)
    return Numbers(
        seconds,
        (f"durations such as {example!r} were read as seconds",),
        _odd(seconds, times),
        spelling=Spelling(DURATION),
    )


def is_nothing(cell: str) -> bool:
    """Whether a cell says that there is no value, as people and programs do beside the usual marks for missing."""
    return cell.strip().casefold() in NOTHING


def _mostly(value: Mapping[str, float | None], times: Mapping[str, int], *, least: float = MOSTLY) -> bool:
    """Whether nine tenths of the rows that say something are numbers, and one is."""
    known = sum(times[c] for c, v in value.items() if v is not None)
    return bool(known) and known >= least * sum(
        n for c, n in times.items() if value.get(c) is not None or not is_nothing(c)
    )


def _odd(value: Mapping[str, float | None], times: Mapping[str, int]) -> tuple[str, ...]:
    """A note that quotes the cells that are no numbers."""
    odd = {c: times[c] for c, v in value.items() if v is None}
    if not odd:
        return ()
    return (f"{quoted(odd)} ({rows_of(sum(odd.values()))}) is no number among numbers and was read as missing",)


def quoted(cells: Mapping[str, int]) -> str:
    shown = sorted(cells, key=lambda c: (-cells[c], c))
    text = ", ".join(repr(c[:30]) for c in shown[:SHOWN])
    return text + (f" and {len(shown) - SHOWN} more" if len(shown) > SHOWN else "")


def rows_of(n: int) -> str:
    return f"{n:,} {'row' if n == 1 else 'rows'}"
