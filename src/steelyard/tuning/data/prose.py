"""Which columns of texts are read for what they are made of, instead of as names of categories or identifiers."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...data.tally import arrow
from .tokens import UNSPACED, tokens

DISTINCT = 50  # different texts that make prose: more than a category has columns; half of the rows where these are few
SAMPLE = 2000  # different texts that are looked at
WORDS = 3  # words per text, on average, that make prose
PARTS = 1.5  # parts per text, on average, that make prose where they come again in other texts
FIXED = 0.9  # a part of more texts than these, such as "id" in id-1, id-2, tells nothing
SYLLABLES = 2  # signs of a script without blanks, on average, that make a word
MOST = 0.8  # of the texts that are addresses, or that have no digit, as names and single words have none

WORD = re.compile(
    r"[^\W\d_]{2}|[^\W\d_][\u0300-\u036f\u0900-\u0dff]"
)  # two letters in a row: ids, numbers and dates have none
SIGN = re.compile(rf"[{UNSPACED}]")
DIGIT = re.compile(r"\d")
ADDRESS = re.compile(r"://|^www\.|\S@\S+\.\S|^[\w-]+(\.[A-Za-z][\w-]*)+/")
PLAIN = re.compile(r"\d+|[^\w\s]+")  # what is a part where blanks stand around it


def is_prose(values: Any) -> bool:
    """Whether an Arrow column of texts is to be read word by word: more different texts than a category has columns, or
    half as many as rows, and one of

    - three words or more per text; a picture is a word, and so are two signs of a script without blanks;
    - words, whole numbers, pictures or signs that come again in other texts, one and a half per text or more;
    - addresses of pages or mail, which share their hosts;
    - in most rows another text, mostly without digits: names and single words. Identifiers have digits.
    """
    _, pc = arrow()
    known = values.drop_null()
    distinct = pc.unique(known)
    if len(distinct) <= min(DISTINCT, len(known) / 2):
        return False
    at = np.unique(np.linspace(0, len(distinct) - 1, min(SAMPLE, len(distinct))).astype(int))
    texts = distinct.take(at).to_pylist()
    if np.mean([_length(text) for text in texts]) >= WORDS:
        return True
    if _recur([_parts(text) for text in texts]):
        return True
    addresses = sum(1 for text in texts if ADDRESS.search(text))
    letters = sum(1 for text in texts if not DIGIT.search(text))
    return addresses >= MOST * len(texts) or (len(distinct) > len(known) / 2 and letters >= MOST * len(texts))


def _length(text: str) -> float:
    """In words."""
    words = sum(1 for piece in SIGN.sub(" ", text).split() if WORD.search(piece))
    if text.isascii():
        return words
    pictures = sum(1 for word in tokens(text)[0] if not any(c.isalnum() for c in word))
    return words + len(SIGN.findall(text)) / SYLLABLES + pictures


def _parts(text: str) -> set[str]:
    """Words without digits and pictures; whole numbers and signs that stand alone."""
    words = {word for word in tokens(text)[0] if not any(c.isdigit() for c in word)}
    return words.union(piece for piece in text.split() if PLAIN.fullmatch(piece))


def _recur(parts: Sequence[set[str]]) -> bool:
    texts = Counter(part for some in parts for part in some)
    telling = {part: n for part, n in texts.items() if n <= FIXED * len(parts)}
    total = sum(telling.values())
    again = sum(n for n in telling.values() if n > 1)
    return total >= PARTS * len(parts) and again >= total / 2
