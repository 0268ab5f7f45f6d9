"""What is done thread by thread: one fit per core where it is large enough, products on one thread, and the warnings of each."""

import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

import torch
from threadpoolctl import threadpool_limits

from .. import cluster

Item = TypeVar("Item")
Result = TypeVar("Result")


_most: ContextVar[int | None] = ContextVar("_most", default=None)


def cores() -> int:
    """Threads that are worth it here: those that this process may use, or fewer inside `at_most`."""
    most = _most.get()
    return cluster.cores() if most is None else min(most, cluster.cores())


@contextmanager
def at_most(width: int | None) -> Iterator[None]:
    """No more than `width` threads at a time inside; None sets no limit."""
    before = _most.set(width)
    try:
        yield
    finally:
        _most.reset(before)


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


_lock = threading.Lock()
_inside: dict[int, list[list[str]]] = {}  # by thread: the lists that take what is said
_outside: list[Any] = []


@contextmanager
def own_warnings() -> Iterator[list[str]]:
    """Warnings of other libraries in this thread go into the list, as "Category: message", and nowhere else.

    warnings.catch_warnings changes the whole process: of two threads the first to leave would let the other's warnings out.
    """
    heard: list[str] = []
    here = threading.get_ident()
    with _lock:
        if not _inside:
            saved = warnings.catch_warnings()
            saved.__enter__()
            _outside[:] = [saved, warnings.showwarning]
            warnings.simplefilter("always")
            warnings.showwarning = _route
        _inside.setdefault(here, []).append(heard)
    try:
        yield heard
    finally:
        with _lock:
            _inside[here].pop()
            if not _inside[here]:
                del _inside[here]
            if not _inside:
                _outside[0].__exit__(None, None, None)


def _route(message: Any, category: Any, filename: str, lineno: int, file: Any = None, line: Any = None) -> None:
    lists = _inside.get(threading.get_ident())
    if lists:
        lists[-1].append(f"{category.__name__}: {message}")
    else:
        _outside[1](message, category, filename, lineno, file, line)
