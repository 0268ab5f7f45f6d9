"""What is left of a budget for judging."""

import itertools
import time

import numpy as np
import pytest

from steelyard.tuning import pace


def test_more_rows_take_longer_in_proportion_once_they_are_many(monkeypatch):
    clock = itertools.count()
    monkeypatch.setattr(time, "perf_counter", lambda: float(next(clock)))  # whatever is sorted takes a second
    assert pace.judging(100) == pace.judging(pace.SAMPLE) == pace.SORTS
    assert pace.judging(3 * pace.SAMPLE) == 3 * pace.SORTS


def test_a_slow_machine_is_given_more(monkeypatch):
    quick = min(pace.judging(50_000) for _ in range(5))
    sort = np.argsort

    def slow(values):
        time.sleep(0.1)
        return sort(values)

    monkeypatch.setattr(np, "argsort", slow)
    assert pace.judging(50_000) == pytest.approx(quick + 0.1 * pace.SORTS, rel=0.5)
