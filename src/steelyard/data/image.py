"""From an image file to the numbers in it, in pieces of a few million pixels, so that a slide of 14,000 x 14,000 needs little memory."""

import io
import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from .gate import one_line
from .limits import FLOOR, STREAMED, TIMES, refuse_beyond
from .npy import NPY, array_of
from .tiff import Tiff
from .volume import volume

COLOURS = np.dtype(np.uint32)  # of pieces that hold colours, 0xRRGGBB; numbers never have this type
VOID = int(np.iinfo(np.int64).min)  # a pixel that is NaN
PIECE = 1 << 23  # pixels
NPZ, JPEG, PNG = b"PK\x03\x04", b"\xff\xd8", b"\x89PNG"
UNCHECKED = {
    b"\x89PNG": "PNG",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"BM": "BMP",
}  # opened without Pillow's limit of size
OTHERS = (
    "GIF",
    "PPM",
    "WEBP",
    "TGA",
    "PNG",
    "TIFF",
    "BMP",
)  # what else Pillow may open; some of its formats start programs
PIXEL = {
    "1": 1,
    "L": 1,
    "P": 1,
    "I;16": 2,
    "I;16B": 2,
    "I;16L": 2,
    "I;16N": 2,
}  # bytes of a pixel in Pillow; otherwise 4
TILES = "cut it into tiles, or save the labels as NPY (numpy.save)"
ONE_HOT = "save argmax over that axis"


def decode(path: Path, raw: bytes) -> np.ndarray:
    """[H, W] (pages of a TIFF: [D, H, W]; NIfTI and NRRD: [x, y, z]; NPY: any shape) integers: class or object numbers, palette indices, or colours. VOID
    where a number is NaN.

    ValueError, naming the file, if it is damaged or holds no labels.
    """
    scanned = volume(path, raw)
    if scanned is not None:
        array = scanned.array
        return _whole_numbers(path, array) if array.dtype.itemsize >= 4 or array.dtype.kind == "f" else array
    array = None if raw.startswith(NPY) else _image(path, raw)
    if array is None:
        array = _npy(path, raw)
        return array if array.dtype.kind != "f" else _whole(path, array)
    return array


def pieces(path: Path, raw: bytes) -> Iterator[np.ndarray]:
    """`decode` in flat pieces."""
    scanned = volume(path, raw)
    if scanned is not None:
        flat = scanned.array.T.reshape(-1)
        for start in range(0, flat.size, PIECE):
            yield _whole_numbers(path, flat[start : start + PIECE])
    elif raw.startswith(NPY):
        array = _npy(path, raw)
        flat = (array.T if array.flags.f_contiguous else array).reshape(-1)
        for start in range(0, flat.size, PIECE):
            piece = flat[start : start + PIECE]
            yield piece if piece.dtype.kind != "f" else _whole(path, piece)
    else:
        yield from _image_pieces(path, raw)


def _npy(path: Path, raw: bytes) -> np.ndarray:
    """The array, not copied, checked for what is no mask. Fractions may be in it still."""
    array = array_of(path, raw)
    if array.size == 0:
        raise ValueError(f"{path}: the mask has no pixels.")
    reason = no_labels(array)
    if reason is not None:
        raise ValueError(f"{path}: {reason}.")
    if array.dtype.kind == "b":
        return array.view(np.uint8)
    if array.dtype.kind not in "iuf":
        raise ValueError(f"{path}: the array holds {array.dtype}, not the whole numbers of a mask.")
    return _signed(path, array) if array.dtype.kind == "u" and array.dtype.itemsize >= 4 else array


def _signed(path: Path, array: np.ndarray) -> np.ndarray:
    if array.dtype.itemsize == 8 and array.dtype.kind == "u" and int(array.max()) >= 2**63:
        raise ValueError(f"{path}: the number {int(array.max())} is too large for a class or an object; renumber them.")
    return array.astype(np.int64)


def no_labels(array: np.ndarray) -> str | None:
    """Why an array is no labels of pixels, with what to do, or None: one-hot, a picture, or a target on the scale of pictures."""
    if array.dtype.kind not in "iufb" or not array.size:
        return None
    if array.ndim > 2 and array.max() == 1:
        hot = one_hot_axis(array)
        if hot is not None:
            shape = list(array.shape)
            return (
                f"the array {shape} is one-hot: axis {hot} holds one 1 for each pixel; {ONE_HOT} (array.argmax({hot}))"
            )
    if array.ndim == 3 and array.shape[2] in (3, 4) and min(array.shape[:2]) > 4 and array.dtype.kind in "iu":
        if bool(np.all(array[..., :3] == array[..., :1])):
            return (
                f"the array {list(array.shape)} holds the same numbers {array.shape[2]} times, as a grey picture does;"
                " save one of them (array[..., 0])"
            )
        return (
            f"the array {list(array.shape)} has {array.shape[2]} numbers for each pixel, as a picture in colours; a mask has one, [H, W]."
            " A volume is [D, H, W]: np.moveaxis(array, -1, 0)"
        )
    if (
        array.dtype.kind == "f"
        and np.nanmax(array, initial=0) == 255
        and bool(np.all((array == 0) | (array == 255) | np.isnan(array)))
    ):
        return f"the array holds {array.dtype} 0 and 255, the scale of pictures; the object is class 1: save (array > 127).astype('uint8')"
    return None


def apart(values: Iterable[Any]) -> int | None:
    """The one of the values that stands apart from the numbers of classes, as that of void pixels does: 255 or 65535 with a gap
    below, or a negative one."""
    held = {v for v in values if isinstance(v, (int, np.integer)) and not isinstance(v, bool)}
    for void in (255, 65535, *sorted(v for v in held if v < 0)):
        others = held - {void}
        if void in held and (void < 0 or (bool(others) and max(others) <= 0.9 * void)):
            return int(void)
    return None


def one_hot_axis(array: np.ndarray) -> int | None:
    """The axis along which exactly one number is 1 and the others 0, everywhere; None if there is none."""
    if not bool(np.all((array == 0) | (array == 1))):
        return None
    axes = [1, array.ndim - 1, 0, *range(2, array.ndim - 1)]  # channels first in a batch, channels last, channels first
    return next((a for a in axes if array.shape[a] > 1 and bool(np.all(array.sum(a, dtype=np.int32) == 1))), None)


def _whole(path: Path, array: np.ndarray) -> np.ndarray:
    """Fractions that are whole numbers, as int64, VOID where they are NaN."""
    void = np.isnan(array)
    if bool(void.any()):
        array = np.where(void, 0, array)
    if not (bool(np.all(array == np.floor(array))) and bool(np.all(np.abs(array) < 2**53))):
        raise ValueError(f"{path}: it holds {array.dtype}, not the whole numbers of a mask; save labels, not scores.")
    whole = array.astype(np.int64)
    whole[void] = VOID
    return whole


def _image(path: Path, raw: bytes) -> np.ndarray:
    """All pages as one array."""
    with _Opened(path, raw) as image:
        if isinstance(image, Tiff):
            _refuse_large_tiff(path, image.sizes, len(raw), whole=True)
            return _page_stack(path, [_whole_numbers(path, page) for page in image.pages()])
        stack = []
        for _ in _frames(path, image, len(raw), whole=True):
            stripes = _stripes(path, image, raw)
            first = next(stripes)
            array = np.empty((image.height, image.width), first.dtype)
            top = len(first)
            array[:top] = first
            for stripe in stripes:
                array[top : top + len(stripe)] = stripe
                top += len(stripe)
            stack.append(array)
        return _page_stack(path, stack)


def _image_pieces(path: Path, raw: bytes) -> Iterator[np.ndarray]:
    with _Opened(path, raw) as image:
        if isinstance(image, Tiff):
            _refuse_large_tiff(path, image.sizes, len(raw), whole=False)
            for page in image.pages():
                flat = page.reshape(-1)
                for start in range(0, flat.size, PIECE):
                    yield _whole_numbers(path, flat[start : start + PIECE])
            return
        for _ in _frames(path, image, len(raw), whole=False):
            for stripe in _stripes(path, image, raw):
                yield stripe.reshape(-1)


def _stripes(path: Path, image: Any, raw: bytes) -> Iterator[np.ndarray]:
    """[rows, W] of a page, from the top."""
    width, height = image.size
    rows = max(1, PIECE // max(1, width))
    image.load()
    for top in range(0, height, rows):
        stripe = image if rows >= height else image.crop((0, top, width, min(height, top + rows)))
        array = _numbers(stripe, raw)
        yield _whole(path, array) if array.dtype.kind == "f" else array


def _size(image: Any) -> tuple[int, int, int]:
    """(width, height, bytes of a pixel)."""
    return (*image.size, PIXEL.get(image.mode, 4))


def _refuse_large(path: Path, largest: tuple[int, int, int], pages: int, every: int, size: int, *, whole: bool) -> None:
    """ValueError, before a page is unpacked, where the largest, or all together, are more than so large a file may hold."""
    sides = f"{largest[0]:,} x {largest[1]:,} pixels"
    refuse_beyond(path, math.prod(largest), size, f"an image of {sides}", TILES)
    more = 1 if whole else STREAMED  # pages that are only counted are held one by one
    what = f"{pages:,} pages of up to {sides}"
    refuse_beyond(path, every, size, what, "save fewer of them in a file", floor=more * FLOOR, times=more * TIMES)


def _refuse_large_tiff(path: Path, sizes: list[tuple[int, int, int]], size: int, *, whole: bool) -> None:
    """A page is held as it was unpacked and in its order, and as labels where all of it is wanted."""
    times = 3 if whole else 2
    held = [(width, height, times * each) for width, height, each in sizes]
    _refuse_large(path, max(held, key=math.prod), len(held), sum(map(math.prod, held)), size, whole=whole)


def _frames(path: Path, image: Any, size: int, *, whole: bool) -> Iterator[int]:
    """Each page in its turn, with `image` set to it."""
    many, one = getattr(image, "n_frames", 1), _size(image)
    _refuse_large(path, one, many, many * math.prod(one), size, whole=whole)
    for page in range(many):
        image.seek(page)
        _refuse_large(path, _size(image), 1, math.prod(_size(image)), size, whole=whole)
        yield page


def _whole_numbers(path: Path, array: np.ndarray) -> np.ndarray:
    if array.dtype.kind == "f":
        return _whole(path, array)
    return _signed(path, array) if array.dtype.itemsize >= 4 else array


def _page_stack(path: Path, pages: list[np.ndarray]) -> np.ndarray:
    if len({page.shape for page in pages}) > 1:
        shapes = ", ".join(str(list(page.shape)) for page in pages[:3])
        raise ValueError(
            f"{path}: its pages have different sizes ({shapes}), as those of a pyramid; save the first alone."
        )
    return pages[0] if len(pages) == 1 else np.stack(pages)


class _Opened:
    """An image with the errors of Pillow in our words."""

    def __init__(self, path: Path, raw: bytes):
        self.path, self.raw = path, raw

    def __enter__(self) -> Any:
        try:
            import PIL.Image
        except ModuleNotFoundError:
            raise ImportError("reading masks needs Pillow: pip install 'steelyard[images]'.") from None
        path, raw = self.path, self.raw
        if raw.startswith(JPEG):
            raise ValueError(
                f"{path}: this is JPEG, which changes the numbers of a mask at every edge; save masks as PNG."
            )
        if raw.startswith(NPZ):
            raise ValueError(f"{path}: this is an archive (ZIP or NPZ), not an image; unpack it first.")
        tiff = Tiff.of(path, raw)  # refuses what Pillow would read in part
        if tiff is not None and tiff.beyond_pillow:
            return tiff
        try:
            self.image = _open(raw)
        except PIL.UnidentifiedImageError:
            raise ValueError(f"{path}: this is no image that can be read; save masks as PNG, TIFF or NPY.") from None
        except Exception as error:
            self._refuse(error)
        if not math.prod(self.image.size):
            raise ValueError(f"{path}: the mask has no pixels.")
        return self.image

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if getattr(self, "image", None) is not None:
            self.image.close()
        if isinstance(error, Exception) and not str(error).startswith(str(self.path)):
            self._refuse(error)

    def _refuse(self, error: Exception) -> None:
        from PIL import Image

        if isinstance(error, Image.DecompressionBombError):
            raise ValueError(
                f"{self.path}: the image is too large to be opened ({one_line(error)}); cut it into tiles."
            ) from None
        if isinstance(error, MemoryError):
            raise error
        raise ValueError(f"{self.path}: this image is damaged or not a mask ({one_line(error)}).") from error


def _open(raw: bytes) -> Any:
    """Masks may be larger than what Pillow opens by itself; a compressed one of many pixels is small, as masks are."""
    from PIL import BmpImagePlugin, Image, PngImagePlugin, TiffImagePlugin, UnidentifiedImageError

    openers = {
        "PNG": PngImagePlugin.PngImageFile,
        "TIFF": TiffImagePlugin.TiffImageFile,
        "BMP": BmpImagePlugin.BmpImageFile,
    }
    kind = next((kind for head, kind in UNCHECKED.items() if raw.startswith(head)), None)
    if kind is None:
        return Image.open(io.BytesIO(raw), formats=OTHERS)
    try:
        return openers[kind](io.BytesIO(raw))
    except Exception as error:  # the header of a damaged file may raise anything
        raise UnidentifiedImageError from error


def _numbers(image: Any, raw: bytes) -> np.ndarray:
    mode = image.mode
    if raw.startswith(PNG) and raw[24] == 16 and mode in ("RGB", "RGBA", "LA"):
        raise ValueError("it has 16 bits for each colour, of which 8 would be lost; save class or object numbers")
    if mode in ("P", "L", "1"):
        array = np.asarray(image)
        stretch = _stretch(raw) if mode == "L" else 1
        return array.astype(np.uint8) if mode == "1" else array // stretch if stretch > 1 else array
    if mode.startswith("I;16"):
        return np.asarray(image).astype(np.uint16, copy=False)
    if mode == "I":
        return np.asarray(image).astype(np.int32, copy=False)
    if mode == "F":
        return np.asarray(image)
    if mode in ("LA", "PA"):
        return np.asarray(image)[..., 0]
    if mode in ("RGB", "RGBA"):  # 0x00RRGGBB in a byte order of Pillow's, so that nothing is copied twice
        order = "BGRX" if mode == "RGB" else "BGRA"
        array = np.frombuffer(bytearray(image.tobytes("raw", order)), "<u4").reshape(image.height, image.width)
        array &= np.uint32(0xFFFFFF)
        return array.astype(COLOURS, copy=False)
    raise ValueError(f"its mode {mode} holds no numbers")


def _stretch(raw: bytes) -> int:
    """What grey PNGs of 2 and 4 bits are multiplied by when they are opened as 8 bits: 0..3 comes as 0, 85, 170, 255."""
    depth = raw[24] if raw.startswith(PNG) else 8
    return {2: 85, 4: 17}.get(depth, 1)
