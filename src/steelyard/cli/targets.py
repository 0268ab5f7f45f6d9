"""What stands where a command would write, looked at before anything is computed."""

import glob
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .output import tell

if TYPE_CHECKING:
    from ..marks import Mark

Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Replace files that steelyard did not make, too; it names them first.")
]
NAMED = 20  # files that would be replaced


def check_out(command: str, out: Path | None, mark: "Mark", overwrite: bool, *sources: "str | Path") -> None:
    """`check_targets` for --out, which may not be what is read either."""
    if out is None:
        return
    source = next((source for source in sources if _is_read(out, mark, str(source))), None)
    if source is not None:
        raise ValueError(f"{command}: --out {out} would replace what is read from {source}; give another name.")
    check_targets(command, [(out, mark)], overwrite)


def check_targets(
    command: str, targets: "Sequence[tuple[Path, Mark]]", overwrite: bool, *, below: Path | None = None
) -> None:
    """Before anything is computed: ValueError where a file that is not ours would be replaced and `overwrite` does not allow it,
    else say on stderr which; ValueError in any case where one cannot be written."""
    from ..files import is_foreign, not_ours

    try:
        theirs = [(path, mark) for path, mark in targets if is_foreign(path, mark, below=below)]
    except OSError as error:
        raise ValueError(f"{command}: {error}") from None
    if not theirs:
        return
    names = ", ".join(str(path) for path, _ in theirs[:NAMED])
    names += f" and {len(theirs) - NAMED:,} more" if len(theirs) > NAMED else ""
    if overwrite:
        tell(f"overwrite: replaces {names}", stream=sys.stderr)
        return
    more = f", nor are {len(theirs) - 1:,} others of what it would write ({names})" if len(theirs) > 1 else ""
    raise ValueError(f"{command}: {not_ours(*theirs[0])}{more}; choose another --out, or replace with --overwrite.")


def _is_read(out: Path, mark: "Mark", source: str) -> bool:
    """Whether `out` is what is read: the file itself, by whatever name, or one that a folder or a glob may hold as data."""
    if not out.is_file():
        return False
    place = Path(source).expanduser()
    if place.exists():
        return place.samefile(out) or (
            place.is_dir() and place.resolve() in out.resolve().parents and _lacks(out, mark)
        )
    return any(
        os.path.samefile(found, out) for found in glob.iglob(str(place), recursive=True) if os.path.exists(found)
    )


def _lacks(path: Path, mark: "Mark") -> bool:
    with path.open("rb") as file:
        return not mark.on(file)


def check_folder(command: str, folder: Path) -> None:
    """ValueError, before anything is computed, unless files can be written into this folder or it can be made."""
    existing = next(p for p in (folder.absolute(), *folder.absolute().parents) if os.path.lexists(p))
    if not existing.is_dir():
        what = "a link to nothing" if existing.is_symlink() and not existing.exists() else "a file"
        raise ValueError(f"{command}: --out {folder}: {existing} is {what}, not a folder; choose another folder.")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise ValueError(f"{command}: --out {folder}: {existing} cannot be written to; choose another folder.")
    try:
        tempfile.TemporaryFile(dir=existing).close()
    except OSError as error:
        raise ValueError(f"{command}: --out {folder}: {existing} cannot be written to ({error.strerror}).") from None
