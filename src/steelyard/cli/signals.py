"""Ctrl-C, and the SIGTERM that Slurm, Kubernetes and systemd send: the first ends a command in good order, the second at once.

Exit codes are the shell's: 128 + the number of the signal.
"""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..heard import SIGNALS, listening

CODES = {why: 128 + number for number, why in SIGNALS.items()}  # by why a study stopped
NOTE = b"\nstopping: what is done will be reported; once more ends at once; the same command goes on later\n"
CURSOR = b"\x1b[?25h"  # a progress bar hides it


class _Ending:
    """What a signal does. `patient`: a study hears it, too, and ends by itself."""

    def __init__(self) -> None:
        self.heard = self.patient = False

    def __call__(self, number: int, frame: Any, before: Any) -> None:
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
    _ending.__init__()
    with listening(_ending):
        yield


@contextmanager
def patient() -> Iterator[None]:
    """Inside, a study hears the first signal and comes to its end."""
    _ending.patient = True
    try:
        yield
    finally:
        _ending.patient = False
