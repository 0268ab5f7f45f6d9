"""Results of one part of a benchmark beside those of the others."""

import json

from benchmarks import measure

OLD = [{"case": "a", "variant": v, "ms": 1} for v in "xy"] + [{"case": "b", "variant": "x", "ms": 2}]


def kept(tmp_path, monkeypatch, cpu, rows, **more):
    monkeypatch.setattr(measure, "RESULTS", tmp_path)
    monkeypatch.setattr(measure, "cpu", lambda: "this")
    (tmp_path / "name.json").write_text(json.dumps({"machine": {"cpu": cpu}, "rows": OLD}))
    return measure.together("name", rows, "case")


def test_rows_of_the_same_machine_stay_as_they_are(tmp_path, monkeypatch):
    new = [{"case": "a", "variant": "z", "ms": 3}, {"case": "c", "variant": "x", "ms": 4}]
    assert kept(tmp_path, monkeypatch, "this", new) == [new[0], OLD[2], new[1]]


def test_rows_of_another_machine_say_so_until_they_are_measured_here(tmp_path, monkeypatch):
    found = kept(tmp_path, monkeypatch, "another", [{"case": "b", "variant": "x", "ms": 5}])
    assert found == [{**OLD[0], "cpu": "another"}, {**OLD[1], "cpu": "another"}, {"case": "b", "variant": "x", "ms": 5}]
    (tmp_path / "name.json").write_text(json.dumps({"machine": {"cpu": "this"}, "rows": found}))
    assert measure.together("name", [], "case") == found
    again = measure.together("name", [{"case": "a", "variant": "x", "ms": 6}], "case")
    assert again == [{"case": "a", "variant": "x", "ms": 6}, {"case": "b", "variant": "x", "ms": 5}]


def test_the_first_results_are_all_there_is(tmp_path, monkeypatch):
    monkeypatch.setattr(measure, "RESULTS", tmp_path)
    assert measure.together("name", OLD, "case") is OLD
