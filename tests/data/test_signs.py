"""1,219 and 1.219: what commas and points mean is decided by the column, by the other columns of the file, or guessed and said.

Files: data/reread.py, data/style.py."""

import numpy as np
import pandas as pd
import polars
import pytest

from steelyard.data.signs import grouped
from steelyard.data.style import UNKNOWN, Style, common
from steelyard.data.tables import read_table
from steelyard.tuning.data.problem import as_table, problem

STORES = (",", ";", "\t", "|", "pandas", "polars", "parquet")
NONE = ["w", "v"] * 6
POINT, COMMA, BOTH = ["0.5", "2.25"] * 6, ["0,5", "2,25"] * 6, ["1.219,50", "3,25"] * 6


def table(cells, store, folder, other):
    cells = (cells * 12)[:12]
    frame = pd.DataFrame({"amount": cells, "other": other, "y": ["a", "b", "b"] * 4})
    if store in ("pandas", "polars"):
        return as_table(polars.from_pandas(frame) if store == "polars" else frame)
    path = folder / f"t.{'parquet' if store == 'parquet' else 'csv'}"
    frame.to_parquet(path) if store == "parquet" else frame.to_csv(path, sep=store, index=False)
    return read_table(path)


# cells -> {what the other column shows: numbers}; a number in the third place says that it is a guess where the comma is no delimiter
OTHERS = {"nothing": NONE, "point": POINT, "comma": COMMA, "both": BOTH}
ALONE = {
    "1.219 beside 200": (["1.219", "12.000", "200"], {"point": [1.219, 12, 200], "comma": [1219, 12000, 200], "both": [1219, 12000, 200]}),
    "1.219 alone": (["1.219", "12.345"], {"point": [1.219, 12.345], "comma": [1219, 12345], "both": [1219, 12345]}),
    "1,219 beside 200": (["1,219", "12,000", "200"], {"point": [1219, 12000, 200], "comma": [1.219, 12, 200], "both": [1.219, 12, 200]}),
    "1,219 alone": (["1,219", "12,345"], {"point": [1219, 12345], "comma": [1.219, 12.345], "both": [1.219, 12.345]}),
    "1,219 beside 2000": (["1,219", "2000"], {"point": [1219, 2000], "comma": [1.219, 2000], "both": [1.219, 2000]}),
    "with a unit": (["1.219 kg", "2.500 kg"], {"point": [1.219, 2.5], "comma": [1219, 2500], "both": [1219, 2500]}),
    "negative": (["-1.219", "(2.500)"], {"point": [-1.219, -2.5], "comma": [-1219, -2500], "both": [-1219, -2500]}),
}  # fmt: skip
GUESSES = {  # with nothing beside it: where the comma separates the cells, and elsewhere; None: it is said there
    "1.219 beside 200": (([1.219, 12, 200], True), ([1219, 12000, 200], True)),
    "1.219 alone": (([1.219, 12.345], False), ([1.219, 12.345], True)),
    "1,219 beside 200": (([1219, 12000, 200], False), ([1219, 12000, 200], True)),
    "1,219 alone": (([1219, 12345], False), ([1219, 12345], True)),
    "1,219 beside 2000": (([1219, 2000], True), ([1.219, 2000], True)),
    "with a unit": (([1.219, 2.5], False), ([1.219, 2.5], True)),
    "negative": (([-1.219, -2.5], False), ([-1.219, -2.5], True)),
}


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("case", ALONE)
def test_what_one_column_leaves_open_another_decides(case, other, store, tmp_path):
    cells, decided = ALONE[case]
    got = table(cells, store, tmp_path, OTHERS[other])
    expected, guessed = (decided[other], False) if other in decided else GUESSES[case][store != ","]
    np.testing.assert_allclose(got.column("amount"), (expected * 12)[:12])
    guess = got.columns["amount"].guess
    assert bool(guess) == guessed
    if guessed:
        assert problem(got, "y").guesses == (f"amount: {guess}",)
        assert "; if it is " in guess


CERTAIN = {  # cells that need no help, and are not swayed by what others show
    "a comma of two digits": (["1.219", "3,25"], [1219, 3.25]),
    "a point of two digits": (["1,219", "3.25"], [1219, 3.25]),
    "a zero in front": (["1.219", "0.500"], [1.219, 0.5]),
    "two points": (["1.219.000", "2.000"], [1_219_000, 2000]),
    "two commas": (["1,219,000", "2,000"], [1_219_000, 2000]),
    "lakhs": (["12,34,567", "5,000"], [1_234_567, 5000]),
    "large numbers beside": (["1.219", "2000"], [1.219, 2000]),
    "money": (["€ 1.219", "€ 200"], [1219, 200]),
    "dollars": (["$1,219", "$200"], [1219, 200]),
    "blanks": (["1 219", "200"], [1219, 200]),
    "blanks and points": (["1 219.500", "200.250"], [1219.5, 200.25]),
    "blanks and commas": (["1 219,500", "200,250"], [1219.5, 200.25]),
}


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("case", CERTAIN)
def test_what_a_cell_shows_needs_no_guess(case, store, tmp_path):
    cells, expected = CERTAIN[case]
    for other in (NONE, [f"{i}.5" for i in range(12)]):
        if case == "money" and other is not NONE:
            continue
        got = table(cells, store, tmp_path, other)
        np.testing.assert_allclose(got.column("amount"), (expected * 12)[:12])
        assert not got.columns["amount"].guess


@pytest.mark.parametrize("store", [";", "pandas"])
def test_columns_that_contradict_each_other_prove_nothing(store, tmp_path):
    frame = pd.DataFrame({"amount": ["1.219", "200"] * 6, "p": POINT, "c": COMMA})
    path = tmp_path / "t.csv"
    frame.to_csv(path, sep=";", index=False)
    got = as_table(frame) if store == "pandas" else read_table(path)
    assert got.columns["amount"].guess


def test_what_is_said_of_a_guess_is_what_to_write(tmp_path):
    """Written as the note says, the numbers are read so, without a guess."""
    for first, second in ((["1.219", "12.345"], ["1219", "12345"]), (["1,219", "200"], ["1.219", "200.000"])):
        guess = table(first, ";", tmp_path, NONE).columns["amount"].guess
        assert guess.partition(" as ")[0] == first[0]
        written = table(second, ";", tmp_path, POINT)
        assert not written.columns["amount"].guess


def test_common_is_what_all_prove():
    assert common([Style("."), UNKNOWN, Style(day_first=False)]) == Style(".", False)
    assert common([Style("."), Style(","), Style(day_first=True), Style(day_first=False)]) == UNKNOWN
    assert common([Style(",")]) == Style(",", True)
    assert common([Style(","), Style(day_first=False)]) == Style(",", False)
    assert common([]) == UNKNOWN


def test_groups():
    for whole in ("1,219", "12,345", "123,456,789", "12,34,567", "1,23,45,678"):
        assert grouped(whole, ",")
    for whole in ("1219", "0,219", "1,21", "1234,567", "1,2345", "12,34", ",219", "12,3a5"):
        assert not grouped(whole, ",")


MISSING = {
    "text": ["-999", "red", "blue"],
    "numbers": ["-999", "3", "4.5"],
    "words": ["7", "none said", "9"],
    "floats": [-999.0, 1.5, 2.5],
}


@pytest.mark.parametrize("store", STORES)
def test_what_is_named_missing_is_missing_in_the_columns_and_the_usual_marks_are_too(store, tmp_path):
    columns = {name: (values * 20)[:60] for name, values in MISSING.items()}
    columns |= {"usual": ["?", "1", "2"] * 20, "y": ["-999", "a", "b", "a"] * 15}
    frame = pd.DataFrame(columns)
    path = tmp_path / f"t.{'parquet' if store == 'parquet' else 'csv'}"
    if store == "parquet":
        frame.to_parquet(path)
    elif store not in ("pandas", "polars"):
        frame.to_csv(path, sep=store, index=False)
    data = {"pandas": frame, "polars": polars.from_pandas(frame)}.get(store, path)
    task = problem(data, "y", missing=["-999", "none said"])
    assert task.counts.classes == ("a", "b")
    assert task.read[0] - len(task.y) == 15
    kept = [i for i in range(60) if i % 4]
    by_name = {c.name: c for c in task.features.columns}
    for name, values in (
        ("numbers", [np.nan, 3, 4.5]),
        ("words", [7, np.nan, 9]),
        ("floats", [np.nan, 1.5, 2.5]),
        ("usual", [np.nan, 1, 2]),
    ):
        np.testing.assert_array_equal(by_name[name].values, [values[i % 3] for i in kept])
    assert by_name["text"].levels == ("blue", "red")
    assert [by_name["text"].codes[i] for i in range(3)] == [1, 0, -1]
    (note,) = [n for n in task.notes if "as --missing (missing=) says" in n]
    assert "words (20 rows)" in note
    assert "y (" not in note
    if store == "pandas":
        assert len(problem(data, "y", missing="none").counts) == 3
