"""Engines: where fits run, one per core of this machine or as Ray tasks."""

import functools
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any, TypeVar

from .. import cluster
from .store.share import Execute
from .threads import cores, single

Item = TypeVar("Item")
Result = TypeVar("Result")


def named(engine: str) -> Execute:
    if engine not in ("local", "ray"):
        raise ValueError(f"tune: engine must be local or ray, got {engine!r}.")
    return local if engine == "local" else ray


def local(
    function: Callable[[Item], Result], items: Iterable[Item], stop: Callable[[], bool]
) -> Iterator[tuple[Item, Result]]:
    """(item, function(item)) as they finish, on as many threads as this process may use cores.

    An item is taken only when a core is free for it. Once `stop` says True no more are started; those under way are
    finished and handed out. An error in one of them is raised here, after the others have ended.
    """
    left, running = iter(items), dict[Future[Result], Item]()
    with ThreadPoolExecutor(cores()) as pool:
        while True:
            while len(running) < cores() and not stop():
                try:
                    item = next(left)
                except StopIteration:
                    break
                running[pool.submit(function, item)] = item
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                yield running.pop(future), future.result()


def ray(
    function: Callable[[Item], Result], items: Iterable[Item], stop: Callable[[], bool]
) -> Iterator[tuple[Item, Result]]:
    """`local` on a cluster: (item, function(item)) as they finish, on one thread each. See `cluster.ray`."""
    try:
        yield from cluster.ray(functools.partial(_alone, function), items, stop, command="tune", one="a fit")
    except cluster.Lost as error:
        raise ValueError(f"{error} Finished fits are kept; the same command goes on.") from None


def _alone(function: Callable[[Any], Any], item: Any) -> Any:
    with single():
        return function(item)
