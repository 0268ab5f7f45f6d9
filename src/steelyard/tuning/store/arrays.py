"""Arrays as bytes that a database keeps: no pickle, and a checksum that notices a torn or edited one."""

import hashlib
import json
import math
from collections.abc import Mapping

import numpy as np

from ...schema import Many, Number, Row, Text, checked, parsed

MAGIC = b"steelyard fit 1\n"
DIGEST = 16
KINDS = "biuf"  # booleans, whole numbers, floating point numbers: nothing that would need pickle

TYPES = (
    "|b1",
    "|i1",
    "|u1",
    *(f"<{kind}{size}" for kind, sizes in (("i", "248"), ("u", "248"), ("f", "248")) for size in sizes),
    "<f16",
)
HEADER = Many(Row((Text(), Text(TYPES), Many(Number(0, 2**40, whole=True)))))  # name, type, shape


class Damaged(ValueError):
    """Bytes that are not what `pack` made."""


def pack(arrays: Mapping[str, np.ndarray]) -> bytes:
    """Magic, checksum, length of the header (4 bytes), header (JSON: names, types, shapes), numbers in little-endian
    order. ValueError for arrays of anything but booleans and numbers."""
    header, body = [], []
    for name, values in arrays.items():
        values = np.asarray(values)
        if values.dtype.kind not in KINDS:
            raise ValueError(f"tune: array {name!r} holds {values.dtype}; only booleans and numbers can be stored.")
        values = values.astype(values.dtype.newbyteorder("<"), copy=False)
        header.append([name, values.dtype.str, values.shape])
        body.append(values.tobytes())
    text = json.dumps(header, ensure_ascii=False).encode()
    payload = [len(text).to_bytes(4, "little"), text, *body]
    return b"".join([MAGIC, _digest(payload), *payload])


def unpack(data: bytes) -> dict[str, np.ndarray]:
    """What was packed, in the machine's byte order and writable. Damaged unless every byte is as it was."""
    if not isinstance(data, bytes):  # SQLite keeps whatever somebody writes into a column
        raise Damaged("it holds no bytes")
    start = len(MAGIC) + DIGEST
    payload = memoryview(data)[start:]
    if data[: len(MAGIC)] != MAGIC or data[len(MAGIC) : start] != _digest([payload]):
        raise Damaged("the checksum does not fit")
    length = int.from_bytes(payload[:4], "little")
    arrays, at = {}, 4 + length
    try:
        header = checked("fit", parsed(bytes(payload[4:at])), HEADER, "fit it again")
    except ValueError as error:  # somebody made a checksum for it
        raise Damaged(str(error)) from None
    for name, kind, shape in header:
        stored = np.dtype(kind)
        count = math.prod(shape)
        if count * stored.itemsize > len(payload) - at:
            raise Damaged("it has more numbers than bytes")
        values = np.frombuffer(payload, stored, count, at) if count else np.empty(0, stored)
        arrays[name] = values.reshape(shape).astype(stored.newbyteorder("="))
        at += count * stored.itemsize
    return arrays


def _digest(parts: list[bytes] | list[memoryview]) -> bytes:
    digest = hashlib.blake2b(digest_size=DIGEST)
    for part in parts:
        digest.update(part)
    return digest.digest()
