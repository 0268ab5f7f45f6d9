"""Decisions at the verdict's cut, and cuts for other costs, against a count by hand."""

import itertools

import numpy as np
import pytest

import steelyard as sy
from steelyard.tuning.at_cut import RATIOS


@pytest.fixture(scope="module")
def study():
    rng = np.random.default_rng(0)
    y = (rng.random(600) < 0.12).astype(int)
    X = rng.normal(size=(600, 2)) + 1.2 * y[:, None]
    return sy.tune(X, y, repeats=2, folds=3, bootstrap=100, metric="average_precision")


def test_what_the_cut_decides_is_judged_by_every_metric_of_decisions(study):
    plain = study.arms[0]
    assert set(plain.at_cut) == {"balanced_accuracy", "mcc"}
    at = study.to_dict()["arms"][0]["at_cut"]
    assert at == plain.at_cut
    # balanced accuracy's own cut lies elsewhere (costs alike for both classes), and there it is larger
    assert plain.at_cut["balanced_accuracy"] < plain.metrics["balanced_accuracy"]["value"]


def test_dearer_misses_ask_for_lower_cuts_and_find_more(study):
    rows = study.priced
    assert tuple(one.miss for one in rows) == RATIOS
    assert all(a.threshold >= b.threshold and a.found <= b.found for a, b in itertools.pairwise(rows))
    n = int((study.problem.y == 1).sum())
    assert all(one.found + one.missed == pytest.approx(n) for one in rows)
    kept = study.to_dict()["curves"][study.final.arm]["thresholds"]["threshold"]
    assert {one.threshold for one in rows} <= set(kept)  # so that the page's slider can stop there


def test_named_costs_need_no_table():
    rng = np.random.default_rng(1)
    y = (rng.random(300) < 0.2).astype(int)
    X = rng.normal(size=(300, 1)) + y[:, None]
    assert sy.tune(X, y, repeats=1, folds=3, bootstrap=100, cost_fn=20).priced == ()
