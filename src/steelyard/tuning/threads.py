"""One thread per fit, one fit per core."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, as_completed, wait
from contextlib import contextmanager
from typing import TypeVar

import torch
from threadpoolctl import threadpool_limits

from ..cluster import cores

Item = TypeVar("Item")
Result = TypeVar("Result")


@contextmanager
def single() -> Iterator[None]:
    """Products run on one thread inside.

    They are small: several threads gain little on an idle machine, and on a busy one they wait for each other (measured
    on two cores at load 5: 272 s instead of 25 s for the study of 11,183 rows).
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            yield
    finally:
        torch.set_num_threads(before)


def spread(function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """function(item) for every item as they finish, on as many threads as this process may use cores."""
    with ThreadPoolExecutor(cores()) as pool:
        futures = [pool.submit(function, item) for item in items]
        try:
            for future in as_completed(futures):
                yield future.result()
        finally:  # an error or Ctrl-C in one of them: start no more
            pool.shutdown(wait=True, cancel_futures=True)


def in_order(function: Callable[[Item], Result], items: Sequence[Item], width: int) -> list[Result]:
    """[function(item) for item in items] on at most `width` threads, and no more than this process may use cores."""
    width = min(width, cores(), len(items))
    if width < 2:
        return [function(item) for item in items]
    with ThreadPoolExecutor(width) as pool:
        return list(pool.map(function, items))


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
