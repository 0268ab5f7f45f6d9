"""Every kind of file that steelyard writes carries a mark, so that its own files can be told from everybody else's."""

import dataclasses
import json
import re
import zlib
from collections.abc import Callable
from typing import BinaryIO

HEAD = 4096  # bytes in which a mark at the front of a file stands
NOTE, DIGEST = 8, 16  # bytes at the end of a map: the length of its note, its checksum (spatial/cache.py)
LONGEST = 1 << 16  # bytes of a note that is one
GENERATOR = '<meta name="generator" content="steelyard">'
DRAWN = "<!-- drawn by steelyard -->"
KEYWORD = "steelyard"  # of the text in a PNG
IHDR = 33  # bytes of a PNG up to the end of its first chunk
PNG = b"\x89PNG\r\n\x1a\n"


@dataclasses.dataclass(frozen=True)
class Mark:
    """`what` a file with this mark is, with its article; `on(file)` says whether an open file carries it, and reads little of it."""

    what: str
    on: Callable[[BinaryIO], bool]


def _json(what: str, form: str) -> Mark:
    """Of JSON whose first key is our format: what another program wrote may hold one of ours further inside."""
    first = re.compile(rb'\s*\{\s*"format"\s*:\s*"steelyard\.' + form.encode() + rb'/\d+"')
    return Mark(what, lambda file: first.match(file.read(HEAD)) is not None)


def _text(what: str, text: str) -> Mark:
    return Mark(what, lambda file: text.encode() in file.read(HEAD))


def _noted(file: BinaryIO) -> bool:
    size = file.seek(0, 2)
    if size < NOTE + DIGEST:
        return False
    file.seek(size - NOTE - DIGEST)
    length = int.from_bytes(file.read(NOTE), "little")
    if not 0 < length <= min(LONGEST, size - NOTE - DIGEST):
        return False
    file.seek(size - NOTE - DIGEST - length)
    try:
        note = json.loads(file.read(length))
    except (ValueError, RecursionError):
        return False
    return isinstance(note, dict) and re.fullmatch("[0-9a-f]{40}", str(note.get("key"))) is not None


def _said(file: BinaryIO) -> bool:
    """A text chunk with our keyword before the pixels of a PNG."""
    if file.read(len(PNG)) != PNG:
        return False
    while len(head := file.read(8)) == 8 and head[4:] != b"IDAT":
        length = int.from_bytes(head[:4], "big")
        if head[4:] == b"tEXt" and length <= LONGEST and file.read(length).startswith(KEYWORD.encode() + b"\0"):
            return True
        if head[4:] != b"tEXt" or length > LONGEST:
            file.seek(length, 1)
        file.seek(4, 1)  # the checksum
    return False


def marked_png(png: bytes) -> bytes:
    """The same picture with our keyword in it, behind its first chunk."""
    chunk = b"tEXt" + KEYWORD.encode() + b"\0drawing"
    packed = (len(chunk) - 4).to_bytes(4, "big") + chunk + zlib.crc32(chunk).to_bytes(4, "big")
    return png[:IHDR] + packed + png[IHDR:]


def first_line(what: str, line: str) -> Mark:
    """Of a table that begins with exactly this line."""
    wanted = line.rstrip("\r\n").encode()
    return Mark(what, lambda file: file.readline(len(wanted) + 3).rstrip(b"\r\n") == wanted)


RECIPE = _json("a recipe", "recipe")
COUNTS = _json("counts", "counts")
REPORT = _json("a study's report.json", "report")
MODEL = _json("a study's model.json", "model")
EXPLANATION = _json("an explanation", "explanation")
MAPS = _json("the maps.json of a folder of maps", "maps")
PAGE = _text("a page of steelyard's", GENERATOR)
MAP = Mark("a weight map of steelyard's", _noted)
PICTURE = Mark("a picture of steelyard's", _said)
DRAWING = _text("a drawing of steelyard's", DRAWN)
NONE = Mark("", lambda file: False)  # text for people and code to paste: whoever has it may have changed it
