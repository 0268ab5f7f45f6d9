"""Label maps of volumes: NIfTI-1 and -2 (.nii, .nii.gz) and NRRD (.nrrd), read by their headers, without another package.

Sources: nifti.nimh.nih.gov (nifti1.h, nifti2.h), teem.sourceforge.net/nrrd/format.html.
"""

import bz2
import gzip
import io
import math
import re
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .limits import refuse_beyond

GZIP, NRRD = b"\x1f\x8b", b"NRRD000"
NIFTI = {2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 256: "i1", 512: "u2", 768: "u4", 1024: "i8", 1280: "u8"}
TYPES = {
    "signed char": "i1", "int8": "i1", "int8_t": "i1", "uchar": "u1", "unsigned char": "u1", "uint8": "u1", "uint8_t": "u1",
    "short": "i2", "short int": "i2", "signed short": "i2", "int16": "i2", "int16_t": "i2",
    "ushort": "u2", "unsigned short": "u2", "uint16": "u2", "uint16_t": "u2",
    "int": "i4", "signed int": "i4", "int32": "i4", "int32_t": "i4", "uint": "u4", "unsigned int": "u4", "uint32": "u4", "uint32_t": "u4",
    "longlong": "i8", "long long": "i8", "int64": "i8", "int64_t": "i8", "ulonglong": "u8", "unsigned long long": "u8", "uint64": "u8",
    "uint64_t": "u8", "float": "f4", "double": "f8",
}  # fmt: skip
HEAD, LINES = 540, 1 << 16  # bytes of the longest header of NIfTI, and of NRRD
PIECE = 1 << 22  # voxels
LARGEST = 2.0**53  # of a scaled label
ROUNDING = 1e-3  # of a scaled label from the whole number it stands for


@dataclass(frozen=True)
class Volume:
    """array    in the order of the file, as nibabel and pynrrd give it: [x, y, z]
    spacing  between neighbouring voxels along each axis"""

    array: np.ndarray
    spacing: tuple[float, ...]


def volume(path: Path, raw: bytes) -> Volume | None:
    """None if the bytes are neither. ValueError, naming the file, if they are damaged or hold no labels."""
    try:
        if raw.startswith(NRRD):
            return _nrrd(path, raw)
        packed = raw.startswith(GZIP)
        head = gzip.GzipFile(fileobj=io.BytesIO(raw)).read(HEAD) if packed else raw
        order = _nifti_order(head)
        return None if order is None else _nifti(path, raw, head, order, packed=packed)
    except (EOFError, zlib.error, gzip.BadGzipFile, struct.error, OverflowError, KeyError, OSError) as error:
        raise ValueError(f"{path}: this volume is damaged or was cut off ({error}).") from None
    except ValueError as error:
        if str(error).startswith(str(path)):
            raise
        raise ValueError(f"{path}: this volume is damaged: {error}.") from None


def _nifti_order(raw: bytes) -> str | None:
    sizes = {order: struct.unpack_from(order + "i", raw)[0] for order in "<>"} if len(raw) >= 348 else {}
    order = next((order for order, size in sizes.items() if size in (348, 540)), None)
    magic = raw[344:348] if order and sizes[order] == 348 else raw[4:8]
    return order if order and magic[:3] in (b"n+1", b"ni1", b"n+2", b"ni2") else None


def _nifti(path: Path, file: bytes, raw: bytes, order: str, *, packed: bool) -> Volume:
    """From the bytes of the `file`, and those of its header."""
    if struct.unpack_from(order + "i", raw)[0] == 348:
        dims = struct.unpack_from(order + "8h", raw, 40)
        (kind,) = struct.unpack_from(order + "h", raw, 70)
        steps = struct.unpack_from(order + "8f", raw, 76)
        start, slope, inter = struct.unpack_from(order + "3f", raw, 108)
        pair = raw[344:347] == b"ni1"
    else:
        (kind,) = struct.unpack_from(order + "h", raw, 12)
        dims = struct.unpack_from(order + "8q", raw, 16)
        steps = struct.unpack_from(order + "8d", raw, 104)
        start, slope, inter = struct.unpack_from(order + "q2d", raw, 168)
        pair = raw[4:7] == b"ni2"
    if pair:
        raise ValueError(f"{path}: this is the header of a pair (.hdr and .img); save it as one .nii.gz.")
    if kind not in NIFTI:
        raise ValueError(f"{path}: its voxels are of type {kind}, which are no labels; save whole numbers.")
    if not 1 <= dims[0] <= 7 or any(n < 1 for n in dims[1 : dims[0] + 1]):
        raise ValueError(f"{path}: this volume is damaged: its shape is {list(dims[1:])}.")
    shape = list(dims[1 : dims[0] + 1])
    while len(shape) > 3 and shape[-1] == 1:
        shape.pop()
    if len(shape) > 3:
        raise ValueError(
            f"{path}: it has {len(shape)} axes, {shape}; a label map has three. Several images or channels? Save the one with the labels."
        )
    many, at = math.prod(shape), int(start)
    if at < 0:
        raise ValueError(f"{path}: this volume is damaged: its voxels start at {at}.")
    needed = _affordable(path, shape, NIFTI[kind], len(file))
    if packed:
        raw = gzip.GzipFile(fileobj=io.BytesIO(file)).read(at + needed + 1)  # one more: the checksum stands at the end
    _enough(path, len(raw) - at, needed)
    array = np.frombuffer(raw, order + NIFTI[kind], count=many, offset=at)
    if math.isfinite(slope) and slope != 0 and (slope, inter) != (1.0, 0.0):
        array = _scaled(path, array, float(slope), float(inter))
    spacing = tuple(float(f"{abs(s):.7g}") or 1.0 for s in steps[1 : len(shape) + 1])  # 0.7 of float32 is 0.699999988
    return Volume(array.astype(array.dtype.newbyteorder("="), copy=False).reshape(shape, order="F"), spacing)


def _scaled(path: Path, array: np.ndarray, slope: float, inter: float) -> np.ndarray:
    """The whole numbers that scaled voxels stand for, piece by piece, in the smallest type that holds them."""
    ends = np.array([array.min(), array.max()], np.float64) * slope + inter
    if not bool(np.all(np.abs(ends) < LARGEST)):
        raise ValueError(
            f"{path}: its voxels are scaled by {slope:g} and {inter:g} to numbers as large as {np.abs(ends).max():g}, too large for a"
            " class or an object; renumber them."
        )
    kinds = [k for k in (np.int8, np.int16, np.int32, np.int64) if np.abs(np.rint(ends)).max() <= np.iinfo(k).max]
    whole = np.empty(array.shape, kinds[0])
    for start in range(0, len(array), PIECE):
        scaled = array[start : start + PIECE] * slope + inter
        rounded = np.rint(scaled)
        if not bool(np.all(np.abs(scaled - rounded) <= ROUNDING)):
            raise ValueError(
                f"{path}: its voxels are scaled by {slope:g} and {inter:g} to fractions, so they are an image, not labels."
            )
        whole[start : start + PIECE] = rounded
    return whole


def _nrrd(path: Path, raw: bytes) -> Volume:
    end = re.search(rb"\r?\n\r?\n", raw[:LINES])
    lines = raw[: end.start() if end else LINES].decode("utf-8", "replace").splitlines()[1:]
    fields = {}
    for line in lines:
        if not line.startswith("#"):
            name, _, value = line.partition(":")
            fields.setdefault(name.strip().lower(), value.lstrip("=").strip())
    if end is None or "data file" in fields or "datafile" in fields:
        raise ValueError(f"{path}: its voxels are in another file; save it as one .nrrd.")
    kind, encoding = fields["type"].lower(), fields["encoding"].lower()
    if kind not in TYPES:
        raise ValueError(f"{path}: its voxels are of type {kind!r}, which are no labels; save whole numbers.")
    shape = [int(n) for n in fields["sizes"].split()]
    directions = re.findall(r"none|\([^)]*\)", fields.get("space directions", ""))
    if len(shape) > 3 or "none" in directions:
        raise ValueError(
            f"{path}: it has several layers or channels, {shape}; segments that overlap cannot be counted as one class for each voxel."
            " Export it as one label map of three axes."
        )
    if any(fields.get(skip, "0") not in ("0", "") for skip in ("line skip", "lineskip", "byte skip", "byteskip")):
        raise ValueError(f"{path}: its header skips part of the file; save it again without.")
    needed = _affordable(path, shape, TYPES[kind], len(raw))
    body = raw[end.end() : end.end() + needed] if encoding == "raw" else raw[end.end() :]
    if encoding in ("gzip", "gz"):
        body = gzip.GzipFile(fileobj=io.BytesIO(body)).read(needed + 1)
    elif encoding in ("bzip2", "bz2"):
        body = bz2.BZ2File(io.BytesIO(body)).read(needed + 1)
    elif encoding != "raw":
        raise ValueError(f"{path}: its encoding {encoding!r} is not read; save it as raw or gzip.")
    order = ">" if fields.get("endian", "little").lower() == "big" else "<"
    _enough(path, len(body), needed)
    array = np.frombuffer(body, order + TYPES[kind], count=math.prod(shape))
    if directions:
        spacing = tuple(math.hypot(*(float(v) for v in d.strip("()").split(","))) or 1.0 for d in directions)
    else:
        spacing = tuple(float(s) for s in fields.get("spacings", "").split()) or (1.0,) * len(shape)
    return Volume(array.astype(array.dtype.newbyteorder("="), copy=False).reshape(shape, order="F"), spacing)


def _affordable(path: Path, shape: list[int], kind: str, size: int) -> int:
    """The bytes of the voxels. ValueError where there are none, or more than a file of `size` bytes may unfold to."""
    if not shape or min(shape) < 1:
        raise ValueError(f"{path}: this volume is damaged: its shape is {shape}.")
    needed = math.prod(shape) * int(kind[1:])
    what = f"a volume of {' x '.join(f'{n:,}' for n in shape)} voxels"
    refuse_beyond(path, needed, size, what, "save it without compression, or cut it")
    return needed


def _enough(path: Path, there: int, needed: int) -> None:
    if there < needed:
        raise ValueError(f"{path}: this volume was cut off: {max(0, there):,} bytes of voxels, {needed:,} are needed.")
