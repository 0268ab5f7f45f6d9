"""Where the maps of masks go: each to a place of its own, and none where the next run would take it for a mask."""

import dataclasses
import fnmatch
import glob
import itertools
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from .. import marks
from ..files import folded

Twin = Callable[[Path], str]  # two paths are one file where this is the same


@dataclasses.dataclass(frozen=True)
class Task:
    mask: Path
    out: Path

    @property
    def picture(self) -> Path:
        return self.out.with_suffix(".png")


def tasks(masks: str, files: Sequence[Path], out: Path, cache: Path | None = None) -> list[Task]:
    """Where the map of each mask goes: the same path below `out`, as .npy.

    ValueError where two masks would have one map, or where a map, its picture or one in `cache` could be taken for a mask.
    """
    folder = Path(masks).expanduser()
    root = folder if folder.is_dir() else Path(os.path.commonpath([f.absolute().parent for f in files]))
    _check_apart("out", out, folder, files)
    outputs: dict[str, Task] = {}
    twin = _twin(out)
    for file in files:
        task = Task(file, out / Path(os.path.relpath(file, root)).with_suffix(".npy"))
        other = outputs.setdefault(twin(task.out), task)
        if other is not task:
            raise ValueError(f"maps: {other.mask} and {file} would both become {task.out}; rename one of them.")
    todo = list(outputs.values())
    _check_pattern("out", out, masks, (path for task in todo for path in (task.out, task.picture)))
    if cache is not None:
        if folder.is_dir() and folder.resolve() in (where := cache.expanduser().resolve(), *where.parents):
            raise ValueError(_among("cache", cache))
        _check_pattern("cache", cache, masks, [cache.expanduser() / "00" / f"{40 * '0'}.npy"])
    return todo


def targets(todo: Sequence[Task], preview: bool) -> Iterator[tuple[Path, marks.Mark]]:
    """What will be written for each mask, and the mark it carries."""
    for task in todo:
        yield task.out, marks.MAP
        if preview:
            yield task.picture, marks.PICTURE


def _check_apart(option: str, place: Path, folder: Path, files: Sequence[Path]) -> None:
    where = place.resolve()
    taken = [folder.resolve() / "any"] if folder.is_dir() else [f.resolve() for f in files]
    if any(where in f.parents for f in taken) or (folder.is_dir() and folder.resolve() in where.parents):
        raise ValueError(_among(option, place))


def _check_pattern(option: str, place: Path, masks: str, outputs: "Iterator[Path] | list[Path]") -> None:
    """What a glob would match next time, though it is in none of the folders of the masks."""
    pattern = Path(masks).expanduser()
    if pattern.exists() or not glob.has_magic(masks):
        return
    parts = _parts(pattern)
    if any(_matches(_parts(path), parts) for path in outputs):
        raise ValueError(_among(option, place))


def _among(option: str, place: Path) -> str:
    return (
        f"maps: --{option} {place} lies among the masks, and the next run would take maps for masks;"
        " choose another folder."
    )


def _parts(path: Path) -> tuple[str, ...]:
    return Path(os.path.abspath(path)).parts


def _matches(path: tuple[str, ...], pattern: tuple[str, ...]) -> bool:
    """Whether a glob matches a path, both in parts; `**` stands for any number of folders."""
    if not pattern:
        return not path
    if pattern[0] == "**":
        return any(_matches(path[i:], pattern[1:]) for i in range(len(path) + 1))
    return bool(path) and fnmatch.fnmatch(path[0], pattern[0]) and _matches(path[1:], pattern[1:])


def _twin(out: Path) -> Twin:
    return (lambda path: folded(path)) if folds_case(out) else str


def folds_case(folder: Path) -> bool:
    """Whether the disk of a folder, which need not exist yet, takes `a` and `A` for one name."""
    there = next(p for p in (folder.absolute(), *folder.absolute().parents) if p.exists())
    inside = there.iterdir() if there.is_dir() else ()
    named = next((p for p in itertools.chain(inside, [there], there.parents) if p.name != p.name.swapcase()), None)
    if named is None:
        return False
    other = named.with_name(named.name.swapcase())
    return other.exists() and other.samefile(named)
