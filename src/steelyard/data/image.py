"""From the bytes of an image file to the numbers in it."""

import io
from pathlib import Path
from typing import Any

import numpy as np

COLOURS = np.dtype(np.uint32)  # what `decode` gives for colours, 0xRRGGBB; numbers never have this type


def decode(path: Path, raw: bytes) -> np.ndarray:
    """[H, W] (pages of a TIFF: [D, H, W]; NPY: any shape) integers: class or object numbers, palette indices, or colours.

    ValueError, naming the file, if it is damaged or holds no integers.
    """
    mask = _npy(path, raw) if raw.startswith(b"\x93NUMPY") else _image(path, raw)
    if mask.size == 0:
        raise ValueError(f"{path}: the mask has no pixels.")
    return mask


def _npy(path: Path, raw: bytes) -> np.ndarray:
    try:
        array = np.load(io.BytesIO(raw), allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise ValueError(f"{path}: this NPY file cannot be read ({_line(error)}).") from None
    if array.dtype.kind == "b":
        return array.astype(np.uint8)
    if array.dtype.kind == "f" and bool(np.all(array == np.floor(array))) and bool(np.all(np.abs(array) < 2**53)):
        return array.astype(np.int64)
    if array.dtype.kind not in "iu":
        raise ValueError(f"{path}: the array holds {array.dtype}, not the whole numbers of a mask.")
    return array.astype(np.int64) if array.dtype in (np.uint32, np.uint64) else array


def _image(path: Path, raw: bytes) -> np.ndarray:
    try:
        from PIL import Image, UnidentifiedImageError
    except ModuleNotFoundError:
        raise ImportError("reading masks needs Pillow: pip install 'steelyard[images]'.") from None
    try:
        with Image.open(io.BytesIO(raw)) as image:
            return _pages(image, raw)
    except UnidentifiedImageError:
        raise ValueError(f"{path}: this is no image that can be read; save masks as PNG, TIFF or NPY.") from None
    except Image.DecompressionBombError as error:
        raise ValueError(
            f"{path}: the image is too large to be opened safely ({_line(error)}); cut it into tiles."
        ) from None
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, TypeError) as error:
        raise ValueError(f"{path}: this image is damaged or not a mask ({_line(error)}).") from None


def _pages(image: Any, raw: bytes) -> np.ndarray:
    pages = getattr(image, "n_frames", 1)
    if pages == 1:
        return _numbers(image, raw)
    stack = []
    for page in range(pages):
        image.seek(page)
        stack.append(_numbers(image, raw))
    return np.stack(stack)


def _numbers(image: Any, raw: bytes) -> np.ndarray:
    mode = image.mode
    if mode in ("P", "L", "1"):
        array = np.asarray(image)
        stretch = _stretch(raw) if mode == "L" else 1
        return array.astype(np.uint8) if mode == "1" else array // stretch if stretch > 1 else array
    if mode.startswith("I;16"):
        return np.asarray(image).astype(np.uint16, copy=False)
    if mode == "I":
        return np.asarray(image).astype(np.int32, copy=False)
    if mode == "F":
        array = np.asarray(image)
        if bool(np.all(array == np.floor(array))) and bool(np.all(np.abs(array) < 2**24)):
            return array.astype(np.int32)
        raise ValueError("it holds fractions, not the whole numbers of a mask")
    if mode in ("LA", "PA"):
        return np.asarray(image)[..., 0]
    if mode in ("RGB", "RGBA"):
        array = np.asarray(image).astype(COLOURS)
        return (array[..., 0] << 16) | (array[..., 1] << 8) | array[..., 2]
    raise ValueError(f"its mode {mode} holds no numbers")


def _stretch(raw: bytes) -> int:
    """What grey PNGs of 2 and 4 bits are multiplied by when they are opened as 8 bits: 0..3 comes as 0, 85, 170, 255."""
    depth = raw[24] if raw.startswith(b"\x89PNG") else 8
    return {2: 85, 4: 17}.get(depth, 1)


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:160] or type(error).__name__
