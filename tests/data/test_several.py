"""Several labels in one cell are counted each where the owner says so, and told where not."""

import pandas as pd
import pytest

from steelyard import count
from steelyard.data import count_path
from steelyard.tuning.data.problem import problem

CELLS = [["A", "B"], ["A"], ["B", "C"], [], ["C"], ["A", "C"]]
FORMS = {
    "bar": ("|", "|".join),
    "comma": (",", ", ".join),
    "semicolon": (";", ";".join),
    "blank": (" ", " ".join),
    "list": (",", lambda parts: str(list(parts))),
    "slash": ("/", "/".join),
}


@pytest.fixture(params=["csv", "parquet", "pandas"])
def table(request, tmp_path):
    def make(cells):
        frame = pd.DataFrame({"x": [i + 0.5 for i in range(len(cells))], "y": cells})
        if request.param == "pandas":
            return frame
        path = tmp_path / f"t.{request.param}"
        frame.to_csv(path, index=False) if request.param == "csv" else frame.to_parquet(path)
        return path

    return make


@pytest.mark.parametrize("form", FORMS)
def test_each_label_counts_by_rows_and_an_empty_cell_is_unknown(table, form):
    separator, join = FORMS[form]
    counts = count(table([join(parts) for parts in CELLS * 4]), label="y", separator=separator)
    assert dict(zip(counts.classes, counts.per_class.tolist(), strict=True)) == {"A": 12, "B": 8, "C": 12}
    assert (counts.kind, counts.items) == ("multilabel", 24 if form == "list" else 20)


def test_numbers_between_blanks_are_labels_by_size(table):
    counts = count(table(["0 2 10", "2", "10", "0"] * 3), label="y", separator=" ")
    assert counts.classes == ("0", "2", "10")
    assert counts.per_class.tolist() == [6, 6, 6]
    assert count(table(["0 2", "2"]), label="y", separator=" ", classes=["0", "1", "2"]).per_class.tolist() == [1, 0, 2]


@pytest.mark.parametrize("form", FORMS)
def test_parts_that_recur_are_told_by_both_commands(tmp_path, form):
    separator, join = FORMS[form]
    cells = [join(parts) for parts in CELLS if parts] * 10
    pd.DataFrame({"x": [i % 7 + 0.5 for i in range(50)], "y": cells}).to_csv(tmp_path / "t.csv", index=False)
    _, notes = count_path(tmp_path / "t.csv", "y")
    assert any("several labels in one cell" in n and f"--separator {separator!r}" in n for n in notes)
    assert any("several labels in one cell" in w for w in problem(tmp_path / "t.csv", "y").warnings)


@pytest.mark.parametrize(
    "names",
    [
        ["New York", "New Jersey", "Ohio"],
        ["high risk", "low risk", "none"],
        ["<=50K", ">50K"],
        ["a", "b", "c"],
        ["2020-01-01 00:00", "2020-01-02 00:00", "x"],
        ["km/h", "m/s", "kg"],
        ["Doe, John", "Roe, Jane", "Poe"],
    ],
)
def test_names_of_several_words_are_left_alone(tmp_path, names):
    pd.DataFrame({"x": range(10 * len(names)), "y": names * 10}).to_csv(tmp_path / "t.csv", index=False)
    assert not any("several labels" in n for n in count_path(tmp_path / "t.csv", "y")[1])


def test_a_separator_that_does_not_occur_is_told(tmp_path):
    pd.DataFrame({"x": [1.5, 2.5], "y": ["a", "b"]}).to_csv(tmp_path / "t.csv", index=False)
    assert "no cell holds the separator '|'" in count_path(tmp_path / "t.csv", "y", separator="|")[1]
    with pytest.raises(ValueError, match="separator is empty"):
        count(tmp_path / "t.csv", label="y", separator="")
    with pytest.raises(ValueError, match="separator= is for tables"):
        count(["a|b"], separator="|")
