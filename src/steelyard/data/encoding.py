"""The encoding of a text: UTF-8, UTF-16 with its mark, or Western European where the letters bear it out."""

import codecs
import re
import unicodedata
from pathlib import Path

BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
# What else a text may be, tried in this order; iconv's names. Single bytes decode almost anything, so they come last.
OTHERS = (
    "GB18030",
    "SHIFT_JIS",
    "EUC-KR",
    "BIG5",
    "CP1251",
    "KOI8-R",
    "CP1250",
    "CP1253",
    "CP1254",
    "MACINTOSH",
    "CP850",
)
PYTHON = {"MACINTOSH": "mac-roman"}
DOUBTED = 0.1  # share of the words with letters beyond ASCII that may look wrong

_WORD = re.compile(r"[^\W\d_]{0,20}[^\x00-\x7f]+[^\x00-\x40]*")
_TWICE = re.compile(r"(?:Ã[\u00a1-\u00bf]|â€[™œ“”¦])")
_STRAY = re.compile(
    r"(?<=[^\W\d_])[^\w\s\x00-\x7f’–—…·](?=[^\W\d_])|(?<=[a-z])[À-ÖØ-ÞŠŽŸŒ]|[À-ÖØ-öø-ÿ]{3}|[\x80-\x9f]|[‚ƒ…†‡ˆ‰Š‹ŒŽ‘—][^\x00-\x7f]|[¤¦¨¬¯¶¸]"
)


def decode(head: bytes, path: Path, notes: list[str]) -> tuple[str, str]:
    """(encoding, text) of the beginning of a file. ValueError, with what to run, where the letters would come out wrong."""
    for mark, encoding in BOMS:
        if head.startswith(mark):
            notes.append(
                "the byte-order mark at the start was removed" if encoding == "utf-8" else "the text is UTF-16"
            )
            try:
                text = codecs.getincrementaldecoder(encoding)().decode(head)
            except UnicodeDecodeError:
                break
            if "\0" not in text:
                return encoding, text.removeprefix("\ufeff")
    if b"\0" in head:
        line = head[: head.index(b"\0")].count(b"\n") + 1
        raise ValueError(
            f"{path}: this is not text (it holds zero bytes, the first in line {line}); give a CSV, TSV or Parquet file, or"
            f" take them out: tr -d '\\000' < {path} > new.csv."
        )
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(head)
        if twice := _TWICE.search(text):
            notes.append(
                f"letters such as {text[: twice.end()][-20:].split()[-1]!r} look like UTF-8 that was encoded twice; to undo it: iconv -f UTF-8 -t CP1252 {path} > new.csv"
            )
        return "utf-8", text
    except UnicodeDecodeError:
        return western(head, path, notes)


def western(head: bytes, path: Path, notes: list[str]) -> tuple[str, str]:
    """The same of bytes that are not UTF-8: cp1252, as Excel writes it."""
    refuse_damaged(head, path)
    encoding, text = "cp1252", head.decode("cp1252", "backslashreplace")  # five bytes stand for nothing there
    words = list(dict.fromkeys(_WORD.findall(text)))
    odd = [w for w in words if _STRAY.search(w)]
    letters = any(unicodedata.category(c)[0] == "L" for w in words for c in w if c > "\x7f")
    if (len(odd) > DOUBTED * len(words) and letters) or _undefined(head):
        able = [name for name in OTHERS if _decodes(head, name)]
        raise ValueError(
            f"{path}: the text is neither UTF-8 nor Western European (it would read {(odd or words or [''])[0][:30]!r}). Convert it with the"
            f" encoding it was written in, iconv -f NAME -t UTF-8 {path} > new.csv; NAME may be {', '.join(able) or 'CP1250'}."
        )
    notes.append(not_utf8(encoding, words[0][:30] if words else ""))
    return encoding, text


def refuse_damaged(head: bytes, path: Path) -> None:
    """ValueError where the text is UTF-8 but for a few bytes."""
    text = head.decode("utf-8", "replace")
    odd = text.count("\ufffd")
    if odd and sum(c > "\x7f" for c in text) - odd > 2 * odd:
        line = text[: text.index("\ufffd")].count("\n") + 1
        raise ValueError(
            f"{path}: the text is UTF-8 but for {odd} damaged {'letter' if odd == 1 else 'letters'}, the first in line {line} of what was read;"
            f" correct it, or leave them out: iconv -c -f UTF-8 -t UTF-8 {path} > new.csv."
        )


def _undefined(head: bytes) -> bool:
    return any(head.find(byte) >= 0 for byte in (b"\x81", b"\x8d", b"\x8f", b"\x90", b"\x9d"))


def not_utf8(encoding: str, example: str = "") -> str:
    such = f", such as {example!r}" if example else ""
    return (
        f"the text is not UTF-8; it was read as {encoding}, so check letters with accents{such} (if they are wrong:"
        " iconv -f NAME -t UTF-8)"
    )


def _decodes(head: bytes, name: str) -> bool:
    decoder = codecs.getincrementaldecoder(PYTHON.get(name, name))()
    try:
        text = decoder.decode(head)
    except UnicodeDecodeError:
        return False
    beyond = [c for c in text if c > "\x7f"]
    letters = sum(c.isalpha() for c in beyond)
    return letters >= 0.9 * len(beyond)
