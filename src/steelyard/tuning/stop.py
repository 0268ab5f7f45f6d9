"""When to stop before everything is done: a budget of time, Ctrl-C, or SIGTERM, which schedulers send."""

import math
import re
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..heard import SIGNALS, as_before, listening

ANSWER, LONGEST = 0.3, 90.0  # share of a budget, and seconds, that statistics and page may take
STATISTICS = 0.6  # share of that for statistics
PATIENCE = 5.0  # seconds of statistics after a signal: who sent it waits, and a scheduler kills half a minute later
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class Unfinished(ValueError):
    """Stopped before there was anything to report; what was finished is in the store. `why` as in `Stop`."""

    def __init__(self, message: str, why: str):
        super().__init__(message)
        self.why = why


class Stop:
    """Asked between fits: `stop()` is True when no more should be started, and `why` says for what reason.

    budget  seconds from now, or None; `ANSWER` of them are left for what comes after the fits, at most `LONGEST` seconds
    """

    def __init__(self, budget: float | None = None):
        after = 0.0 if budget is None else min(ANSWER * budget, LONGEST)
        self.until = None if budget is None else time.monotonic() + budget - after
        self.answer_until = None if self.until is None else self.until + STATISTICS * after
        self.end = None if budget is None else time.monotonic() + budget
        self.signal: str | None = None

    def __call__(self) -> bool:
        return self.why is not None

    @property
    def why(self) -> str | None:
        """interrupted (Ctrl-C), terminated (SIGTERM), budget, or None."""
        if self.signal:
            return self.signal
        return "budget" if self.until is not None and time.monotonic() >= self.until else None

    def hurry(self) -> bool:
        """Whether statistics should come to their end: their part of the budget is spent, or whoever sent a signal waits."""
        return self.answer_until is not None and time.monotonic() >= self.answer_until

    def needs(self, seconds: float) -> None:
        """What comes after the fits will take so long at least: they end early enough for that."""
        if self.until is not None and self.end is not None:
            self.until = min(self.until, self.end - seconds)

    def room(self, seconds: float) -> bool:
        """Whether something may be started that is expected to take so long; if not, the time counts as spent."""
        if self.until is None or time.monotonic() + seconds <= self.until:
            return True
        self.until = min(self.until, time.monotonic())
        return False

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Ctrl-C and SIGTERM ask to stop; a second one does what it always does. A handler that the program has of its own is
        called each time. Only the main thread hears signals."""

        def hear(number: int, frame: Any, before: Any) -> None:
            first, self.signal = self.signal is None, self.signal or SIGNALS[number]
            if first:
                self.answer_until = min(self.answer_until or math.inf, time.monotonic() + PATIENCE)
            if not first or (callable(before) and before is not signal.default_int_handler):
                as_before(number, frame, before)

        with listening(hear):
            yield


def seconds(text: str) -> float:
    """'90', '90s', '10m', '1h30m' -> seconds. ValueError for anything else and for nothing."""
    parts = re.findall(r"(\d+(?:\.\d+)?)\s*([smhd]?)", text.strip().lower())
    whole = "".join(n + u for n, u in parts)
    if not parts or whole != re.sub(r"\s", "", text.lower()) or any(not u for _, u in parts[:-1]):
        raise ValueError(f"tune: the budget must be a time such as 90s, 10m or 1h30m, got {text!r}.")
    total = sum(float(n) * UNITS[u or "s"] for n, u in parts)
    if total <= 0:
        raise ValueError(f"tune: the budget must be more than no time, got {text!r}.")
    return total
