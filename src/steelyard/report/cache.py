"""What is slow to make and the same every time, kept in the user's cache folder: the script of a page, and pictures as they were drawn.

A text is kept under a digest of everything that it was made of, with a digest of itself in front. What cannot be read, is not whole,
or may have been written by somebody else is as if it were not there; where nothing can be kept, nothing is, and nobody is told:
only time is lost. $STEELYARD_CACHE names another folder; empty, it keeps nothing.
"""

import contextlib
import hashlib
import json
import os
import secrets
import stat
import sys
import time
from pathlib import Path
from typing import Any

MOST = 64 << 20  # bytes; the oldest go first
STALE = 3600.0  # seconds after which a temporary file is what a killed process left
ENDING, BEING = ".txt", ".tmp"


def key(**made_of: Any) -> str:
    """The name for a text that is made of this plain data."""
    return hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()


def found(name: str) -> str | None:
    """The text that was kept under this name."""
    place = folder()
    if place is None or not _own(place):
        return None
    path = place / (name + ENDING)
    try:
        digest, _, text = path.read_bytes().partition(b"\n")
        if digest.decode() != hashlib.sha256(text).hexdigest():
            return None
        with contextlib.suppress(OSError):
            os.utime(path)  # what is used stays
        return text.decode()
    except (OSError, ValueError):
        return None


def keep(name: str, text: str) -> None:
    """Keep it for the next time, whole or not at all."""
    place, content = folder(), text.encode()
    if place is None or len(content) > MOST:
        return
    temporary = place / f"{secrets.token_hex(8)}{BEING}"
    with contextlib.suppress(OSError):
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not _own(place):
            return
        try:
            temporary.write_bytes(hashlib.sha256(content).hexdigest().encode() + b"\n" + content)
            temporary.replace(place / (name + ENDING))
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
        _sweep(place)


def folder() -> Path | None:
    """Where it is kept; None: nowhere."""
    if (named := os.getenv("STEELYARD_CACHE")) is not None:
        return Path(named) if os.path.isabs(named) else None
    if sys.platform == "win32":
        base = os.getenv("LOCALAPPDATA", "")
    elif os.path.isabs(base := os.getenv("XDG_CACHE_HOME", "")):
        pass
    else:
        base = os.path.join(os.path.expanduser("~"), "Library/Caches" if sys.platform == "darwin" else ".cache")
    return Path(base) / "steelyard" if os.path.isabs(base) else None


def _own(place: Path) -> bool:
    """Whether nobody else can write there: a page runs the script that it finds."""
    try:
        there = place.lstat()
    except OSError:
        return False
    if not stat.S_ISDIR(there.st_mode):
        return False
    return not hasattr(os, "getuid") or (there.st_uid == os.getuid() and not there.st_mode & 0o022)


def _sweep(place: Path) -> None:
    """Drop the oldest beyond MOST, and what killed processes left."""
    now, kept = time.time(), []
    for path in place.iterdir():
        with contextlib.suppress(OSError):
            there = path.lstat()
            if path.suffix == ENDING:
                kept.append((there.st_mtime, there.st_size, path))
            elif path.suffix == BEING and now - there.st_mtime > STALE:
                path.unlink()
    held = sum(size for _, size, _ in kept)
    for _, size, path in sorted(kept):
        if held <= MOST:
            break
        with contextlib.suppress(OSError):
            path.unlink()
            held -= size
