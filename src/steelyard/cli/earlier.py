"""The answer that lies in a folder already: of the same table it is replaced, of another one it is kept."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..files import saved_text
from ..schema import Many, Number, Record, Text, checked, parsed, record

if TYPE_CHECKING:
    from ..tuning.data.problem import Problem

ANSWER = Record(
    {
        "data": record(
            {"path": Text(), "label": Text()},
            {"digest": record({}, {"labels": Text()}), "classes": Many(Text()), "counts": Many(Number())},
        )
    }
)


def check_answer(out: Path, task: "Problem") -> None:
    """ValueError where report.json in the folder is the answer of other rows or another label: both are named.

    A file that cannot be read as a report says nothing, and whoever writes there decides.
    """
    try:
        data = checked("report", parsed(saved_text(out / "report.json")), ANSWER, "")["data"]
        name, label = data["path"], data["label"]
        digest = (data.get("digest") or {}).get("labels")
        # a report from before there were digests is known by its classes
        same = digest == task.labels_digest()[:32] if digest else _rows(data) == _counted(task)
    except (OSError, ValueError):
        return
    if label != task.label or not same:
        raise ValueError(
            f"tune: {out / 'report.json'} is the answer of other data: {name}, column {label!r}, is there, and {task.path}, column"
            f" {task.label!r}, is here. Give another folder (--out); --fresh replaces the answer and deletes the finished fits."
        )


def _rows(data: dict[str, Any]) -> dict[str, float]:
    return dict(zip(data.get("classes") or (), data.get("counts") or (), strict=True))


def _counted(task: "Problem") -> dict[str, float]:
    return dict(zip(task.counts.classes, task.counts.per_class.tolist(), strict=True))
