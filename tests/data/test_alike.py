"""Columns of another table, read as in the first."""

import numpy as np
import pyarrow as pa
import pytest

from steelyard.data.alike import names_alike, numbers_alike, places_alike
from steelyard.data.cells import from_arrow, from_text
from steelyard.data.kinds import CATEGORY
from steelyard.data.spelling import KINDS, Spelling

COLUMNS = {
    "plain": (["1", "2.5", "-3e2", "?", ""], "."),
    "whole": (["1", "2", "30", "NA"], "."),
    "comma": (["1,5", "2,25", "3", "0,125"], ","),
    "thousands": (["1,219", "12,000,000", "7"], "."),
    "both": (["1.219,50", "12,25", "3.000"], ","),
    "money": (["$1,219.50", "$7", "-$12.00"], "."),
    "percent": (["12 %", "7.5%", "0 %"], "."),
    "unit": (["35 kg", "7.5 kg", "12"], "."),
    "brackets": (["(12.5)", "7.25", "(1,000.00)"], "."),
    "large": (["12k", "1.5M", "800k"], "."),
    "bytes": (["12 KB", "1.5 MB", "7 GB"], "."),
    "bounds": (["<500", "750", "1,000"], "."),
    "clock": (["01:30:00", "00:00:05", "23:59:59"], "."),
    "minutes": (["1:05.3", "12:30", "0:07.5"], "."),
    "durations": (["1h 30m", "2 weeks", "45 min"], "."),
    "day first": (["31/12/2024", "03/04/2024", "01/02/2023"], "."),
    "month first": (["12/31/2024", "03/04/2024", "01/02/2023"], "."),
    "iso": (["2024-12-31", "2024-03-04", "1969-07-20"], "."),
    "stamps": (["2024-12-31 10:15:30", "2024-03-04 00:00:00.5", "1969-07-20 01:00:00"], "."),
    "months": (["31 Dec 2024", "4 March 2024", "1 May 1999"], "."),
    "boolean": (["true", "False", "TRUE", ""], "."),
}


def floats(column):
    if column.kind == "boolean":
        return np.array([np.nan if v is None else float(str(v).lower() == "true") for v in column.values.to_pylist()])
    return np.array([np.nan if v is None else v for v in column.values.to_pylist()], dtype=float)


def text(cells, decimal="."):
    return from_text(pa.chunked_array([pa.array(cells, pa.string())]), decimal=decimal)


def test_the_columns_here_are_of_every_spelling():
    assert {text(*column).spelling.how for column in COLUMNS.values()} == set(KINDS) - {"name"}


@pytest.mark.parametrize("name", COLUMNS)
def test_a_cell_alone_says_what_it_said_in_its_column(name):
    cells, decimal = COLUMNS[name]
    whole = text(cells, decimal)
    assert whole.kind != CATEGORY
    spelling = Spelling.from_dict(whole.spelling.to_dict())
    alone = [numbers_alike("x", text([cell], decimal), spelling)[0][0] for cell in cells]
    np.testing.assert_allclose(alone, floats(whole), rtol=1e-12)
    together, notes = numbers_alike("x", text(cells[::-1], decimal), spelling)
    np.testing.assert_allclose(together, floats(whole)[::-1], rtol=1e-12)
    assert notes == []


def test_what_cannot_be_read_as_before_is_missing_and_said():
    values, notes = numbers_alike("age", text([*map(str, range(30)), "forty", "-"]), Spelling("plain"))
    assert np.isnan(values[-2:]).all()
    assert np.array_equal(values[:30], np.arange(30))
    assert notes == ["column 'age': 'forty' (1 row) is no number as in the study and is read as missing"]


def test_a_column_that_is_written_otherwise_throughout_is_read_by_itself_and_said():
    values, (note,) = numbers_alike("x", text(["$1,219.50", "$12.00", "$3.50"]), Spelling("plain"))
    assert values.tolist() == [1219.5, 12.0, 3.5]
    assert note.startswith("column 'x' is written otherwise than in the study: ")
    values, (note,) = numbers_alike("x", text(["1.219", "2.000", "700"], ","), Spelling("plain"))
    assert values.tolist() == [1.219, 2.0, 700.0]
    assert "'1.219' is 1.219 as the study read it; by itself this table would be read as 1219 (2 rows)" in note


@pytest.mark.parametrize(
    ("array", "how", "wanted"),
    [
        (pa.array([1, 2, None]), "plain", [1, 2, np.nan]),
        (pa.array([1, 2, None]), "dressed", [1, 2, np.nan]),
        (pa.array([True, False, None]), "boolean", [1, 0, np.nan]),
        (pa.array([1, 0, 7]), "boolean", [1, 0, np.nan]),
        (pa.array([1.5, float("inf")]), "plain", [1.5, np.nan]),
        (pa.array([86_400], pa.timestamp("s")), "date", [86_400]),
        (pa.array([5, 7]), "date", [np.nan, np.nan]),
        (pa.array([5], pa.duration("s")), "clock", [5]),
        (pa.array([5], pa.duration("s")), "plain", [np.nan]),
        (pa.array([None, None]), "date", [np.nan, np.nan]),
    ],
)
def test_typed_columns_stand_for_text_of_the_same_kind(array, how, wanted):
    values, notes = numbers_alike("x", from_arrow(pa.chunked_array([array])), Spelling(how))
    np.testing.assert_array_equal(values, wanted)
    lost = how != "boolean" and np.isnan(values).all() and array.null_count == 0
    assert bool(notes) == lost


def test_marks_for_missing_hold_in_text_and_in_numbers():
    marks = ("-9", "gone")
    assert np.isnan(numbers_alike("x", text(["-9", "-9.0", "gone"]), Spelling("plain"), marks)[0]).all()
    assert names_alike(text(["-9", "gone", " a "]), marks).to_pylist() == [None, None, "a"]
    assert np.isnan(
        numbers_alike("x", from_arrow(pa.chunked_array([pa.array([-9, -9])])), Spelling("plain"), marks)[0]
    ).all()


def test_levels_are_found_by_their_text_and_else_by_their_number():
    levels = {"01067": 0, "2": 1, "b": 2, "7": 3, "07": 4}
    texts = names_alike(from_arrow(pa.chunked_array([pa.array([1067, 2, 7, 9, None])])))
    places, new, turned = places_alike(texts, levels)
    assert places.tolist() == [0, 1, 3, -2, -1]
    assert (dict(new), dict(turned)) == ({"9": 1}, {"1067": 1})
    places, new, _ = places_alike(names_alike(text(["b", "B", "007", "2.0"])), levels)
    assert places.tolist() == [2, -2, -2, 1]
    assert set(new) == {"B", "007"}  # 7 and 07 are two levels
