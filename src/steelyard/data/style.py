"""How the people who wrote a file write numbers and dates: what one column leaves open, another may prove."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Style:
    """
    decimal    "." or ",", or "" if unknown
    day_first  whether 3/4 is the third of April; None if unknown
    """

    decimal: str = ""
    day_first: bool | None = None


UNKNOWN = Style()


def common(styles: Iterable[Style]) -> Style:
    """What they prove together; where they contradict each other, nothing. Whoever writes 1,5 writes the day before the month."""
    styles = list(styles)
    decimals = {s.decimal for s in styles} - {""}
    days = {s.day_first for s in styles} - {None}
    decimal = decimals.pop() if len(decimals) == 1 else ""
    day_first = days.pop() if len(days) == 1 else None
    return Style(decimal, True if day_first is None and not days and decimal == "," else day_first)
