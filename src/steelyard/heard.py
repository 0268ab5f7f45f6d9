"""Ctrl-C and SIGTERM while something listens, and only in the process that does: what is forked from it hears them as before."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

SIGNALS: dict[int, str] = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}  # and what they make of a study

_befores: list[dict[int, Any]] = []  # the handlers that come back, of whoever listens, the innermost last
_masks = threading.local()  # what a thread that forks had blocked before


@contextmanager
def listening(heard: Callable[[int, Any, Any], None]) -> Iterator[None]:
    """Inside, signals go to `heard(number, frame, before)`, with the handler that was there before; then that comes back.

    Only the main thread hears signals; any other one is let alone. A forked child has the handlers of before: a pool, or a loader of
    data, ends its workers by SIGTERM, and waits for them.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    here = os.getpid()

    def hear(number: int, frame: Any) -> None:
        heard(number, frame, before[number])

    before = {number: signal.signal(number, hear) for number in SIGNALS}
    _befores.append(before)
    try:
        yield
    finally:
        if os.getpid() == here:
            _befores.pop()
            _restore(before)


def as_before(number: int, frame: Any, before: Any) -> None:
    """What the signal does with this handler."""
    if callable(before):
        before(number, frame)
    elif before is signal.SIG_DFL:
        signal.signal(number, signal.SIG_DFL)
        signal.raise_signal(number)


def _restore(before: dict[int, Any]) -> None:
    for number, handler in before.items():
        signal.signal(number, handler)


def _before_fork() -> None:
    """A signal that met the child before it has its handlers back would be lost, and whoever sent it would wait for ever: it is held
    back until then."""
    _masks.held = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS) if _befores else None


def _after_fork() -> None:
    if _masks.held is not None:
        signal.pthread_sigmask(signal.SIG_SETMASK, _masks.held)


def _in_the_child() -> None:
    while _befores:
        _restore(_befores.pop())
    _after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_in_the_child)
