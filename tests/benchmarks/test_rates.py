"""Rates with their intervals, coverage, and answers that survive an interruption."""

import argparse
import json

import pytest
from benchmarks.generators import GENERATORS
from benchmarks.honesty import Cache, plan, publish
from benchmarks.rates import clopper_pearson, share, summary, table, true_gains, would_win
from benchmarks.verdicts import MORE, TWO, metrics_of
from scipy import stats

from benchmarks import measure


def record(repeat: int, *, winner=None, case="C", gain=0.02, low=-0.01, high=0.05, truth=0.01, **others) -> dict:
    known = {
        "generator": "H1",
        "repeat": repeat,
        "metric": "roc_auc",
        "case": case,
        "winner": winner,
        "best": "a",
        "rare": 90,
        "plain": 0.8,
        "margin": 0.005,
        "gate": True,
        "arms": {"a": [gain, low, high], "b": [0.0, -0.1, 0.1]},
        "seconds": None,
        "truth": None if truth is None else {"a": truth, "b": -0.01},
    }
    return known | others


@pytest.mark.parametrize(("hits", "trials"), [(0, 200), (4, 200), (10, 10), (1, 3)])
def test_the_interval_is_scipys(hits, trials):
    expected = stats.binomtest(hits, trials).proportion_ci(0.95, "exact")
    assert clopper_pearson(hits, trials) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_known_rates_have_the_known_intervals():
    """0 / .02 / .03 / .05 of 200: 0-.018 / .005-.050 / .011-.064 / .024-.090."""
    for hits, low, high in ((0, 0, 0.018), (4, 0.005, 0.050), (6, 0.011, 0.064), (10, 0.024, 0.090)):
        assert clopper_pearson(hits, 200) == pytest.approx((low, high), abs=5e-4)


def test_nothing_has_no_rate():
    assert share([]) is None


def test_a_summary_counts_winners_cases_and_coverage():
    records = [
        record(0, winner="a", case="A", gain=0.05, low=0.02, high=0.08, truth=0.012),
        record(1, low=-0.01, high=0.05, truth=0.010),
        record(2, low=-0.04, high=0.005, truth=0.008),
        record(3, case="E", truth=None),
    ]
    row = summary(records)
    assert row["winners"]["rate"] == 1 / 4
    assert row["judged"]["rate"] == 1 / 3
    assert row["cases"] == {"A": 1, "C": 2, "E": 1}
    assert row["names"] == {"a": 1}
    assert row["true_best"][0] == "a"
    assert row["true_best"][1] == pytest.approx(0.010)
    assert row["coverage"]["rate"] == 2 / 4  # record 0 starts above 0.010, record 2 ends below it
    assert row["lower_end"]["rate"] == 3 / 4
    assert row["declared"] == 0.05
    assert row["true"] == pytest.approx(0.010)
    assert row["false_winners"]["rate"] == 0
    assert row["useless"]["rate"] == 0
    assert row["events"] is row["would_win"] is None
    timed = summary([r | {"events": n} for r, n in zip(records, (4, 6, 8, 10), strict=True)])
    assert timed["events"] == 7
    assert timed["would_win"]["rate"] == sum(map(would_win, records)) / 4 >= 1 / 4


def test_a_winner_that_is_truly_worse_is_a_false_one():
    row = summary([record(0, winner="a", truth=-0.01), record(1, truth=-0.02)])
    assert row["false_winners"]["rate"] == row["useless"]["rate"] == 1 / 2


def test_the_standard_error_of_the_truth_is_that_of_a_mean():
    found = true_gains([record(0, truth=0.01), record(1, truth=0.02), record(2, truth=0.03), record(3, truth=None)])
    assert found["a"] == pytest.approx([0.02, 0.01 / 3**0.5, 3])


def test_the_table_has_one_line_per_row():
    rows = [summary([record(0), record(1)]), summary([record(0, truth=None), record(1, truth=None)])]
    assert len(table(rows).splitlines()) == 2 + 2


def options(repeats: int) -> argparse.Namespace:
    return argparse.Namespace(repeats=repeats, truth=60, model="linear", bootstrap=400)


def test_answers_that_are_there_are_not_asked_again(tmp_path):
    cache = Cache(tmp_path, "x")
    cache.add([record(0), record(1)])
    again = Cache(tmp_path, "x")
    asked = list(plan(["H1"], ["roc_auc", "f1"], options(3), again))
    assert [(q.repeat, q.metrics) for q in asked] == [(0, ("f1",)), (1, ("f1",)), (2, ("roc_auc", "f1"))]
    assert next(iter(again.groups(["H1"], None))) == [record(0), record(1)]


def test_a_cut_line_is_left_out_and_the_next_is_whole(tmp_path):
    cache = Cache(tmp_path, "x")
    cache.add([record(0), record(1)])
    cache.path.write_text(cache.path.read_text()[:-20])
    again = Cache(tmp_path, "x")
    assert len(again.records) == 1
    again.add([record(2)])
    assert [json.loads(line)["repeat"] for line in cache.path.read_text().splitlines()] == [0, 2]


def test_generators_are_asked_in_turn(tmp_path):
    asked = list(plan(["N2", "H1"], ["f1"], options(2), Cache(tmp_path, "x")))
    assert [(q.generator, q.repeat) for q in asked] == [("N2", 0), ("H1", 0), ("N2", 1), ("H1", 1)]


def test_every_generator_has_metrics_that_fit_its_classes():
    for name, generator in GENERATORS.items():
        assert metrics_of(name, None) == (TWO if generator.classes == 2 else MORE)
    assert metrics_of("C0", ["roc_auc", "log_loss"]) == ("log_loss",)
    assert metrics_of("N2", ["expected_cost_20"]) == ("expected_cost_20",)


def test_rows_of_another_run_stay_and_those_of_the_same_question_are_replaced(tmp_path, monkeypatch):
    monkeypatch.setattr(measure, "RESULTS", tmp_path)
    row = {"model": "linear", "generator": "N2", "metric": "f1", "studies": 1}
    publish("some", [row, row | {"model": "mlp"}])
    path = publish("some", [row | {"studies": 2}, row | {"metric": "roc_auc"}])
    kept = [(r["model"], r["metric"], r["studies"]) for r in json.loads(path.read_text())["rows"]]
    assert sorted(kept) == [("linear", "f1", 2), ("linear", "roc_auc", 1), ("mlp", "f1", 1)]


def test_a_row_of_more_tables_is_not_lost_to_one_of_fewer(tmp_path, monkeypatch):
    monkeypatch.setattr(measure, "RESULTS", tmp_path)
    row = {"model": "linear", "generator": "N2", "metric": "f1", "code": "a"}
    publish("some", [row | {"studies": 200}])
    publish("some", [row | {"studies": 9, "code": "b"}])
    path = publish("some", [row | {"studies": 12, "code": "b"}])
    assert [r["studies"] for r in json.loads(path.read_text())["rows"]] == [200, 12]
    assert json.loads(path.read_text())["machine"] == "see each row"
    publish("some", [row | {"studies": 200, "code": "c"}])
    assert [r["studies"] for r in json.loads(path.read_text())["rows"]] == [200]


def test_a_row_that_looked_at_the_truth_is_not_lost_to_one_that_did_not(tmp_path, monkeypatch):
    monkeypatch.setattr(measure, "RESULTS", tmp_path)
    row = {"model": "linear", "generator": "H1", "metric": "f1"}
    publish("some", [row | {"studies": 60, "code": "a", "truth": {"a": [0.1, 0.01, 60]}}])
    path = publish("some", [row | {"studies": 200, "code": "b"}])
    assert [r["studies"] for r in json.loads(path.read_text())["rows"]] == [60, 200]
