"""The example in scikit-learn: undone probabilities hold the share, and the tuned threshold decides no worse."""

import pytest


@pytest.fixture(scope="module")
def example(run):
    pytest.importorskip("sklearn")
    return run("in_scikit_learn")[1]


def test_undone_probabilities_hold_the_share(example):
    balanced, undone = (example.numbers("mean probability", nth=n) for n in (0, 1))
    assert balanced[1] > 8
    assert undone[1] == pytest.approx(1, abs=0.15)
    assert example.numbers("Brier", nth=1)[0] < example.numbers("Brier", nth=0)[0] / 5


def test_the_tuned_threshold_decides_no_worse(example):
    balanced, tuned = (float(example.line("balanced accuracy", nth=k).split()[-1]) for k in (0, 1))
    assert tuned > balanced - 0.005
