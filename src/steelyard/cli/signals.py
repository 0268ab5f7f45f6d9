"""Ctrl-C, and the SIGTERM that Slurm, Kubernetes and systemd send: the first ends a command in good order, the second at once.

Exit codes are the shell's: 128 + the number of the signal.
"""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM)
CODES = {"interrupted": 128 + signal.SIGINT, "terminated": 128 + signal.SIGTERM}  # by why a study stopped
NOTE = b"\nstopping: what is done will be reported; once more ends at once; the same command goes on later\n"
CURSOR = b"\x1b[?25h"  # a progress bar hides it


class _Ending:
    """What a signal does. `patient`: a study hears it, too, and ends by itself."""

    def __init__(self) -> None:
        self.heard = self.patient = False

    def __call__(self, number: int, frame: Any) -> None:
        if self.heard:
            if sys.stderr is not None and sys.stderr.isatty():
                os.write(2, CURSOR)
            os._exit(128 + number)
        self.heard = True
        if self.patient:
            os.write(2, NOTE)
        elif number == signal.SIGINT:
            raise KeyboardInterrupt
        else:
            raise SystemExit(128 + number)


_ending = _Ending()


def heard() -> bool:
    """Whether a signal asked the command to end."""
    return _ending.heard


@contextmanager
def handled() -> Iterator[None]:
    """Signals of the main thread, the only one that hears any, go to the commands inside."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _ending.__init__()
    before = {number: signal.signal(number, _ending) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def patient() -> Iterator[None]:
    """Inside, a study hears the first signal and comes to its end."""
    _ending.patient = True
    try:
        yield
    finally:
        _ending.patient = False
