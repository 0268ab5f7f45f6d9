"""Numbers in clothes: 1,219 and 1.219,50, $1,219.50, 12 %, 35 kg, (12.5), <500, 01:30:00. A column decides together; what was taken
off is said, and a few cells that are no numbers are missing values, quoted."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

MOSTLY = 0.9  # share of cells that must be numbers for the others to be odd ones
UNIT, MONEY = 0.5, 0.1  # share of rows that must have a unit, or the sign of a currency, for it to be one
SHOWN = 3
EITHER = "either"  # decimal sign of a column where some cells have a comma and others a point

_MONEY = r"(?:[$€£¥₹₽₩]|R\$|US\$|USD|EUR|GBP|JPY|CHF|CAD|AUD|INR|BRL|CNY|SEK|NOK|DKK)"
_CELL = re.compile(
    rf"(?P<open>\()?\s*(?P<bound>[<>≤≥]=?)?\s*(?P<sign>[+-])?\s*(?P<before>{_MONEY})?\s*(?P<inner>[+-])?\s*"
    r"(?P<body>[0-9](?:[0-9.,' ]*[0-9])?[.,]?|[.,][0-9]+)(?P<power>[eE][+-]?[0-9]+)?\s*"
    rf"(?P<unit>[%‰]|{_MONEY}|[^\W\d_]{{1,6}}[²³]?(?:/[^\W\d_]{{1,5}}[²³]?)?|°[CF]?)?\.?\s*(?P<plus>\+)?(?P<close>\))?"
)
_CLOCK = re.compile(r"([+-])?([0-9]{1,4}):([0-5][0-9])(?::([0-5][0-9](?:\.[0-9]+)?))?")
_LETTERS = str.maketrans({**dict.fromkeys("−–‒﹣－", "-"), **dict.fromkeys("\u00a0\u202f\u2009\u2007", " "), "’": "'"})
_SPACED = re.compile(r"[0-9]{1,3}(?:(?P<mark>[ '])[0-9]{3})(?:(?P=mark)[0-9]{3})*(?:[.,][0-9]*)?")


@dataclass(frozen=True)
class Numbers:
    """
    value      {cell: number}, None where it is none
    undressed  what was taken off
    odd        quotes what is missing
    """

    value: Mapping[str, float | None]
    undressed: tuple[str, ...]
    odd: tuple[str, ...]

    @property
    def notes(self) -> tuple[str, ...]:
        return *self.undressed, *self.odd


def dressed(times: Mapping[str, int], decimal: str = ".") -> Numbers | None:
    """The numbers that the distinct cells of a column spell, or None if less than nine tenths of the rows are numbers.

    decimal  "," where a comma does not separate the cells of the file and so may be a decimal sign
    """
    clocks = {cell: _seconds(cell) for cell in times}
    if _share(clocks, times) >= MOSTLY:
        return Numbers(clocks, ("times of day were read as seconds",), _odd(clocks, times))
    matches = {cell: m for cell in times if (m := _CELL.fullmatch(cell.translate(_LETTERS).strip())) and _closed(m)}
    if sum(times[c] for c in matches) < MOSTLY * sum(times.values()):
        return None
    units = Counter[str]()
    for cell, m in matches.items():
        if unit := m["unit"] or m["before"]:
            units[unit] += times[cell]
    unit, often = units.most_common(1)[0] if units else ("", 0)
    least = MONEY if re.fullmatch(_MONEY, unit) else UNIT
    unit = unit if often >= least * sum(times.values()) else ""  # 12O once is a slip, not twelve of a unit
    bodies = {c: m["body"] for c, m in matches.items() if (m["unit"] or m["before"] or unit) == unit}
    thousands, point, unsure = _signs(list(bodies.values()), decimal)
    value = {cell: None if cell not in bodies else _number(matches[cell], thousands, point) for cell in times}
    if _share(value, times) < MOSTLY:
        return None
    bounds = {c: times[c] for c, v in value.items() if v is not None and _bound(matches[c])}
    kinds: dict[float, set[str]] = {}
    for cell, number in value.items():
        if number is not None:
            kinds.setdefault(number, set()).add(_bound(matches[cell]))
    if any(len({*k} - {""}) > 1 or ("" in k and k & {">", "+"}) for k in kinds.values()):
        return None  # <=50K and >50K are categories, not two spellings of 50
    notes = []
    if thousands:
        notes.append(f"{thousands!r} was read as the separator of thousands{unsure}")
    if point in (",", EITHER) and any("," in b for b in bodies.values()):
        notes.append(f"the decimal comma was read{unsure}")
    read = [matches[c] for c, v in value.items() if v is not None]
    if unit:
        bare = sum(
            times[c] for c, v in value.items() if v is not None and not (matches[c]["unit"] or matches[c]["before"])
        )
        notes.append(f"{unit!r} was taken off the numbers" + (f", and {_rows(bare)} had none" if bare else ""))
    if any(m["open"] for m in read):
        notes.append("numbers in brackets were read as negative")
    if bounds:
        notes.append(f"{_quoted(bounds)} ({_rows(sum(bounds.values()))}) was read as the bound itself")
    return Numbers(value, tuple(notes), _odd(value, times))


def numeric(times: Mapping[str, int]) -> tuple[float, tuple[str, ...]]:
    """(share of the rows that spell some number on their own, examples of both kinds) of a column that is no column of numbers."""
    alone = {cell: bool(_CELL.fullmatch(cell.translate(_LETTERS).strip())) for cell in times}
    share = sum(n for cell, n in times.items() if alone[cell]) / max(1, sum(times.values()))
    examples = [next((c for c in times if alone[c] is is_one), None) for is_one in (True, False)]
    if None in examples:
        examples = list(times)[:2]
    return share, tuple(e[:30] for e in examples if e is not None)


def _number(m: re.Match[str], thousands: str, point: str) -> float | None:
    body = m["body"]
    if " " in body or "'" in body:
        spaced = _SPACED.fullmatch(body)
        if spaced is None:
            return None
        body = body.replace(spaced["mark"], "")
    if thousands in (",", ".") and thousands in body:
        whole, _, rest = body.partition(point)
        if thousands in rest or not _grouped(whole, thousands):
            return None
        body = body.replace(thousands, "")
    if point == EITHER:
        body = body.replace(",", ".")
    elif point == ",":
        if "." in body:
            return None
        body = body.replace(",", ".")
    try:
        number = float(body + (m["power"] or ""))
    except ValueError:
        return None
    negative = "-" in (m["sign"] or "") + (m["inner"] or "") or bool(m["open"])
    return -number if negative else number


def _signs(bodies: list[str], decimal: str) -> tuple[str, str, str]:
    """(separator of thousands or "", decimal sign, what to say where the column leaves room for doubt)."""
    spaced = next((m["mark"] for b in bodies if (m := _SPACED.fullmatch(b))), "")
    plain = [b.replace(" ", "").replace("'", "") for b in bodies]
    both = Counter(max(",.", key=b.rfind) for b in plain if "," in b and "." in b)
    if both:
        point = both.most_common(1)[0][0]
        return ("," if point == "." else "."), point, ""
    commas, points = [b for b in plain if "," in b], [b for b in plain if "." in b]
    if not commas:
        several = any(b.count(".") > 1 for b in points)
        return (".", ",", "") if several else (spaced, ".", "")
    if not all(_grouped(b, ",") for b in commas):
        if points and not all(_grouped(b, ".") for b in points):
            return spaced, EITHER, ""
        return ("." if points else spaced), ",", ""
    if points or decimal == "." or any(b.count(",") > 1 for b in commas):
        return ",", ".", ""
    # 1,219 alone: whoever separates thousands writes no 1219 beside it
    example = min(commas, key=len)
    if any(len(b) > 3 for b in plain if "," not in b):
        return (
            spaced,
            ",",
            f" ({example} as {example.replace(',', '.')}; if it is {example.replace(',', '')}, leave the comma out)",
        )
    return ",", ".", f" ({example} as {example.replace(',', '')}; if it is {example.replace(',', '.')}, write a point)"


def _grouped(whole: str, mark: str) -> bool:
    first, *others = whole.split(mark)
    return (
        bool(others) and 0 < len(first) <= 3 and first[0] != "0" and all(len(g) == 3 and g.isdecimal() for g in others)
    )


def _bound(m: re.Match[str]) -> str:
    return (m["bound"] or "") + (m["plus"] or "")


def _closed(m: re.Match[str]) -> bool:
    return bool(m["open"]) == bool(m["close"]) and not (m["sign"] and m["inner"])


def _seconds(cell: str) -> float | None:
    m = _CLOCK.fullmatch(cell.translate(_LETTERS).strip())
    if m is None:
        return None
    seconds = int(m[2]) * 3600 + int(m[3]) * 60 + float(m[4] or 0)
    return -seconds if m[1] == "-" else seconds


def _share(value: Mapping[str, float | None], times: Mapping[str, int]) -> float:
    return sum(n for c, n in times.items() if value[c] is not None) / max(1, sum(times.values()))


def _odd(value: Mapping[str, float | None], times: Mapping[str, int]) -> tuple[str, ...]:
    """A note that quotes the cells that are no numbers."""
    odd = {c: times[c] for c, v in value.items() if v is None}
    if not odd:
        return ()
    return (f"{_quoted(odd)} ({_rows(sum(odd.values()))}) is no number among numbers and was read as missing",)


def _quoted(cells: Mapping[str, int]) -> str:
    shown = sorted(cells, key=lambda c: (-cells[c], c))
    text = ", ".join(repr(c[:30]) for c in shown[:SHOWN])
    return text + (f" and {len(shown) - SHOWN} more" if len(shown) > SHOWN else "")


def _rows(n: int) -> str:
    return f"{n:,} {'row' if n == 1 else 'rows'}"
