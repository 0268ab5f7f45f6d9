"""Labels as numbers, and what is left out of a table with a word. Files: tuning/data/compared.py."""

import numpy as np
import pandas as pd
import pytest

from steelyard.tuning.data.problem import problem


def frame(labels, n=None):
    y = np.array(labels, dtype=object)
    return pd.DataFrame({"x": np.random.default_rng(0).normal(size=len(y)), "y": y})


def test_the_rarer_class_is_positive_unless_said():
    rare_first = frame(["a"] * 10 + ["b"] * 50)
    assert problem(rare_first, "y").positive == "a"
    assert problem(rare_first, "y").y[:10].tolist() == [1] * 10
    said = problem(rare_first, "y", positive="b")
    assert (said.positive, said.counts.classes, said.y[:10].tolist()) == ("b", ("a", "b"), [0] * 10)


def test_rows_without_a_label_are_left_out_and_said():
    task = problem(frame(["a"] * 10 + ["b"] * 50 + [None] * 4), "y")
    assert len(task.y) == 60
    assert len(task.features.columns[0].values) == 60
    assert any("4 of 64 rows have no label" in n for n in task.notes)


def test_small_classes_among_many_are_left_out_loudly():
    task = problem(frame(["a"] * 30 + ["b"] * 20 + ["c"] * 9 + ["d"] * 2 + ["e"]), "y")
    assert task.counts.classes == ("a", "b", "c")
    assert task.counts.per_class.tolist() == [30, 20, 9]
    assert "left out with 3 rows: 'd (2)', 'e (1)'" in task.warnings[0]


@pytest.mark.parametrize(
    ("labels", "options", "says"),
    [
        (["a"] * 60, {}, "one class only, 'a'"),
        (["a"] * 59 + ["b"], {}, "class 'b' has a single row"),
        (["a"] * 30 + ["b"] * 30, {"positive": "A"}, "no class 'A'. Did you mean 'a'"),
        (["a"] * 20 + ["b"] * 20 + ["c"] * 20, {"positive": "a"}, "has 3 classes, so none is the positive one"),
        (["a"] * 30 + ["b"] * 2 + ["c"] * 3, {}, "fewer than two classes have 8 rows"),
    ],
)
def test_labels_that_cannot_be_compared_are_refused_with_the_way_out(labels, options, says):
    with pytest.raises(ValueError, match=says):
        problem(frame(labels), "y", **options)


def test_an_array_is_no_table():
    with pytest.raises(TypeError, match=r"a path, a DataFrame .*, got ndarray"):
        problem(np.zeros((3, 2)), "y")


@pytest.mark.parametrize("kind", ["file", "frame"])
def test_a_table_too_wide_to_tune_on_is_refused_before_its_cells_are_read(tmp_path, kind, monkeypatch):
    monkeypatch.setattr("steelyard.tuning.data.problem.WIDEST", 3)
    frame = pd.DataFrame({"a": [1, 2], "b": [1, 2], "c": [0, 1], "y": ["n", "p"]})
    path = tmp_path / "wide.csv"
    frame.to_csv(path, index=False)
    for module in ("steelyard.data.tables", "steelyard.tuning.data.problem"):
        monkeypatch.setattr(f"{module}.together", None)  # what reads the cells
    with pytest.raises(ValueError, match=r"has 4 columns, and at most 3 can be tuned on; bring a table of those"):
        problem(path if kind == "file" else frame, "y")
