"""Maps on disk, found by the content of their mask: no path and no date enters, so a changed mask is another mask.

A file is a .npy that says what it was made of: after the numbers, where readers of .npy look no more, a note and a checksum.

    .npy | note, JSON | length of the note, 8 bytes | BLAKE2b of all before, 16 bytes

Whoever finds it knows without any list beside it whether it is whole and still what is wanted.
"""

import hashlib
import io
import json
import warnings
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from .. import marks
from ..files import make_folder, write_bytes_atomically
from .images import Mask, as_array, as_given
from .map import Map

ALGORITHM = 1  # raise it where a map gives other numbers than before: what was kept is then made anew
LENGTH, DIGEST = marks.NOTE, marks.DIGEST


def key(map: Map, mask: np.ndarray, *more: Any) -> str:
    """A name for what `map` makes of `mask`: 40 hexadecimal digits of its labels and their shape, the map with all its options,
    and the version of the numbers. Equal labels have one name, be they read as uint16 from a PNG or as int64 in training."""
    labels = _narrow(mask)
    about = json.dumps([ALGORITHM, map.name, map.options, labels.dtype.str, labels.shape, *more], sort_keys=True)
    state = hashlib.blake2b(about.encode() + b"\n", digest_size=20)
    state.update(labels.tobytes() if labels.size == 0 else labels.data)
    return state.hexdigest()


def _narrow(mask: np.ndarray) -> np.ndarray:
    """The labels in the smallest of four little-endian types that holds them: less to read, and one form for all."""
    low, high = (int(mask.min()), int(mask.max())) if mask.size else (0, 0)
    holds = (t for t in ("<u1", "<u2", "<i4") if np.iinfo(t).min <= low and high <= np.iinfo(t).max)
    return np.ascontiguousarray(mask, next(holds, "<i8"))


class Cache:
    """A folder of maps; `weights` makes what it does not hold.

    Any number of processes may use one folder: files appear whole or not at all, two that write the same write the same numbers, and
    a damaged file is made anew. It grows until it is deleted; `len(cache)` and `cache.nbytes` say how far. Where it cannot be written
    to, one warning says so and maps are made each time.

    folder  made if it is missing; what has the name of a map in it is taken for one, and links are not written through
    """

    def __init__(self, folder: str | PathLike[str]):
        make_folder(Path(folder).expanduser())
        self.folder = Path(folder).expanduser().resolve()

    def weights(self, map: Map, mask: Mask) -> Mask:
        """map(mask), of one image, from the disk if it is there."""
        array = as_array(map.name, mask)
        name = key(map, array)
        weights = self.get(name)
        if weights is None or weights.shape != array.shape:
            weights = map(array)
            self.put(name, weights)
        return as_given(weights, mask)

    def get(self, name: str) -> np.ndarray | None:
        held = unsealed(self._path(name))
        return None if held is None or held[1].get("key") != name else held[0]

    def put(self, name: str, array: np.ndarray) -> None:
        path = self._path(name)
        try:
            make_folder(path.parent, below=self.folder)
            write_bytes_atomically(
                path, sealed(array, {"key": name}), marks.MAP, overwrite=True
            )  # nobody else has such names
        except OSError as error:
            warnings.warn(f"steelyard: the cache of maps keeps nothing more: {error}", stacklevel=3)

    @property
    def nbytes(self) -> int:
        return sum(path.stat().st_size for path in self._files())

    def __len__(self) -> int:
        return len(self._files())

    def __bool__(self) -> bool:
        return True  # an empty one is a cache, too

    def __repr__(self) -> str:
        return f"Cache({str(self.folder)!r}: {len(self):,} maps, {self.nbytes / 1e6:,.1f} MB)"

    def _path(self, name: str) -> Path:
        return self.folder / name[:2] / f"{name}.npy"

    def _files(self) -> list[Path]:
        return list(self.folder.glob("[0-9a-f][0-9a-f]/[0-9a-f]*.npy"))


def sealed(array: np.ndarray, note: dict[str, Any]) -> bytes:
    """The bytes of the file; `np.load` reads them as any other .npy."""
    file = io.BytesIO()
    np.lib.format.write_array(file, np.ascontiguousarray(array), allow_pickle=False)
    written = json.dumps(note, sort_keys=True).encode()
    file.write(written + len(written).to_bytes(LENGTH, "little"))
    return file.getvalue() + _digest(file.getbuffer())


def unsealed(path: Path) -> tuple[np.ndarray, dict[str, Any]] | None:
    """(the array, its note); None if there is no such file, if it is damaged, or was written by something else."""
    try:
        content = memoryview(path.read_bytes())
    except OSError:  # none there, or none that can be read
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
