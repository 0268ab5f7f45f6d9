"""Counts that somebody else has made are read as such."""

import json

import pytest

from steelyard import Counts, count
from steelyard.data import count_path


def as_dict(counts):
    return dict(zip(counts.classes, counts.per_class.tolist(), strict=True))


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("t.csv", "class,count\nno,900\nyes,100\n", {"no": 900, "yes": 100}),
        ("t.csv", "class,count\nyes,100\nno,900\n", {"yes": 100, "no": 900}),
        ("t.csv", "N;label\n900;0\n100;1\n", {"0": 900, "1": 100}),
        ("t.csv", "label,count\n1,100\n0,900\n", {"0": 900, "1": 100}),
        ("t.csv", "country,count\nNA,30\nDE,50\n", {"NA": 30, "DE": 50}),
        ("t.csv", "zip,count\n007,3\n7,2\n", {"007": 3, "7": 2}),
        ("t.tsv", "class\tcounts\na\t1\nb\t0\n", {"a": 1, "b": 0}),
        ("t.json", json.dumps({"no": 900, "yes": 100}), {"no": 900, "yes": 100}),
        ("t.json", json.dumps({"1": 100, "0": 900}), {"0": 900, "1": 100}),
        ("t.json", json.dumps([{"class": "no", "count": 9}, {"count": 1, "class": "yes"}]), {"no": 9, "yes": 1}),
        ("t.csv", "class,count\n" + "".join(f"c{i},{i}\n" for i in range(80)), {f"c{i}": i for i in range(80)}),
    ],
)
def test_classes_and_counts_are_known_counts(tmp_path, name, content, expected):
    (tmp_path / name).write_text(content)
    counts, notes = count_path(tmp_path / name)
    assert list(as_dict(counts).items()) == list(expected.items())
    assert any("known counts" in note for note in notes)


def test_a_label_that_names_the_classes_does_not_count_each_once(tmp_path):
    (tmp_path / "t.csv").write_text("class,count\nno,900\nyes,100\n")
    assert as_dict(count(tmp_path / "t.csv", label="class")) == {"no": 900, "yes": 100}
    assert as_dict(count(tmp_path / "t.csv", classes=["yes", "no"])) == {"yes": 100, "no": 900}
    assert as_dict(count(tmp_path / "t.csv", ignore="no")) == {"yes": 100}
    assert as_dict(count(tmp_path / "t.csv", label="count")) == {"100": 1, "900": 1}


def test_data_are_not_taken_for_counts(tmp_path):
    (tmp_path / "t.csv").write_text("class,count\nno,1\nyes,2\nno,3\n")
    assert as_dict(count(tmp_path / "t.csv", label="class")) == {"no": 2, "yes": 1}
    (tmp_path / "t.csv").write_text("class,count\nno,1.5\nyes,2\n")
    assert as_dict(count(tmp_path / "t.csv", label="class")) == {"no": 1, "yes": 1}
    (tmp_path / "t.csv").write_text("class,size\nno,1\nyes,2\n")
    assert as_dict(count(tmp_path / "t.csv", label="class")) == {"no": 1, "yes": 1}


def test_saved_counts_load(tmp_path):
    Counts.of(3, 1).save(tmp_path / "c.json")
    assert count(tmp_path / "c.json") == Counts.of(3, 1)
