"""What a terminal shows while a study runs: how far the fits are, what is left of them, and what is done after them."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from . import signals

STOPPING = "stopping, reporting what is done"


class Pace:
    """How long the fits that are left will take, from those made so far; fits that were there already took no time."""

    def __init__(self, now: Callable[[], float] = time.monotonic):
        self.now, self.first, self.done, self.total = now, (now(), -1), 0, 0

    def update(self, done: int, total: int) -> None:
        if self.first[1] < 0 or not self.done:
            self.first = self.now(), done
        self.done, self.total = done, total

    @property
    def left(self) -> float | None:
        """Seconds, or None before anything was made."""
        since, there = self.first
        made, took = self.done - there, self.now() - since
        return took / made * (self.total - self.done) if made > 0 and took > 0 else None

    def __str__(self) -> str:
        left = self.left
        if left is None:
            return "time left: not known yet"
        minutes, seconds = divmod(round(left), 60)
        hours, minutes = divmod(minutes, 60)
        return f"about {f'{hours}:{minutes:02}' if hours else minutes}:{seconds:02} left"


class Bar:
    """`fits(done, total)` and `stage(what)`, for `tune`; silent where stderr is no terminal."""

    def __init__(self, shown: Any, task: Any):
        self.shown, self.task, self.pace, self.name = shown, task, Pace(), "fitting"

    def fits(self, done: int, total: int) -> None:
        self.pace.update(done, total)
        self.shown.update(self.task, completed=done, total=total)

    def stage(self, name: str) -> None:
        self.name = name
        if name != "fitting":
            self.shown.update(self.task, total=None)

    def says(self) -> str:
        """In front of the bar."""
        return f"{STOPPING} ({self.name})" if signals.heard() else self.name

    def left(self) -> str:
        """Behind it."""
        return str(self.pace) if self.name == "fitting" and not signals.heard() else ""


@contextmanager
def bar(stage: str = "fitting") -> Iterator[Bar]:
    """On stderr, gone when it ends."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TimeElapsedColumn
    from rich.text import Text

    class Saying(ProgressColumn):
        """Asked whenever the line is drawn, so that a signal shows at once."""

        def __init__(self, text: Callable[[], str]):
            super().__init__()
            self.text = text

        def render(self, task: Any) -> Text:
            return Text(self.text())

    made: list[Bar] = []
    columns = (
        Saying(lambda: made[0].says() if made else stage),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        Saying(lambda: made[0].left() if made else ""),
    )
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty(), transient=True) as shown:
        made.append(Bar(shown, shown.add_task(stage, total=None)))
        made[0].stage(stage)
        yield made[0]
