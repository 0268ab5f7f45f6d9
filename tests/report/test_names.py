"""report.json for people: cleaned once, and names that differ stay different."""

import json

import pytest

from steelyard import Recipe, report
from steelyard.report import Report
from steelyard.report.names import LONGEST, shown


def renamed(data, name):
    """The study with this name for its positive class."""
    return json.loads(json.dumps(data).replace('"ill"', json.dumps(name)))


@pytest.mark.parametrize("name", ["yes\x1a", "\u202eon", "\ud800", "x" * 20_000, "é" * 300])
def test_people_see_a_name_they_can_read_and_programs_the_true_one(won, name, tmp_path):
    data = renamed(won, name)
    seen = Report.from_json(data)
    assert seen.positive == seen.table.classes[1] == shown({"n": name})["n"]
    assert len(seen.positive) <= LONGEST
    assert seen.table.exact == ("well", name)
    assert seen.recipe.classes == ("well", name)
    report.write_answer(data, tmp_path)
    assert json.loads((tmp_path / "report.json").read_text(encoding="utf-8")) == data
    assert Recipe.load(tmp_path / "recipe.json").classes == ("well", name)
    assert report.read(tmp_path) == seen


def test_code_to_paste_names_the_classes_as_the_data_do(kept):
    name = "yes\x1a"
    (code,) = [
        s.code for s in report.content.contents(Report.from_json(renamed(kept, name))).snippets if s.key == "sklearn"
    ]
    assert repr(name) in code


def test_names_that_differ_stay_different():
    names = ["a\x1a", r"a\x1a", "b" * 200, "b" * 201, "b" * (LONGEST - 1) + "…"]
    seen = shown({"classes": names, "per_class": {name: [] for name in names}})
    assert len(set(seen["classes"])) == len(names)
    assert list(seen["per_class"]) == seen["classes"]
    assert seen["classes"][1] == names[1]


def test_sentences_are_cleaned_and_not_cut(kept):
    kept["verdict"]["sentence"] = "\x1b[2J" + "word " * 200
    assert Report.from_json(kept).verdict.sentence == r"\x1b[2J" + "word " * 200


def test_what_is_harmless_is_the_same_text(any_study):
    data = json.loads(json.dumps(any_study))
    if data["positive"] is None or "\n" not in data["positive"]:
        assert shown(data) == data
