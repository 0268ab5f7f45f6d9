"""What an answer that lies in the folder already has to say."""

import json
from types import SimpleNamespace

import pytest

from steelyard import Counts
from steelyard.cli.earlier import check_answer

HERE = SimpleNamespace(
    path="new.csv", label="y", labels_digest=lambda: "ab" * 32, counts=Counts([5, 2], classes=("no", "yes"))
)
OLD = {"digest": {}, "classes": ["no", "yes"]}  # from before there were digests


def answer(folder, **changes):
    data = {"path": "old.csv", "label": "y", "digest": {"labels": "ab" * 16}} | changes
    (folder / "report.json").write_text(json.dumps({"data": data}))


@pytest.mark.parametrize("changes", [{"label": "z"}, {"digest": {"labels": "cd" * 16}}, OLD | {"counts": [5, 3]}])
def test_other_rows_or_another_label_are_refused_with_both_names(tmp_path, changes):
    answer(tmp_path, **changes)
    with pytest.raises(ValueError, match=r"old\.csv, column .* is there, and new\.csv, column 'y', is here.*--fresh"):
        check_answer(tmp_path, HERE)


def test_the_same_rows_may_be_answered_again_whatever_their_file_is_called(tmp_path):
    check_answer(tmp_path, HERE)
    for changes in ({}, OLD | {"counts": [5, 2]}):
        answer(tmp_path, **changes)
        check_answer(tmp_path, HERE)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"data": 1}', '{"data": {"label": "y", "digest": null}}'])
def test_what_is_no_report_says_nothing(tmp_path, text):
    (tmp_path / "report.json").write_text(text)
    check_answer(tmp_path, HERE)
