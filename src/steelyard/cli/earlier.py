"""The answer that lies in a folder already: of the same table it is replaced, of another one it is kept."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..tuning.data.problem import Problem


def check_answer(out: Path, task: "Problem") -> None:
    """ValueError where report.json in the folder is the answer of other rows or another label: both are named.

    A file that cannot be read as a report says nothing, and whoever writes there decides.
    """
    try:
        data = json.loads((out / "report.json").read_text(encoding="utf-8"))["data"]
        there = data["label"], data["digest"]["labels"]
        name = data["path"]
    except (OSError, ValueError, KeyError, TypeError):
        return
    if there != (task.label, task.labels_digest()[:32]):
        raise ValueError(
            f"tune: {out / 'report.json'} is the answer of other data: {name}, column {there[0]!r}, is there, and {task.path}, column"
            f" {task.label!r}, is here. Give another folder (--out); --fresh replaces the answer and deletes the finished fits."
        )
