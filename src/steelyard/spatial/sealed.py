"""An array as a .npy file that says what it was made of: after the numbers, where readers of .npy look no more, a note and a checksum.

    .npy | note, JSON | length of the note, 8 bytes | BLAKE2b of all before, 16 bytes

Whoever finds the file knows without any list beside it whether it is whole and still what is wanted.
"""

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np

LENGTH, DIGEST = 8, 16


def sealed(array: np.ndarray, note: dict[str, Any]) -> bytes:
    """The bytes of the file; `np.load` reads them as any other .npy."""
    file = io.BytesIO()
    np.lib.format.write_array(file, np.ascontiguousarray(array), allow_pickle=False)
    told = json.dumps(note, sort_keys=True).encode()
    file.write(told + len(told).to_bytes(LENGTH, "little"))
    return file.getvalue() + _digest(file.getbuffer())


def unsealed(path: Path) -> tuple[np.ndarray, dict[str, Any]] | None:
    """(the array, its note); None if there is no such file, if it is damaged, or was written by something else."""
    try:
        content = memoryview(path.read_bytes())
    except (FileNotFoundError, IsADirectoryError):
        return None
    body, digest = content[:-DIGEST], content[-DIGEST:]
    if len(body) < LENGTH or _digest(body) != digest:
        return None
    end = len(body) - LENGTH
    start = end - int.from_bytes(body[end:], "little")
    try:
        array = np.lib.format.read_array(io.BytesIO(body[:start]), allow_pickle=False)
        return array, json.loads(bytes(body[start:end]))
    except (ValueError, EOFError):
        return None


def _digest(body: Any) -> bytes:
    return hashlib.blake2b(body, digest_size=DIGEST).digest()
