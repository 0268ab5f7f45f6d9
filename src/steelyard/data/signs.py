"""What the commas, points, blanks and apostrophes in the numbers of a column mean: 1,219 is 1219 or 1.219."""

import re
from collections import Counter
from dataclasses import dataclass

from .style import Style

EITHER = "either"  # decimal sign of a column where some cells have a comma and others a point
SPACED = re.compile(r"[0-9]{1,3}(?:(?P<mark>[ '])[0-9]{3})(?:(?P=mark)[0-9]{3})*(?:[.,][0-9]*)?")
_CALLED = {",": "comma", ".": "point"}


@dataclass(frozen=True)
class Signs:
    """
    thousands  their separator, or ""
    point      the decimal sign
    guess      what nothing in the column decides, and how it was read; "" if there is no such thing
    open       other columns of the file may decide otherwise
    proven     a cell shows the decimal sign
    """

    thousands: str
    point: str
    guess: str = ""
    open: bool = False
    proven: bool = False


def signs_of(bodies: list[str], decimal: str, style: Style, *, money: bool) -> Signs:
    """
    bodies   digits, commas, points, blanks and apostrophes of each number
    decimal  "," where a comma does not separate the cells of the file
    style    what other columns of the file prove
    money    the column has the sign of a currency: no price has three decimals
    """
    spaced = next((m["mark"] for b in bodies if (m := SPACED.fullmatch(b))), "")
    plain = [b.replace(" ", "").replace("'", "") for b in bodies]
    both = Counter(max(",.", key=b.rfind) for b in plain if "," in b and "." in b)
    if both:
        point = both.most_common(1)[0][0]
        return Signs("," if point == "." else ".", point, proven=True)
    commas, points = [b for b in plain if "," in b], [b for b in plain if "." in b]
    if not commas and not points:
        return Signs(spaced, ".")
    if commas and not all(grouped(b, ",") for b in commas):
        if points and not all(grouped(b, ".") for b in points):
            return Signs(spaced, EITHER, proven=True)
        return Signs("." if points else spaced, ",", proven=True)
    if points and not all(grouped(b, ".") for b in points):
        return Signs("," if commas else spaced, ".", proven=True)
    if any(b.count(",") > 1 for b in commas):
        return Signs(",", ".", proven=True)
    if any(b.count(".") > 1 for b in points):
        return Signs(".", ",", proven=True)
    if spaced:
        return Signs(spaced, "," if commas else ".", proven=True)
    if commas and points:
        example = f"{commas[0]} as {commas[0].replace(',', '')} beside {points[0]} as it stands"
        return Signs(",", ".", f"{example}; write all numbers alike", open=True)
    return _of_groups(plain, "," if commas else ".", decimal, style, money=money)


def number(body: str, signs: Signs, power: str = "") -> float | None:
    """The number, or None if the signs stand where they cannot."""
    if " " in body or "'" in body:
        spaced = SPACED.fullmatch(body)
        if spaced is None:
            return None
        body = body.replace(spaced["mark"], "")
    thousands, point = signs.thousands, signs.point
    if thousands in (",", ".") and thousands in body:
        whole, _, rest = body.partition(point)
        if thousands in rest or not grouped(whole, thousands):
            return None
        body = body.replace(thousands, "")
    if point == EITHER:
        body = body.replace(",", ".")
    elif point == ",":
        if "." in body:
            return None
        body = body.replace(",", ".")
    try:
        return float(body + power)
    except ValueError:
        return None


def grouped(whole: str, mark: str) -> bool:
    """1,219 and 1,234,567; 12,34,567 as in India."""
    first, *others = whole.split(mark)
    if not others or not 0 < len(first) <= 3 or first[0] == "0" or not all(g.isdecimal() for g in others):
        return False
    lakhs = len(others) > 1 and len(first) <= 2 and len(others[-1]) == 3 and all(len(g) == 2 for g in others[:-1])
    return lakhs or all(len(g) == 3 for g in others)


def _of_groups(plain: list[str], mark: str, decimal: str, style: Style, *, money: bool) -> Signs:
    """Of 1,219 or 1.219 alone, with nothing that is not a group of three."""
    thousands, fraction = Signs(mark, "." if mark == "," else ",", open=True), Signs("", mark, open=True)
    if style.decimal:
        return fraction if style.decimal == mark else thousands
    if money:
        return thousands
    small = any(b.isdecimal() and len(b) <= 3 for b in plain)
    large = any(b.isdecimal() and len(b) > 3 for b in plain)  # whoever separates thousands writes no 1219 beside it
    if mark == "," and decimal == "." and not large:
        return thousands
    if mark == "." and (large or (decimal == "." and not small)):
        return fraction
    example = min((b for b in plain if mark in b), key=len)
    whole, point = example.replace(mark, ""), example.replace(mark, ".")
    if mark == "," and not (large and decimal == ","):
        return Signs(",", ".", f"{example} as {whole}; if it is {point}, write a point", open=True)
    if mark == "." and small and decimal == ",":
        return Signs(".", ",", f"{example} as {whole}; if it is {point}, write all decimals, as 200.000", open=True)
    return Signs("", mark, f"{example} as {point}; if it is {whole}, leave the {_CALLED[mark]} out", open=True)
