"""Warnings of other libraries, heard and kept from the terminal, in one of many threads."""

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_lock = threading.Lock()
_inside: dict[int, list[list[str]]] = {}  # by thread: the lists that take what is said
_outside: list[Any] = []


@contextmanager
def quiet() -> Iterator[list[str]]:
    """Warnings of this thread go into the list, as "Category: message", and nowhere else.

    warnings.catch_warnings changes the whole process: of two threads the first to leave would let the other's warnings out.
    """
    said: list[str] = []
    here = threading.get_ident()
    with _lock:
        if not _inside:
            saved = warnings.catch_warnings()
            saved.__enter__()
            _outside[:] = [saved, warnings.showwarning]
            warnings.simplefilter("always")
            warnings.showwarning = _route
        _inside.setdefault(here, []).append(said)
    try:
        yield said
    finally:
        with _lock:
            _inside[here].pop()
            if not _inside[here]:
                del _inside[here]
            if not _inside:
                _outside[0].__exit__(None, None, None)


def _route(message: Any, category: Any, filename: str, lineno: int, file: Any = None, line: Any = None) -> None:
    mine = _inside.get(threading.get_ident())
    if mine:
        mine[-1].append(f"{category.__name__}: {message}")
    else:
        _outside[1](message, category, filename, lineno, file, line)
