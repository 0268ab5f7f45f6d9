"""Files are written whole or not at all; JSON is read with a word on what is wrong."""

import json
import os
import secrets
from pathlib import Path
from typing import Any


def write_text_atomically(path: str | os.PathLike[str], text: str) -> Path:
    """Write UTF-8 text to a temporary file in the same folder, then put it in place of `path` in one step.

    Whoever reads `path` sees the old text or the new one, never a part. OSError, naming the folder, if it cannot be
    written; then nothing is left behind.
    """
    return write_bytes_atomically(path, text.encode("utf-8"))


def write_bytes_atomically(path: str | os.PathLike[str], content: bytes) -> Path:
    """The same for bytes."""
    path = Path(path)
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder; give the name of a file in it.")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"cannot write {path.name}: there is no folder {path.parent}; create it first.")
    if path.exists() and not path.is_file():  # a pipe or /dev/stdout cannot be replaced
        path.write_bytes(content)
        return path
    path = path.resolve()  # a link keeps pointing where it points
    temporary = path.with_name(f".{path.name[:100]}.{secrets.token_hex(4)}.tmp")
    try:
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        why = error.strerror or str(error)
        raise type(error)(f"cannot write {path.name} into {path.parent}: {why}; choose another folder.") from None
    finally:
        temporary.unlink(missing_ok=True)
    return path


def saved_json(what: str, text: str, form: str) -> dict[str, Any]:
    """The JSON object in `text`. ValueError if it is none, or not of the format that `what` ("Counts", "Recipe") is saved in."""
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"{what}: not JSON ({error}).") from None
    if not isinstance(data, dict) or data.get("format") != form:
        raise ValueError(f"{what}: this JSON is not {form}; save one with {what.lower()}.save(path).")
    return data
