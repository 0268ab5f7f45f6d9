"""Levels that a model does not tell apart are told with their rows, and before the verdict where they are most of them."""

from collections import Counter

import numpy as np
import pandas as pd
import pytest

from steelyard import tune
from steelyard.tuning.data.features import LEVELS, RARE, read
from steelyard.tuning.data.levels import merged
from steelyard.tuning.data.problem import as_table

RNG = np.random.default_rng(0)


def features(codes):
    return read(
        as_table(pd.DataFrame({"zip": codes, "x": RNG.normal(size=len(codes)), "y": np.arange(len(codes)) % 2})), "y"
    )


@pytest.mark.parametrize("levels", [30, 70, 900])
@pytest.mark.parametrize(("most", "rare"), [(LEVELS, RARE), (254, 1)])
def test_the_numbers_are_those_that_counting_gives(levels, most, rare):
    codes = np.array([f"z{i}" for i in (RNG.pareto(1, 3000) * 5).astype(int) % levels])
    ranked = Counter(codes.tolist()).most_common()
    lost = [n for place, (_, n) in enumerate(ranked) if place >= most or n < rare]
    merges = merged(features(codes).columns, most, rare)
    if len(lost) < 2:
        assert not merges
    else:
        assert (merges[0].levels, merges[0].rows) == (len(lost), sum(lost))
        assert (merges[0].of_levels, merges[0].of_rows) == (len(ranked), len(codes))


def test_an_encoder_merges_at_least_what_is_told():
    codes = np.array([f"z{i}" for i in (RNG.pareto(1, 3000) * 5).astype(int) % 300])
    found = features(codes)
    encode = found.encode(np.arange(0, 3000, 2))
    at = encode.names.index("zip = other")
    assert encode(np.arange(3000))[:, at].sum() >= 0.9 * merged(found.columns, LEVELS, RARE)[0].rows


def test_a_single_rare_level_has_its_column():
    assert not merged(features(np.array(["a"] * 60 + ["b"] * 3)).columns, LEVELS, RARE)


def test_many_levels_stand_before_the_verdict_of_a_model_that_merges_them_and_of_no_other():
    codes = np.array([f"z{i % 200}" for i in range(1200)])
    found = features(codes)
    notes, first = found.limits("scaled")
    assert notes[0].startswith("column 'zip': 200 of 200 levels, in 1,200 of 1,200 rows, are one: 'z0', ")
    assert "--model boosting" in notes[0]
    assert first[0].startswith("most levels of zip (")
    assert found.limits("raw") == ((), ())
    table = pd.DataFrame({"zip": codes, "x": RNG.normal(size=1200), "y": np.arange(1200) % 2})
    study = tune(table, label="y", repeats=1, bootstrap=100)
    assert study.verdict.sentence.startswith("Not used: most levels of zip (200 of 200 levels")
    assert notes[0] in study.notes
