"""Masks in files to maps in files. Every map tells in its file what it was made of (spatial/cache.py), so a later run knows what is
missing or changed without any list."""

import dataclasses
import functools
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from .. import marks
from ..files import make_folder, write_bytes_atomically
from .map_places import Task

if TYPE_CHECKING:
    import numpy as np

    from ..spatial import Cache, Map
    from ..spatial.regions import Sums

Found = TypeVar("Found")
Put = Callable[[Path, bytes, marks.Mark], None]
EACH, FLOOR = 64, 900_000_000  # bytes that a map takes for each pixel while it is made, and that any file's may take
SUMS = 12  # numbers that a map tells of its mask; those of before it told of touching objects are added up anew
Watch = Callable[[Sequence[Task], str], Iterable[Task]]  # goes through the tasks and shows how far it is


@dataclasses.dataclass(frozen=True)
class Making:
    """map      as asked for; `final` knows its w0 where that is one for all
    made, kept  how many maps were written, and how many were already there"""

    final: "Map"
    sums: list["Sums"]
    made: int
    kept: int


def make(
    todo: Sequence[Task],
    map: "Map",
    out: Path,
    *,
    over_set: bool,
    near: float,
    cache: "Cache | None",
    preview: bool,
    watch: Watch,
    overwrite: bool = False,
    memory: int = FLOOR,
) -> Making:
    """Write the maps that are missing below `out`. `over_set`: first go through all masks for the one w0 that gives the share.
    `memory`: bytes that the map of any file may take, however small the file."""
    put = functools.partial(_put, out, overwrite)
    from ..spatial.share import Mass, solve

    final, known = map, []
    if over_set:
        total = Mass()
        for task in watch(todo, "measuring"):
            known.append(_sums(task, map, near, memory))
            total += known[-1].mass
        final = map.replace(w0=solve(map.name, total, map.options["share"]), share=None)
    found, made = [], 0
    for i, task in enumerate(watch(todo, "making maps")):
        sums, new = _one(task, final, near, cache, preview, known[i] if over_set else None, put, memory)
        found.append(sums)
        made += new
    return Making(final, found, made, len(todo) - made)


def _sums(task: Task, map: "Map", near: float, memory: int) -> "Sums":
    from ..spatial.cache import unsealed
    from ..spatial.regions import sums

    mask, map = _read(task, memory), _spaced(task, map)
    return _told(unsealed(task.out), _sums_key(map, mask, near)) or _named(task, lambda: sums(map.parts(mask), near))


def _one(
    task: Task,
    map: "Map",
    near: float,
    cache: "Cache | None",
    preview: bool,
    known: "Sums | None",
    put: Put,
    memory: int,
) -> tuple["Sums", bool]:
    """(its sums, whether the map had to be written)."""
    from ..spatial.cache import key, sealed, unsealed
    from ..spatial.regions import sums

    mask, map = _read(task, memory), _spaced(task, map)
    name, sums_key = key(map, mask), _sums_key(map, mask, near)
    there = unsealed(task.out)
    parts = functools.cache(lambda: _named(task, lambda: map.parts(mask)))
    known_sums = known or _told(there, sums_key) or sums(parts(), near)
    weights = there[0] if there is not None and there[1].get("key") == name else None
    new = weights is None
    if weights is None:
        found = None if cache is None else cache.get(name)
        weights = found if found is not None else _named(task, lambda: map.weigh(parts()))
        if cache is not None and found is None:
            cache.put(name, weights)
        note = {"key": name, "sums_key": sums_key, "sums": known_sums.to_list()}
        put(task.out, sealed(weights, note), marks.MAP)
    if preview:
        _preview(task.picture, name, weights, mask, put)
    return known_sums, new


def _told(there: "tuple[np.ndarray, dict[str, Any]] | None", sums_key: str) -> "Sums | None":
    """What the map that is there says about its mask, if it is the same mask; w0 may be another."""
    from ..spatial.regions import Sums

    if there is None or there[1].get("sums_key") != sums_key or len(there[1]["sums"]) != SUMS:
        return None
    return Sums.from_list(there[1]["sums"])


def _sums_key(map: "Map", mask: "np.ndarray", near: float) -> str:
    from ..spatial.cache import key

    return key(map.replace(w0=1.0, share=None), mask, near)


def _put(out: Path, overwrite: bool, path: Path, content: bytes, mark: marks.Mark) -> None:
    make_folder(path.parent, below=out)
    write_bytes_atomically(path, content, mark, overwrite=overwrite)


def _preview(path: Path, name: str, weights: "np.ndarray", mask: "np.ndarray", put: Put) -> None:
    from ..spatial.preview import made_of, picture

    if made_of(path) != name:
        put(path, picture(weights, mask, name), marks.PICTURE)


def _read(task: Task, memory: int) -> "np.ndarray":
    """ValueError for a mask whose map would take far more memory than its file lets expect, as of a few bytes that unpack to much."""
    from ..data.limits import refuse_beyond
    from ..data.masks import read_mask

    mask = read_mask(task.mask)
    what = f"a map of {mask.size:,} pixels"
    do = "cut it into tiles, save the mask unpacked (NPY, .nii), or allow more with --memory 4GB"
    refuse_beyond(task.mask, EACH * mask.size, task.mask.stat().st_size, what, do, floor=memory)
    return mask


def _spaced(task: Task, map: "Map") -> "Map":
    """The map with the spacing that the file of a volume tells, unless one was asked for."""
    from ..data.masks import read_spacing

    spacing = read_spacing(task.mask) if map.options.get("spacing", "none") is None else None
    return map if spacing is None else map.replace(spacing=spacing)


def _named(task: Task, compute: Callable[[], Found]) -> Found:
    """An error about a mask names its file."""
    try:
        return compute()
    except ValueError as error:
        raise ValueError(f"{task.mask}: {error}") from None
