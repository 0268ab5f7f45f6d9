"""The one way to write a file: whole or not at all, through no link, and never over a file that is not ours unless that was allowed.

What else is said about reading: JSON comes with a word on what is wrong.
"""

import contextlib
import functools
import os
import secrets
import stat
import time
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from .marks import Mark
from .schema import Form, checked, parsed

T = TypeVar("T")
STALE = 3600.0  # seconds after which a temporary file is what a killed process left
ALLOW = "choose another name, or allow it: overwrite=True, on the command line --overwrite"


def write_text_atomically(path: str | os.PathLike[str], text: str, mark: Mark, *, overwrite: bool = False) -> Path:
    """Write UTF-8 text to a temporary file in the same folder, then put it in place of `path` in one step.

    mark       what `text` carries; a file with it, and an empty one, is replaced, any other only with `overwrite`

    Whoever reads `path` sees the old text or the new one, never a part; who holds another hard link to it keeps the old one. Its
    permissions stay. OSError, in one paragraph, if it is not to be replaced or cannot be written; then nothing is left behind.
    """
    return write_bytes_atomically(path, text.encode("utf-8"), mark, overwrite=overwrite)


def write_bytes_atomically(
    path: str | os.PathLike[str], content: bytes, mark: Mark, *, overwrite: bool = False
) -> Path:
    """The same for bytes."""
    path = Path(path)
    if is_foreign(path, mark) and not overwrite:
        raise FileExistsError(f"{not_ours(path, mark)}; {ALLOW}.")
    temporary = path.with_name(f".steelyard-{secrets.token_hex(8)}.tmp")  # short, and known as ours by its name
    try:
        _sweep(path.parent)
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if (there := _status(path)) is not None:
            with contextlib.suppress(OSError):  # some file systems have one mode for all
                temporary.chmod(stat.S_IMODE(there.st_mode) & 0o777)
        temporary.replace(path)
    except OSError as error:
        why = error.strerror or str(error)
        raise type(error)(f"cannot write {path.name} into {path.parent}: {why}; choose another folder.") from None
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
    return path


def remove_ours(path: Path, mark: Mark) -> bool:
    """Remove what an earlier run wrote and this one does not replace; whether it was there. What is not ours stays."""
    if not path.is_file() or is_foreign(path, mark) or path.stat().st_size == 0:
        return False
    path.unlink()
    return True


def is_foreign(path: Path, mark: Mark, *, below: Path | None = None) -> bool:
    """Whether there is a file at `path` that is not ours, so that only somebody who allows it may have it replaced.

    below  folders below this one are made when they are missing, and may not be links

    OSError for what is never replaced (a folder, a link, a pipe, a device, a read-only file), and where there is no folder to write
    to.
    """
    _check_parents(path, below)
    there = _status(path)
    if there is None:
        return False
    if stat.S_ISLNK(there.st_mode) and not _leads_to_a_device(path):
        raise FileExistsError(
            f"{path} is a symbolic link to {os.readlink(path)}, and nothing is written through links;"
            " give the name of the file itself, or another name."
        )
    if stat.S_ISDIR(there.st_mode):
        raise IsADirectoryError(f"{path} is a folder; give the name of a file in it.")
    if not stat.S_ISREG(there.st_mode):
        raise FileExistsError(f"{path} is a pipe or a device, not a file; give the name of a file, or none to print.")
    if not there.st_mode & 0o222:
        raise PermissionError(f"{path} is read-only; give another name, or make it writable.")
    if there.st_size == 0:
        return False
    try:
        with path.open("rb") as file:
            return not mark.on(file)
    except OSError:  # what cannot be read cannot be known
        return True


def not_ours(path: Path, mark: Mark) -> str:
    """The sentence about a file that `is_foreign` found, without its end."""
    return (
        f"{path} exists and is not {mark.what}" if mark.what else f"{path} exists and may hold what is not steelyard's"
    )


def make_folder(folder: Path, *, below: Path | None = None) -> None:
    """Make a folder, and those above it. Below `below` none may be a link. OSError, in one paragraph, where it cannot be made."""
    try:
        _check_links(folder, below)
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        if error.strerror is None:
            raise
        what = "a link to nothing" if folder.is_symlink() else "a file"
        raise NotADirectoryError(f"{folder} is {what}, not a folder; choose another folder.") from None
    except OSError as error:
        why = error.strerror or str(error)
        raise type(error)(f"cannot make the folder {folder}: {why}; choose another folder.") from None


def folded(path: Path) -> str:
    """What two names have in common that are one file on a disk that does not tell case or the forms of accents apart."""
    return unicodedata.normalize("NFC", str(path)).casefold()


def _check_parents(path: Path, below: Path | None) -> None:
    _check_links(path.parent, below)
    if below is not None and not os.path.lexists(path.parent):
        return
    if not os.path.isdir(path.parent):
        raise FileNotFoundError(f"cannot write {path.name}: there is no folder {path.parent}; create it first.")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise PermissionError(f"cannot write {path.name} into {path.parent}: no permission; choose another folder.")


def _check_links(folder: Path, below: Path | None) -> None:
    while below is not None and folder not in (below, folder.parent):
        if folder.is_symlink():
            raise FileExistsError(
                f"{folder} is a symbolic link, and nothing is written through links below {below};"
                " choose another folder."
            )
        folder = folder.parent


def _leads_to_a_device(link: Path) -> bool:
    """As /dev/stdout does: nobody should be told to remove that link."""
    return os.path.exists(link) and not (os.path.isfile(link) or os.path.isdir(link))


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise type(error)(f"cannot write {path.name[:100]}: {error.strerror}; give another name.") from None


@functools.cache
def _sweep(folder: Path) -> None:
    """Remove what killed processes left, once in a process and folder."""
    for left in folder.glob(".steelyard-*.tmp"):
        with contextlib.suppress(OSError):
            if left.lstat().st_mtime < time.time() - STALE:
                left.unlink()


def saved_json(what: str, text: str, form: str, schema: Form) -> dict[str, Any]:
    """The JSON object in `text`. ValueError if it is none, not of the format that `what` ("Counts", "Recipe") is saved in, or has a part
    that does not fit its schema."""
    do = f"save one with {what.lower()}.save(path)"
    try:
        data = parsed(text)
    except ValueError as error:
        raise ValueError(f"{what}: not JSON ({error}); {do}.") from None
    if not isinstance(data, dict) or data.get("format") != form:
        raise ValueError(f"{what}: this JSON is not {form}; {do}.")
    return checked(what, data, schema, do)


def loaded(path: str | os.PathLike[str], read: Callable[[str], T]) -> T:
    """What `read` makes of a file that was saved as JSON. OSError for what cannot be read, ValueError, naming the file, for the rest."""
    text = saved_text(path)
    try:
        return read(text)
    except ValueError as error:
        raise ValueError(f"{error} File: {path}.") from None


def saved_text(path: str | os.PathLike[str]) -> str:
    """The text of a file. OSError for what cannot be read, ValueError for a pipe, a device, and what is no text."""
    path = Path(path)
    if not stat.S_ISREG(path.stat().st_mode) and not path.is_dir():
        raise ValueError(
            f"{path}: this is a pipe or a device, and only files are read; write what it says into a file first."
        )
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: this is not JSON (byte {error.start:,} is not UTF-8); save it again.") from None
