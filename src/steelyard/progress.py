"""How far a long call of the library is: the one bar that `progress=True` shows, on stderr. Silent unless asked.

In a terminal rich draws it, in a notebook tqdm where it is installed. It counts what is really there to do: a total that grows grows, and
one that nobody knows is left open.
"""

import importlib.util
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

PATIENCE = 0.5  # seconds before a bar shows: most is done by then

Tell = Callable[..., None]  # tell(done) or tell(done, total)


@contextmanager
def bar(what: str, total: float | None, *, shown: bool, unit: str = "bytes") -> Iterator[Tell]:
    """A function that is told how much is done by now, and the total where that changed. Shows nothing if not `shown`, or if all is done
    at once. ImportError, in a sentence, where neither rich nor tqdm is installed."""
    if not shown:
        yield lambda done, total=None: None
        return
    rich, tqdm = (importlib.util.find_spec(name) is not None for name in ("rich", "tqdm"))
    if not (rich or tqdm):
        raise ImportError(f'progress=True: the bar of "{what}" needs rich or tqdm: pip install "steelyard[cli]".')
    with (_tqdm if tqdm and (in_notebook() or not rich) else _rich)(what, total, unit) as tell:
        yield tell


def counted(items: Iterable[Any], what: str, unit: str, *, shown: bool, total: int | None = None) -> Iterator[Any]:
    """The items, with a bar of how many went by; `total` where the items do not know."""
    total = len(items) if total is None and hasattr(items, "__len__") else total  # type: ignore[arg-type]
    with bar(what, total, shown=shown, unit=unit) as tell:
        for number, item in enumerate(items, 1):
            yield item
            tell(number)


def in_notebook() -> bool:
    """Whether this runs in the kernel of a notebook: where it does, IPython is there already."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return type(shell).__name__ == "ZMQInteractiveShell"


@contextmanager
def _rich(what: str, total: float | None, unit: str) -> Iterator[Tell]:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (DownloadColumn(),) if unit == "bytes" else (MofNCompleteColumn(), TextColumn(unit))
    text = TextColumn("{task.description}", markup=False)
    screen = Console(stderr=True)
    drawn = Progress(text, BarColumn(), *columns, TimeRemainingColumn(), console=screen, transient=True)
    task = drawn.add_task(what, total=total)
    start, running = time.monotonic(), False

    def tell(done: float, total: float | None = None) -> None:
        nonlocal running
        if not running and time.monotonic() - start > PATIENCE:
            running = True
            drawn.start()
        drawn.update(task, completed=done, total=total)  # None leaves the total as it is

    try:
        yield tell
    finally:
        if running:
            drawn.stop()


@contextmanager
def _tqdm(what: str, total: float | None, unit: str) -> Iterator[Tell]:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a notebook lacks its widgets; it writes text then
        from tqdm.auto import tqdm

        size: dict[str, Any] = {"unit": "B", "unit_scale": True} if unit == "bytes" else {"unit": f" {unit}"}
        drawn = tqdm(desc=what, total=total, leave=False, delay=max(PATIENCE, 0), file=sys.stderr, **size)

    def tell(done: float, total: float | None = None) -> None:
        if total is not None:
            drawn.total = total
        drawn.update(done - drawn.n)

    try:
        yield tell
    finally:
        drawn.close()
