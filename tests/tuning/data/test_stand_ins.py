"""Numbers that stand for missing are named, with the way out; numbers that are numbers are not."""

import numpy as np
import pandas as pd
import pytest

import steelyard as sy
from steelyard.tuning.data.columns import Number
from steelyard.tuning.data.problem import problem
from steelyard.tuning.data.stand_ins import apart, stand_ins

from .test_checks import clean

RNG = np.random.default_rng(3)
NORMAL = np.round(RNG.normal(size=400), 3)
AGES = np.round(RNG.uniform(18, 90, 400))
ANSWERS = RNG.integers(0, 11, 400).astype(float)
SCALE = RNG.integers(1, 6, 400).astype(float)
COUNTS = RNG.poisson(4, 400).astype(float)
PRESSURES = np.round(RNG.normal(72, 11, 400)).clip(40)


def with_codes(values: np.ndarray, *codes: float, each: int = 12) -> np.ndarray:
    out = values.copy()
    for i, code in enumerate(codes):
        out[i * each : (i + 1) * each] = code
    return out


@pytest.mark.parametrize(
    ("values", "codes"),
    [
        (NORMAL, [-999]),
        (NORMAL, [999]),
        (NORMAL, [-9999, 9999]),
        (NORMAL, [99]),
        (AGES, [999]),
        (ANSWERS, [97, 98, 99]),
        (ANSWERS, [77, 88, 99]),
        (ANSWERS, [-9]),
        (SCALE, [9]),
        (SCALE, [-9, -8]),
        (COUNTS, [-1]),
        (COUNTS, [2.0**31 - 1]),
        (COUNTS, [-(2.0**15)]),
        (NORMAL, [1000]),  # no code's look, but three times as far as anything is wide, and whole, and again and again
        (PRESSURES, [0]),
    ],
)
def test_a_code_for_missing_is_found(values, codes):
    assert apart(with_codes(values, *codes)) == sorted(codes)


@pytest.mark.parametrize(
    "values",
    [
        NORMAL,
        AGES,
        ANSWERS,
        SCALE,
        COUNTS,
        PRESSURES,
        with_codes(COUNTS, 0, each=300),  # most customers have none
        with_codes(np.round(np.exp(NORMAL + 6)), 0),  # amounts near enough to none
        with_codes(NORMAL, -1.0),
        with_codes(SCALE, 7),  # children of few families
        with_codes(AGES, 99),  # oldest
        with_codes(NORMAL, 12.5),  # measured, and no code
        with_codes(NORMAL, 999, each=2),  # two outliers
        RNG.choice([-1.0, 0.0, 1.0], 400),
        RNG.choice([1.0, 10.0, 100.0, 1000.0], 400),
        RNG.pareto(1, 400),
        np.round(RNG.pareto(1, 400)),
        RNG.choice([19.0, 29.0, 39.0, 49.0, 59.0, 69.0, 99.0], 400),
    ],
    ids=range(18),
)
def test_numbers_that_are_numbers_are_not(values):
    assert apart(values) == []


def test_the_other_end_hides_nothing():
    assert apart(with_codes(NORMAL, -99, 9999)) == [-99, 9999]
    assert apart(with_codes(NORMAL, -9999, 99)) == [-9999, 99]


def test_clean_tables_are_not_suspected():
    for seed in range(60):
        table = clean(seed)
        if table["label"].value_counts().min() >= 8:
            assert problem(table, "label").warnings == (), seed


def said(*columns: Number, labels: tuple[str, ...] = ("no", "yes")) -> dict[str, str]:
    return dict(stand_ins(columns, labels))


def test_the_way_out_is_one_that_hurts_nothing_else():
    odd = Number("income", with_codes(AGES, 999, each=20))
    alone = said(odd, Number("x", NORMAL))
    assert list(alone) == ["income"]
    assert "999 in 20 of 400 rows" in alone["income"]
    assert "--missing=999" in alone["income"]
    assert "missing=[999]" in alone["income"]
    for others, labels in (
        ([Number("price", np.r_[np.linspace(0, 2000, 399), 999.0])], ("no", "yes")),
        ([], ("0", "999")),
    ):
        there = said(odd, *others, labels=labels)["income"]
        assert "--missing" not in there
        assert "leave those cells empty" in there
    both = said(odd, Number("wage", with_codes(AGES, 999)))
    assert all("--missing=999" in sentence for sentence in both.values())  # in both it is missing


def test_dates_are_said_as_dates():
    days = np.datetime64("2023-01-01", "s").astype(float) + 86400 * np.arange(400.0)
    days[:9] = np.datetime64("9999-12-31", "s").astype(float)
    told = said(Number("closed", days, dated=True))["closed"]
    assert "9999-12-31 in 9 of 400 rows" in told
    assert "leave those cells empty" in told


@pytest.mark.parametrize("how", ["frame", "matrix"])
def test_a_study_says_it_and_its_way_out_is_taken(how):
    rng = np.random.default_rng(0)
    x = np.round(rng.normal(size=(300, 2)), 3)
    y = (x.sum(axis=1) + rng.normal(size=300) > 1.5).astype(int)
    x[rng.random(300) < 0.1, 0] = -999
    quick = {"repeats": 1, "folds": 3, "bootstrap": 100, "recipes": [sy.inverse_frequency], "baselines": False}
    given = [pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "y": y})] if how == "frame" else [x, y]
    quick |= {"label": "y"} if how == "frame" else {}
    with pytest.warns(sy.ReadingWarning, match="-999"):
        study = sy.tune(*given, **quick)
    assert [w for w in study.warnings if "-999" in w and "missing=[-999]" in w]
    again = sy.tune(*given, missing=[-999], **quick)
    assert not [w for w in again.warnings if "-999" in w]
