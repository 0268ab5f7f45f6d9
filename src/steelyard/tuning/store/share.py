"""The fits of a study, each made once, by however many processes are at it."""

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator, Sequence

from .fits import Arrays, Key, Part, Store

Todo = tuple[Part, tuple[Key, ...]]
Fit = Callable[[Todo], dict[Key, Arrays]]
Execute = Callable[[Fit, Iterable[Todo], Callable[[], bool]], Iterator[tuple[Todo, dict[Key, Arrays]]]]

PAUSE = 0.5  # seconds, while everything that is left is being fitted by other processes


def share(
    store: Store,
    wanted: Sequence[Todo],
    fit: Fit,
    execute: Execute,
    stop: Callable[[], bool],
    room: Callable[[float], bool] = lambda seconds: True,
) -> Iterator[tuple[Part, dict[Key, Arrays], bool]]:
    """Every wanted fit, stored ones first: (part, its fits or some of them, whether they were made here and now).

    wanted    what is fitted, claimed and saved together: (part, keys)
    fit       called with what nobody has fitted; by `execute`, maybe in another process
    execute   see engine.py
    stop      once it says True no further fit is started; those under way are saved and handed out
    room      asked before a todo is started whether the seconds that it will take, by those before it, are there; after a False
              `stop` says True

    A todo is claimed when a core is free for it, and saved in one transaction before it is handed out. What another
    process has claimed is waited for, and fitted here if that process dies.
    """
    left = [todo for todo in wanted if todo[1]]
    pace = _Pace()
    while left:
        came = 0
        lacking: list[Todo] = []
        for part, keys in left:
            if fits := store.load(part, keys):
                came += 1
                yield part, fits, False
            if rest := tuple(key for key in keys if key not in fits):
                lacking.append((part, rest))
        claimed: list[Todo] = []
        done: set[Todo] = set()
        try:
            for todo, fits in execute(fit, _claims(store, lacking, claimed, stop, room, pace), stop):
                came += 1
                pace.ended(todo)
                store.save(todo[0], fits)
                claimed.remove(todo)
                done.add(todo)
                yield todo[0], fits, True
        finally:
            for part, keys in claimed:
                with contextlib.suppress(ValueError):  # the storage is away: claims end with the process
                    store.release(part, keys)
        if stop():
            return
        left = [todo for todo in lacking if todo not in done]
        if left and not came:
            time.sleep(PAUSE)


class _Pace:
    """Seconds of one fit, by the last todo that ended."""

    def __init__(self) -> None:
        self.began: dict[Todo, float] = {}
        self.one = 0.0

    def ended(self, todo: Todo) -> None:
        self.one = (time.monotonic() - self.began.pop(todo)) / len(todo[1])


def _claims(
    store: Store,
    wanted: Sequence[Todo],
    claimed: list[Todo],
    stop: Callable[[], bool],
    room: Callable[[float], bool],
    pace: _Pace,
) -> Iterator[Todo]:
    """What nobody else is at, claimed at the moment when it is asked for."""
    for todo in wanted:
        if stop() or not room(pace.one * len(todo[1])):
            return
        if store.claim(*todo):
            claimed.append(todo)
            pace.began[todo] = time.monotonic()
            yield todo
