r"""Names from the data as a person can read them: on a page, in a picture, in a terminal.

A class may be called anything. Shown as it is, a name could clear the screen, turn the line around, look like another name or
end the program that draws it. So whatever goes to people goes through `clean`, once, where it leaves: reports as they are read,
commands as they print. Data, recipes and JSON keep the true name, which has to match a prediction.
"""

import json
import re
import unicodedata
from collections.abc import Iterator

HIDDEN = "\u034f\u115f\u1160\u17b4\u17b5\u180e\u3164\uffa0"  # without a glyph, whatever their category says
JOINERS = "\u200c\u200d"  # part of how Persian, Hindi and families of emoji are written
SHAPERS = re.compile(
    "[\u180b-\u180d\ufe00-\ufe0f\U000e0100-\U000e01ef]"
)  # choose between glyphs of what is before them
SPECIAL = re.compile("[^ -~]")
ESCAPES = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}
MARKS = 4  # marks on one letter; more climb into the lines around
DOTS = "…"


def clean(text: str, keep: str = "") -> str:
    r"""The text with what is not to be seen written as an escape: control characters, lone surrogates, what is unassigned or
    private, marks that turn the direction, and blanks of no width where no script needs them. The characters in `keep` stay.

    >>> print(clean("yes\x1a"), clean("\u202eon"), clean("\x1b[2Jno"), clean("naïve 猫"))
    yes\x1a \u202eon \x1b[2Jno naïve 猫
    """

    def seen(found: re.Match[str]) -> str:
        c = found[0]
        return _escape(c) if c not in keep and _unseen(text, found.start()) else c

    return SPECIAL.sub(seen, text)


def clean_json(text: str) -> str:
    r"""JSON text that says the same, with such characters as its own escapes.

    >>> print(clean_json('{"\u202eon": "\x9b2J"}'))
    {"\u202eon": "\u009b2J"}
    """

    def seen(found: re.Match[str]) -> str:
        c = found[0]
        return json.dumps(c)[1:-1] if c > "~" and _unseen(text, found.start()) else c

    return text if text.isascii() else SPECIAL.sub(seen, text)


def cut(text: str, most: int) -> str:
    """At most so many characters as a reader counts them, the last one three dots where some are left out. No letter loses its
    accent, and no emoji is torn.

    >>> cut("indeterminate", 6), cut("ill", 6)
    ('indet…', 'ill')
    """
    if len(text) <= most:
        return text
    kept: list[str] = []
    for one in characters(text):
        if len(kept) == most:
            return "".join(kept[:-1]) + DOTS
        kept.append(one)
    return "".join(kept)


def characters(text: str) -> Iterator[str]:
    """What a reader takes for one character: a letter with its marks, joined emoji, a flag."""
    start = 0
    for i in range(1, len(text)):
        if not _joined(text, i, start):
            yield text[start:i]
            start = i
    if text:
        yield text[start:]


def width(text: str) -> float:
    """About how wide a line of it is, in widths of a letter; for cutting, not for placing."""
    return sum(
        0 if _clings(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1.3 if c in WIDE else 1 for c in text
    )


WIDE = frozenset("mwMWGOQDHNUABCKRVXYZ@%&")


def fit(text: str, widest: float) -> str:
    """`cut` by width."""
    if width(text) <= widest:
        return text
    kept, used = "", width(DOTS)
    for one in characters(text):
        used += width(one)
        if used > widest:
            break
        kept += one
    return kept + DOTS


def _unseen(text: str, i: int) -> bool:
    c, before = text[i], text[i - 1] if i else ""
    if c in JOINERS:
        return not (_letter(before) and _letter(text[i + 1 : i + 2]))
    if SHAPERS.match(c):
        return not before or (before <= "~" and before not in "#*0123456789") or SHAPERS.match(before) is not None
    kind = unicodedata.category(c)
    if kind == "Mn" and i >= MARKS:
        return all(unicodedata.category(b) in ("Mn", "Me") for b in text[i - MARKS : i])
    return kind in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") or c in HIDDEN


def _letter(c: str) -> bool:
    """Of a script that joins, an emoji, or a mark on one."""
    return bool(c) and unicodedata.category(c) in ("Lo", "Lm", "Mn", "Mc", "So", "Sk", "Sm")


def _joined(text: str, i: int, start: int) -> bool:
    c, before = text[i], text[i - 1]
    if i - start >= 32:  # nobody writes such a character
        return False
    if _clings(c) or before == "\u200d":
        return True
    flags = "\U0001f1e6" <= c <= "\U0001f1ff" and "\U0001f1e6" <= before <= "\U0001f1ff"
    return flags and i - start == 1


def _clings(c: str) -> bool:
    """Stands on or in what is before it."""
    return c > "~" and (
        unicodedata.category(c) in ("Mn", "Me", "Mc") or c in JOINERS or "\U0001f3fb" <= c <= "\U0001f3ff"
    )


def _escape(c: str) -> str:
    n = ord(c)
    return ESCAPES.get(c) or (f"\\x{n:02x}" if n < 256 else f"\\u{n:04x}" if n < 65536 else f"\\U{n:08x}")
