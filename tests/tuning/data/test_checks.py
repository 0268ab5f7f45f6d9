"""What is wrong with the data is named; what is not wrong is not. Files: tuning/data/duplicates.py."""

import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from steelyard.tuning.data.checks import warnings
from steelyard.tuning.data.problem import Problem, problem
from steelyard.tuning.validation.folds import split

MAMMOGRAPHY = Path(__file__).parents[3] / "examples/data/mammography_adbench.csv"


def clean(seed: int, rows: int | None = None) -> pd.DataFrame:
    """Numbers, rounded numbers, zeros, gaps, categories, flags and a label that depends on some of them."""
    rng = np.random.default_rng(seed)
    n = rows or int(rng.integers(150, 1500))
    hidden = rng.normal(size=(n, 3))
    table = pd.DataFrame(
        {
            "normal": hidden[:, 0] + rng.normal(size=n),
            "amount": np.round(np.exp(hidden[:, 1] + 4), 2),
            "age": np.clip(np.round(45 + 12 * rng.normal(size=n)), 18, 90),
            "count": rng.poisson(np.exp(hidden[:, 0] / 2)),
            "spent": np.where(rng.random(n) < 0.6, 0.0, np.round(np.exp(rng.normal(size=n) + 3), 2)),
            "gaps": np.where(rng.random(n) < 0.2, np.nan, hidden[:, 2]),
            "city": rng.choice([f"city {i}" for i in range(40)], n),
            "colour": rng.choice(["red", "green", "blue"], n),
            "flag": hidden[:, 1] > 0.5,
        }
    )
    if seed % 4 == 1:
        table = table[["age", "colour", "flag", "count"]]  # equal rows by nature
    if seed % 4 == 2:
        table = table[["city", "colour", "flag"]]
    odds = 1.5 * hidden[:, 0] - hidden[:, 1]
    if seed % 3:
        table["label"] = np.where(odds - rng.logistic(size=n) > rng.uniform(0, 3), "yes", "no")
    else:
        table["label"] = np.digitize(odds + rng.logistic(size=n), [-2, 1.5]).astype(str)
    return table


def read(table: pd.DataFrame, label: str = "label") -> Problem:
    return problem(table, label)


def said(table: pd.DataFrame, **more) -> list[str]:
    task = read(table)
    return warnings(task, split(task.y, **more) if more else None)


def test_clean_tables_are_not_suspected():
    for seed in range(200):
        table = clean(seed)
        if table["label"].value_counts().min() >= 8:
            assert said(table) == [], seed


def test_mammography_has_duplicates_and_nothing_else():
    task = problem(str(MAMMOGRAPHY), "calcification")
    (found,) = warnings(task, split(task.y))
    assert found.startswith(
        "3,338 of 11,183 rows (29.8 %) equal another row in every column"
    )  # counted with numpy.unique
    assert "one of them stands 3329 times" in found
    assert found.endswith("3329 of them have a twin with another label, which no model can tell apart.")


def test_copies_are_counted_and_a_group_that_holds_them_makes_them_harmless():
    table = clean(0, 500)
    twice = pd.concat([table, table[:60]], ignore_index=True)
    (found,) = said(twice)
    assert found.startswith("120 of 560 rows (21.4 %) equal another row in every column")
    assert "--group" in found
    assert "another label" not in found
    person = np.append(np.arange(500), np.arange(60))
    assert said(twice, groups=person) == []
    apart = np.append(np.arange(500) // 2, 250 + np.arange(60) // 2)
    (found,) = said(twice, groups=apart)
    assert "and in another group" in found


def test_copies_with_another_label_are_said():
    table = clean(4, 600)
    more = table[:40].assign(label=np.where(table["label"][:40] == "yes", "no", "yes"))
    (found,) = said(pd.concat([table, more], ignore_index=True))
    assert "80 of them have a twin with another label" in found


def test_only_rows_in_different_folds_count():
    table = clean(0, 500)
    twice = pd.concat([table, table[:100]], ignore_index=True)
    task = read(twice)
    kind = split(task.y, repeats=1)
    apart = 2 * int(np.sum(kind.held[0][:100] != kind.held[0][500:]))
    assert warnings(task, kind)[0].startswith(f"{apart} of 600 rows")


@pytest.mark.parametrize("kind", ["number", "reversed", "category", "gap"])
def test_a_column_that_predicts_perfectly_is_a_leak(kind):
    table = clean(1, 800)
    yes = table["label"] == "yes"
    noise = np.random.default_rng(0).normal(size=800)
    table["payout"] = {
        "number": 10.0 * yes + noise,
        "reversed": -10.0 * yes + noise,
        "category": np.where(yes, "paid", np.where(noise > 0, "open", "none")),
        "gap": np.where(yes, noise, np.nan),
    }[kind]
    (found,) = said(table)
    assert found.startswith("column 'payout' predicts the label almost perfectly by itself")
    assert "leave it out" in found


@pytest.mark.parametrize("kind", ["number", "copy", "category"])
def test_a_leak_of_three_classes(kind):
    table = clean(0, 900)
    label = table["label"].astype(int)
    noise = np.random.default_rng(0).normal(size=900)
    table["code"] = {"number": 10.0 * label + noise, "copy": label * 1.0, "category": "c" + table["label"]}[kind]
    (found,) = said(table)
    assert found.startswith("column 'code' predicts the label almost perfectly by itself")


def test_a_strong_column_is_no_leak():
    table = clean(1, 2000)
    yes = table["label"] == "yes"
    table["score"] = 3.0 * yes + np.random.default_rng(0).normal(size=2000)  # AUC .983
    assert said(table) == []


@pytest.mark.parametrize("numbers", [True, False])
def test_a_column_whose_values_have_one_label_each_names_groups(numbers):
    rng = np.random.default_rng(3)
    table = clean(1, 900)
    patient = rng.permutation(np.arange(900) // 5)
    table["label"] = np.where(rng.random(180) < 0.3, "yes", "no")[patient]
    code = rng.permutation(10_000)[patient]
    table["patient"] = code if numbers else np.char.add("P", code.astype(str))
    (found,) = said(table)
    assert found.startswith("column 'patient' has 180 values, and the ")
    assert "hold no other: a model can learn its rows by heart" in found
    assert found.endswith("name it with --group 'patient'.")


def test_whole_numbers_that_predict_do_not_name_groups():
    rng = np.random.default_rng(3)
    table = clean(1, 900)
    age = rng.integers(18, 90, 900)
    table["years"] = age
    table["label"] = np.where((age > 60) & (rng.random(900) < 0.97), "yes", "no")
    assert said(table) == []


def test_names_and_near_identifiers():
    rng = np.random.default_rng(0)
    table = clean(1, 900)
    table["customer_id"] = rng.integers(1000, 1300, 900)
    table["ticket"] = np.char.add("T", rng.integers(0, 900, 900).astype(str))
    by_id, by_ticket = said(table)
    assert "column 'customer_id' has" in by_id
    assert "named like an identifier" in by_id
    assert "column 'ticket' has" in by_ticket


def test_a_label_that_comes_in_runs_is_said_unless_time_or_groups_are_named():
    table = clean(1, 700)
    table["label"] = np.sort(table["label"])
    runs = table.iloc[np.r_[0:300, 600:700, 300:600]]  # three runs
    (found,) = [sentence for sentence in said(runs) if "label" in sentence]
    assert found.startswith("the label comes in runs: it changes 3 times in 700 rows")
    assert "--time" in found
    assert "--group" in found


def test_a_file_sorted_by_its_label_is_said():
    (found,) = said(clean(1, 700).sort_values("label", kind="stable"))
    assert found.startswith("the rows are sorted by the label: it changes 1 times in 700 rows")


def drift(rows: int = 3000) -> tuple[pd.DataFrame, np.ndarray]:
    table = clean(1, rows)
    rng = np.random.default_rng(9)
    when = np.sort(rng.random(rows))
    table["label"] = np.where(rng.random(rows) < 0.05 + 0.15 * when, "yes", "no")
    return table, when


def test_a_share_that_rises_along_the_rows_is_said():
    table, _ = drift()
    (found,) = said(table)
    assert found.startswith("the share of class 'yes' goes from ")
    assert "first tenth of the rows to the last" in found
    assert "--time" in found


def test_a_share_that_rises_along_dates_is_said_where_the_rows_are_shuffled():
    table, when = drift()
    table["opened on date"] = (np.datetime64("2020-01-01") + (when * 1000).astype(int)).astype(str)
    mixed = table.sample(frac=1, random_state=1).reset_index(drop=True)
    (found,) = said(mixed)
    assert "along column 'opened on date'" in found
    (found,) = said(mixed, time=read(mixed).features.columns[-1].values)
    assert "over time" in found


def test_visits_of_one_patient_after_another_are_no_trend():
    """The label changes every 25 rows on average; as 2,000 independent rows some of these would be a trend."""
    for seed in range(20):
        rng = np.random.default_rng(seed)
        table = clean(1, 2000)
        table["label"] = np.repeat(np.where(rng.random(80) < 0.3, "yes", "no"), 25)
        assert [s for s in said(table) if "share of class" in s] == []


def test_a_class_from_one_place_is_said():
    table = clean(0, 900)
    table["city"] = np.where(table["label"] == "2", "city 7", table["city"])
    table["city"] = np.where(np.random.default_rng(0).random(900) < 0.1, "city 7", table["city"])
    (found,) = said(table)
    rows = int((table["label"] == "2").sum())
    assert found.startswith(f"all {rows} rows of class '2' have city = 'city 7'")


def test_two_hundred_thousand_rows_take_about_a_second():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(200_000, 9)), columns=list("abcdefghi"))
    X["label"] = np.where(rng.random(200_000) < 0.02, "yes", "no")
    task = read(X)
    kind = split(task.y, repeats=1)
    started = time.process_time()
    assert warnings(task, kind) == []
    assert time.process_time() - started < 6
