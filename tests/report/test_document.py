"""report.json is read once: what it lacks, what it may not hold, and that every key of it is read in one place.

Files: report/evidence.py, report/facts.py, report/part.py.
"""

import copy
import json
import re
from pathlib import Path

import pytest

from steelyard import Recipe, report
from steelyard.report import Report
from steelyard.report.document import FORMAT
from steelyard.schema import brief
from steelyard.tuning import answer as written

WHOLE = {"format": FORMAT, "data": {}, "metric": "f1", "arms": [{"name": "plain"}], "verdict": {"sentence": "Keep it."}}


def test_what_tune_writes_is_what_is_read():
    assert written.FORMAT == FORMAT


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({}, "it has no format"),
        ([], "it has no format"),
        ({"format": "steelyard.recipe/1"}, "its format is 'steelyard.recipe/1'"),
        ({"format": "steelyard.report/2"}, "this file is steelyard.report/2, as a newer steelyard writes it"),
        ({"format": "steelyard.report/0"}, "this file is steelyard.report/0, as an older steelyard writes it"),
        ({"format": "steelyard.report/1"}, "data, metric, arms, verdict are missing"),
        (WHOLE | {"data": None}, "data must be an object, got null"),
        (WHOLE | {"arms": []}, "arms must be a list that is not empty, got a list of 0"),
        (WHOLE | {"arms": [1]}, "arms[0] must be an object with name, got 1"),
        (WHOLE | {"arms": [{"name": None}]}, "arms[0].name must be text that is not empty or a number"),
        (WHOLE | {"verdict": {}}, "verdict.sentence is missing"),
        *(
            (
                WHOLE | {"verdict": {"sentence": "Keep it.", place: wrong}},
                f"verdict.{place} must be text, got {brief(wrong)}",
            )
            for place in ("headline", "case")
            for wrong in (7, 0.5, True, ["Weights help."], {"text": "Weights help."})
        ),
        (WHOLE | {"verdict": {"sentence": 3}}, "verdict.sentence must be text that is not empty, got 3"),
        (WHOLE | {"warnings": [3]}, "warnings[0] must be text, got 3"),
        (WHOLE | {"seconds": "long"}, "seconds must be a number from"),
        (WHOLE | {"margin": True}, "margin must be a number from"),
        (
            WHOLE | {"curves": {"plain": {"thresholds": {"tp": [None]}}}},
            "curves.plain.thresholds.tp[0] must be a number",
        ),
    ],
)
def test_a_foreign_file_is_refused_in_words(data, message, tmp_path):
    with pytest.raises(ValueError, match=re.escape(message)):
        Report.from_json(data)
    with pytest.raises(ValueError, match=re.escape(message)):
        report.write(data, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    (tmp_path / "report.json").write_text(json.dumps(data))
    with pytest.raises(ValueError, match=r"report\.json\.$") as refused:
        report.read(tmp_path)
    assert "\n" not in str(refused.value)


def test_the_least_that_is_a_report_can_be_read():
    least = Report.from_json(WHOLE)
    assert (least.winner, least.chosen, least.title, least.recipe) == (None, "plain", "F1", Recipe())


def test_text_bytes_and_plain_data_are_the_same_report(any_study):
    text = json.dumps(any_study)
    assert Report.from_json(any_study) == Report.from_json(text) == Report.from_json(text.encode())


def test_reading_leaves_the_data_alone(any_study):
    before = copy.deepcopy(any_study)
    Report.from_json(any_study)
    assert any_study == before


def test_a_winner_that_was_not_compared_is_refused(kept):
    kept["verdict"]["winner"] = "magic"
    with pytest.raises(ValueError, match="'magic' is not among the weightings plain, "):
        Report.from_json(kept)


def test_reading_what_is_not_there_or_not_json(tmp_path):
    with pytest.raises(ValueError, match=r"there is no report\.json"):
        report.read(tmp_path)
    (tmp_path / "report.json").write_bytes(b"\xff\xfe{")
    with pytest.raises(ValueError, match="is not JSON"):
        report.read(tmp_path)


def test_no_other_file_of_the_room_looks_a_key_up():
    for file in Path(report.__file__).parent.rglob("*.py"):
        if file.name not in (
            "document.py",
            "evidence.py",
            "facts.py",
            "part.py",
            "drawing.py",
            "child.py",
        ):  # these two talk in JSON
            assert not re.search(r"""\.get\(["']|json\.loads""", file.read_text(encoding="utf-8")), file
