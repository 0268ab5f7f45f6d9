"""What one text is made of: words, numbers, pictures and signs, in any script. Nothing that can be seen is thrown away."""

import functools
import html
import re
import unicodedata
from collections.abc import Sequence

# scripts that put no blank between words: Thai and Lao, Myanmar, Khmer, Tai, Balinese, Javanese, Yi, kana, Han
UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u1950-\u19df\u1a20-\u1aaf\u1b00-\u1b7f\u2e80-\u2fdf\u3005-\u3007\u3040-\u312f"
    "\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\ua980-\ua9ff\uaa60-\uaadf\uf900-\ufaff"
    "\U0001b000-\U0001b16f\U00020000-\U0003ffff"
)
UNSEEN = "\u00ad\u034f\u061c\u115f\u1160\u180e\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff"
JOINER, STYLE, KEY = "\u200d", "\ufe0e\ufe0f", "\u20e3"
SKIN, TAGS, FLAGS = "\U0001f3fb-\U0001f3ff", "\U000e0020-\U000e007f", "\U0001f1e6-\U0001f1ff"
PICTURES = 0x1F000  # from here on what is no letter is a picture
ENTITY = re.compile(r"&(?:#\d+|#[xX][0-9a-fA-F]+|[A-Za-z]\w*);")
LONGER = re.compile(r"(.)\1{3,}", re.DOTALL)  # !!!!! says what !!! says
RUN = re.compile(r"(.)\1*", re.DOTALL)
DIGIT = re.compile(r"\d")


@functools.cache
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    """Of a token, of what cannot be seen, and of what joins and colours pictures."""
    marks = _ranges(("Mn", "Mc", "Me"))
    signs = _ranges(("Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Sm", "Sc", "Sk"))
    letter = rf"(?:[^\W_{UNSPACED}]|(?![{UNSPACED}])[{marks}{JOINER}])"
    picture = rf"[^\s\w{UNSPACED}{marks}{signs}{JOINER}{TAGS}\x00-\x1f]"
    dressed = rf"{picture}[{STYLE}{KEY}{SKIN}{TAGS}]*"
    token = "|".join(
        (
            rf"(?P<picture>[0-9#*][{STYLE}]?{KEY}|[{FLAGS}]{{2}}|{dressed}(?:{JOINER}{dressed})*)",
            rf"(?P<number>\d+(?:[.,]\d+)*(?!{letter}))",
            rf"(?P<syllable>[{UNSPACED}](?:(?=[{UNSPACED}])[{marks}]|[\u3099\u309a])*)",
            rf"(?P<word>[^\W_{UNSPACED}]{letter}*)",
            rf"(?P<tag>[#@](?=(?P<name>[\w{marks}]+)))",
            rf"(?P<sign>(?:(?![#@]\w)[{signs}])+)",
            r"(?P<other>[^\s])",
        )
    )
    return re.compile(token), re.compile(f"[{UNSEEN}]"), re.compile(f"[{STYLE}{KEY}{SKIN}{TAGS}{JOINER}]")


def _ranges(categories: Sequence[str]) -> str:
    """What belongs into the brackets of a regular expression for the characters of some categories of Unicode."""
    held = [unicodedata.category(chr(i)) in categories for i in range(PICTURES)]
    starts = [i for i, yes in enumerate(held) if yes and not held[i - 1]]
    ends = [i for i, yes in enumerate(held[:-1]) if yes and not held[i + 1]]
    return "".join(f"\\U{a:08x}-\\U{b:08x}" for a, b in zip(starts, ends, strict=True))


def normal(text: str) -> str:
    """One spelling of what reads the same: HTML entities, composed and decomposed accents, full and half width, quotes."""
    if "&" in text:
        text = ENTITY.sub(lambda entity: html.unescape(entity.group()), text)
    if text.isascii():
        return text
    return unicodedata.normalize("NFKC", text).replace("\u2019", "'")


def fold(text: str) -> str:
    """Without upper case. Turkish dots are taken off, as it cannot be seen which language is written."""
    return text.lower() if text.isascii() else text.casefold().replace("\u0307", "").replace("\u0131", "i")


def folded(text: str) -> str:
    """What runs of characters are counted in."""
    text = normal(text)
    return fold(text if text.isascii() else _patterns()[1].sub("", text))


def tokens(text: str) -> tuple[list[str], list[str]]:
    """Words in their order, and what stands beside them.

    words   of letters and digits, folded; whole numbers and decimals; pictures; in scripts without blanks every syllable's sign
    beside  signs such as "!!!" and "$", hashtags and mentions; "spelled:FREE" of a word with upper case, "shape:0000" of one
            with digits; the parts of a joined picture; characters that cannot be seen
    """
    token, unseen, dress = _patterns()
    words: list[str] = []
    beside: list[str] = []
    text = normal(text)
    if not text.isascii() and (hidden := unseen.findall(text)):
        beside += hidden
        text = unseen.sub("", text)
    for match in token.finditer(text):
        kind, piece = match.lastgroup, match.group()
        if kind in ("word", "number"):
            word = fold(piece.replace(JOINER, ""))
            words.append(word)
            if piece != word and piece.lower() != piece:
                beside.append(f"spelled:{piece}")
            if DIGIT.search(word):
                beside.append(f"shape:{DIGIT.sub('0', word)}")
        elif kind == "syllable":
            words.append(piece)
        elif kind == "picture":
            whole = piece.translate({ord(c): None for c in STYLE})
            words.append(whole)
            if len(whole) > 1 and (parts := dress.sub("", piece)) != whole:
                beside += parts
        elif kind == "tag":
            beside += [piece, piece + fold(match["name"])]
        else:
            beside.append(LONGER.sub(r"\1\1\1", piece))
            if len(set(piece)) > 1:
                beside += (run.group() for run in RUN.finditer(beside[-1]))
    return words, beside
