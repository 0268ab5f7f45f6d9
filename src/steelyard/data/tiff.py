"""What a TIFF says of itself before Pillow reads it: several numbers for each pixel, of which Pillow would keep some, are refused;
whole numbers and fractions of 32 and 64 bits that Pillow does not know are read here."""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

HEADS = {b"II*\0": "<", b"MM\0*": ">"}
SIZES = {1: "B", 2: "s", 3: "H", 4: "I", 5: "II", 6: "b", 7: "B", 8: "h", 9: "i", 11: "f", 12: "d", 16: "Q", 17: "q"}
WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, TEXT, OFFSETS, SAMPLES, ROWS, LENGTHS, PREDICTOR, TILES, EXTRA, FORMAT = (
    256, 257, 258, 259, 262, 270, 273, 277, 278, 279, 317, 322, 338, 339,
)  # fmt: skip
KINDS = {1: "u", 2: "i", 3: "f"}
PLAIN, DEFLATE = (1,), (8, 32946)
PAGES = 100_000


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
            tags = list(_directories(raw, order))
        except (struct.error, IndexError, ValueError):
            return None
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
        strips = zip(page[OFFSETS], page[LENGTHS], strict=True)
        try:
            content = b"".join(
                self.raw[start : start + n] if compression in PLAIN else zlib.decompress(self.raw[start : start + n])
                for start, n in strips
            )
            array = np.frombuffer(content, dtype, count=shape[0] * shape[1]).reshape(shape)
        except (ValueError, zlib.error) as error:
            raise ValueError(f"{self.path}: this TIFF is damaged or was cut off ({error}).") from None
        return array.astype(dtype.newbyteorder("="))

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


def _directories(raw: bytes, order: str) -> Iterator[dict[int, Any]]:
    (at,) = struct.unpack_from(order + "I", raw, 4)
    seen: set[int] = set()
    while at and at not in seen and len(seen) < PAGES:
        seen.add(at)
        (many,) = struct.unpack_from(order + "H", raw, at)
        yield dict(_entry(raw, order, at + 2 + 12 * i) for i in range(many))
        (at,) = struct.unpack_from(order + "I", raw, at + 2 + 12 * many)


def _entry(raw: bytes, order: str, at: int) -> tuple[int, Any]:
    """(tag, its values)."""
    tag, kind, many = struct.unpack_from(order + "HHI", raw, at)
    form = SIZES.get(kind, "B")
    size = struct.calcsize(order + form) * many
    if many > len(raw) or size > len(raw):
        raise ValueError("a tag reaches beyond the file")
    start = at + 8 if size <= 4 else struct.unpack_from(order + "I", raw, at + 8)[0]
    if form == "s":
        return tag, raw[start : start + many]
    return tag, struct.unpack_from(order + form * many if len(form) > 1 else f"{order}{many}{form}", raw, start)


def _one(page: dict[int, Any], tag: int, default: int) -> int:
    values = page.get(tag)
    return int(values[0]) if values else default
