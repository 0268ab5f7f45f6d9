"""A bar on stderr while data is read."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

PATIENCE = 0.5  # seconds before a bar shows: most data is counted by then


@contextmanager
def bar(what: str, total: float | None, *, shown: bool, unit: str = "bytes") -> Iterator[Callable[[float], None]]:
    """A function that is told how much is done by now. Shows nothing if not `shown`, or if all is done at once."""
    if not shown:
        yield lambda done: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (DownloadColumn(),) if unit == "bytes" else (MofNCompleteColumn(), TextColumn(unit))
    console = Console(stderr=True)
    text = TextColumn("{task.description}", markup=False)
    progress = Progress(text, BarColumn(), *columns, TimeRemainingColumn(), console=console, transient=True)
    task = progress.add_task(what, total=total)
    start, running = time.monotonic(), False

    def tell(done: float) -> None:
        nonlocal running
        if not running and time.monotonic() - start > PATIENCE:
            running = True
            progress.start()
        progress.update(task, completed=done)

    try:
        yield tell
    finally:
        if running:
            progress.stop()


def counted(items: Iterable[Any], what: str, unit: str, *, shown: bool, total: int | None = None) -> Iterator[Any]:
    """The items, with a bar of how many went by; `total` where the items do not know."""
    total = len(items) if total is None and hasattr(items, "__len__") else total  # type: ignore[arg-type]
    with bar(what, total, shown=shown, unit=unit) as tell:
        for number, item in enumerate(items, 1):
            yield item
            tell(number)
