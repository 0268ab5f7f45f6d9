"""How long judging will take here and now: fits must end early enough for it, and a machine may be slow, or busy."""

import time

import numpy as np

SAMPLE = 2**18  # scores that are sorted to see; more would take longer than they tell
SORTS = 100  # what judging a row costs, in rows sorted, but for the bootstrap, which ends when its time is up: 75 with 1.7 million rows
PAGE = 6.0  # seconds for what is drawn after it


def judging(rows: int) -> float:
    """Seconds that one arm in one repetition takes, about: by the wall clock, so that whoever else computes here counts."""
    some = np.random.default_rng(0).random(min(rows, SAMPLE), dtype=np.float32)
    started = time.perf_counter()
    np.argsort(some)
    return SORTS * (time.perf_counter() - started) * rows / len(some)
