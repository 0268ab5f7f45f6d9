"""How long judging will take here and now: fits must end early enough for it, and a machine may be slow, or busy."""

import time

import numpy as np

SAMPLE = 2**18  # scores that are sorted to see; more would take longer than they tell
SORTS = 250  # what judging a row costs, in rows sorted: measured 150 to 300, from 20,000 to 600,000 rows
PAGE = 6.0  # seconds for what is drawn after it


def judging(rows: int) -> float:
    """Seconds that one arm in one repetition takes, about: by the wall clock, so that whoever else computes here counts."""
    some = np.random.default_rng(0).random(min(rows, SAMPLE), dtype=np.float32)
    started = time.perf_counter()
    np.argsort(some)
    return SORTS * (time.perf_counter() - started) * rows / len(some)
