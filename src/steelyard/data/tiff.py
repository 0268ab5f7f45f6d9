"""What a TIFF says of itself before Pillow reads it: several numbers for each pixel, of which Pillow would keep some, are refused;
whole numbers and fractions of 32 and 64 bits that Pillow does not know are read here."""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

HEADS = {b"II*\0": "<", b"MM\0*": ">", b"II+\0": "<", b"MM\0+": ">"}
BIG = (b"II+\0", b"MM\0+")  # BigTIFF: counts and places of 64 bits
SIZES = {1: "B", 2: "s", 3: "H", 4: "I", 5: "II", 6: "b", 7: "B", 8: "h", 9: "i", 11: "f", 12: "d", 16: "Q", 17: "q"}
WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, TEXT, OFFSETS, SAMPLES, ROWS, LENGTHS, PREDICTOR, TILES, EXTRA, FORMAT = (
    256, 257, 258, 259, 262, 270, 273, 277, 278, 279, 317, 322, 338, 339,
)  # fmt: skip
KINDS = {1: "u", 2: "i", 3: "f"}
PLAIN, DEFLATE = (1,), (8, 32946)
KNOWN = frozenset(
    (
        WIDTH,
        HEIGHT,
        BITS,
        COMPRESSION,
        PHOTOMETRIC,
        TEXT,
        OFFSETS,
        SAMPLES,
        ROWS,
        LENGTHS,
        PREDICTOR,
        TILES,
        EXTRA,
        FORMAT,
    )
)
PAGES = 100_000
SPARE = 1 << 16  # bytes of directories that may overlap in a file that is not hostile


@dataclass(frozen=True)
class Tiff:
    """A TIFF by its tags, page by page."""

    path: Path
    raw: bytes
    order: str
    tags: list[dict[int, Any]]

    @classmethod
    def of(cls, path: Path, raw: bytes) -> Self | None:
        """None if it is no TIFF, or so damaged that its reader may say it. ValueError for several numbers for each pixel."""
        order = HEADS.get(raw[:4])
        if order is None:
            return None
        try:
            tags = list(_directories(raw, order, big=raw[:4] in BIG))
        except (struct.error, IndexError, ValueError, OverflowError):
            return None
        except _Overlaps:
            raise ValueError(
                f"{path}: this TIFF is damaged: its directories take more room than the file has; save it again."
            ) from None
        if not tags:
            return None
        tiff = cls(path, raw, order, tags)
        tiff._refuse_channels()
        return tiff

    @property
    def beyond_pillow(self) -> bool:
        """Whether Pillow cannot hold these numbers (64 bits, or 32 without a sign), or reads the bytes of a compressed one backwards
        (16 bits with a sign or 32, big-endian)."""
        backwards = ("i2", "i4", "f4") if self.order == ">" else ()
        return any(self._dtype(page) in ("u4", "u8", "i8", "f8", "f2", *backwards) for page in self.tags)

    def pages(self) -> Iterator[np.ndarray]:
        """[H, W] of each page. ValueError for a compression that is not understood."""
        for page in self.tags:
            yield self._page(page)

    @property
    def sizes(self) -> list[tuple[int, int, int]]:
        """(width, height, bytes of a pixel) of each page."""
        return [
            (max(0, _one(page, WIDTH, 0)), max(0, _one(page, HEIGHT, 0)), max(1, _one(page, BITS, 1) // 8))
            for page in self.tags
        ]

    def _dtype(self, page: dict[int, Any]) -> str:
        return KINDS.get(_one(page, FORMAT, 1), "u") + str(_one(page, BITS, 1) // 8)

    def _page(self, page: dict[int, Any]) -> np.ndarray:
        dtype = np.dtype(self.order + self._dtype(page))
        compression, shape = _one(page, COMPRESSION, 1), (_one(page, HEIGHT, 0), _one(page, WIDTH, 0))
        if (
            compression not in PLAIN + DEFLATE
            or _one(page, PREDICTOR, 1) != 1
            or TILES in page
            or not shape[0] * shape[1]
        ):
            raise ValueError(
                f"{self.path}: TIFFs of {dtype.itemsize * 8} bits are read without compression or with deflate alone; save the labels as"
                " NPY (np.save), or as a TIFF of 16 bits."
            )
        content = bytearray(shape[0] * shape[1] * dtype.itemsize)
        at = 0
        try:
            for start, n in zip(page[OFFSETS], page[LENGTHS], strict=True):
                if at >= len(content):
                    break
                strip = self.raw[start : start + n]
                if compression in DEFLATE:  # no more than the image has room for
                    strip = zlib.decompressobj().decompress(strip, len(content) - at)
                strip = strip[: len(content) - at]
                content[at : at + len(strip)] = strip
                at += len(strip)
            if at < len(content):
                raise ValueError(f"{at:,} bytes of pixels, {len(content):,} are needed")
        except (ValueError, KeyError, zlib.error) as error:
            raise ValueError(f"{self.path}: this TIFF is damaged or was cut off ({error}).") from None
        array = np.frombuffer(content, dtype).reshape(shape)
        return array.astype(dtype.newbyteorder("="), copy=False)

    def _refuse_channels(self) -> None:
        page = self.tags[0]
        samples, photometric, extra = _one(page, SAMPLES, 1), _one(page, PHOTOMETRIC, 1), page.get(EXTRA, ())
        alpha = len(extra) == 1 and extra[0] in (1, 2)
        bits = page.get(BITS, (1,))
        if photometric == 2 and samples - len(extra) == 3 and len(extra) <= 1:
            if max(bits) > 8:
                raise ValueError(f"{self.path}: it has {max(bits)} bits for each colour; save class or object numbers.")
            return
        if samples > 1 and not (samples == 2 and alpha) and photometric not in (5, 6):
            raise ValueError(
                f"{self.path}: it has {samples} numbers for each pixel; a mask has one. Save the channel that holds the labels, or"
                " argmax over the channels if each is a class."
            )
        text = page.get(TEXT, b"")
        if (
            isinstance(text, bytes)
            and b"channels=" in text
            and b"channels=1\n" not in text
            and text.startswith(b"ImageJ")
        ):
            raise ValueError(
                f"{self.path}: ImageJ wrote several channels into it, and its pages would count as one volume; save the channel that"
                " holds the labels."
            )


class _Overlaps(Exception):
    """The directories and their values are more than the file can hold, as when many share their bytes."""


def _directories(raw: bytes, order: str, *, big: bool) -> Iterator[dict[int, Any]]:
    """The tags of each page that are KNOWN."""
    place, counted, entry = ("Q", "Q", 20) if big else ("I", "H", 12)
    (at,) = struct.unpack_from(order + place, raw, 8 if big else 4)
    seen: set[int] = set()
    room = len(raw) + SPARE
    while at and at not in seen and len(seen) < PAGES:
        seen.add(at)
        (many,) = struct.unpack_from(order + counted, raw, at)
        at += struct.calcsize(counted)
        if at + many * entry > len(raw):
            raise ValueError("a directory reaches beyond the file")
        tags: dict[int, Any] = {}
        room -= many * entry
        for i in range(many if room >= 0 else 0):
            (tag,) = struct.unpack_from(order + "H", raw, at + entry * i)
            if tag in KNOWN:
                tags[tag], size = _values(raw, order, at + entry * i, place)
                room -= size
            if room < 0:
                break
        if room < 0:
            raise _Overlaps
        yield tags
        (at,) = struct.unpack_from(order + place, raw, at + entry * many)


def _values(raw: bytes, order: str, at: int, place: str) -> tuple[Any, int]:
    """(the values of a tag, how many bytes they take beyond its entry)."""
    kind, many = struct.unpack_from(order + "H" + place, raw, at + 2)
    inline = struct.calcsize(place)
    form = SIZES.get(kind, "B")
    size = struct.calcsize("=" + form) * many
    if many > len(raw) or size > len(raw):
        raise ValueError("a tag reaches beyond the file")
    start = at + 4 + inline if size <= inline else struct.unpack_from(order + place, raw, at + 4 + inline)[0]
    beyond = size if size > inline else 0
    if form == "s":
        return raw[start : start + many], beyond
    return struct.unpack_from(order + form * many if len(form) > 1 else f"{order}{many}{form}", raw, start), beyond


def _one(page: dict[int, Any], tag: int, default: int) -> int:
    values = page.get(tag)
    return int(values[0]) if values else default
