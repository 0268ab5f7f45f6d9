"""The curves of the report, counted by hand."""

import numpy as np
import pytest

from steelyard.tuning.pictures import sweep


@pytest.mark.parametrize("weighted", [False, True])
def test_the_sweep_counts_what_a_threshold_calls(weighted):
    rng = np.random.default_rng(0)
    y = (rng.random(500) < 0.1).astype(int)
    p = rng.random((3, 500))
    w = rng.exponential(size=500) if weighted else np.ones(500)
    swept = sweep(p, y, (0.3,), w)["thresholds"]
    for i in range(0, len(swept["threshold"]), 20):
        called = p >= swept["threshold"][i]
        assert swept["tp"][i] == pytest.approx(np.sum(w * (called & (y == 1))) / 3)
        assert swept["fp"][i] == pytest.approx(np.sum(w * (called & (y == 0))) / 3)
        assert swept["tp"][i] + swept["fn"][i] == pytest.approx(np.sum(w * (y == 1)))
        assert swept["fp"][i] + swept["tn"][i] == pytest.approx(np.sum(w * (y == 0)))
