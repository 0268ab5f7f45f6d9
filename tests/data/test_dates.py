"""A column of dates is decided by all its cells, whatever holds them; what is guessed is said, and stops --time."""

import datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steelyard.data.dates import dates
from steelyard.data.style import Style
from steelyard.data.tables import read_table
from steelyard.tuning.data.group_time import order_of
from steelyard.tuning.data.problem import as_table

STORES = (",", ";", "\t", "|", "pandas", "parquet")
DAYS = pd.to_datetime([f"{2023 + i % 2}-{1 + i % 12:02}-{31 - i}" for i in range(0, 22, 2)])


def table(cells, store, folder, name="t", **others):
    frame = pd.DataFrame({"when": cells, "x": [f"w{i % 3}" for i in range(len(cells))], **others})
    if store == "pandas":
        return as_table(frame)
    path = folder / f"{name}.{'parquet' if store == 'parquet' else 'csv'}"
    frame.to_parquet(path) if store == "parquet" else frame.to_csv(path, sep=store, index=False)
    return read_table(path)


def seconds(days):
    return (pd.DatetimeIndex(days) - pd.Timestamp(0)).total_seconds().to_numpy()


FORMATS = {
    "%d/%m/%Y": "day/month/year",
    "%m/%d/%Y": "month/day/year",
    "%d.%m.%Y": "day/month/year",
    "%d-%m-%Y %H:%M": "day/month/year",
    "%m-%d-%Y %I:%M:%S %p": "month/day/year",
    "%d/%m/%y": "day/month/year",
    "%m/%d/%y": "month/day/year",
    "%Y/%m/%d": "year-month-day",
    "%d %b %Y": "day, name of the month, year",
    "%B %d, %Y": "name of the month, day, year",
    "%d-%b-%y": "day, name of the month, year",
    "%Y%m%dT%H%M%S": "year, month, day without signs",
    "%Y-%m-%d": "",
    "%Y-%m-%dT%H:%M:%S": "",
}


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("form", FORMATS)
def test_dates_are_seconds_and_rows_are_ordered_by_them(form, store, tmp_path):
    cells = [d.strftime(form) for d in DAYS]
    got = table(cells, store, tmp_path)
    assert got.kind("when") == "number"
    expected = seconds(pd.to_datetime(cells, format=form))
    np.testing.assert_array_equal(got.column("when"), expected)
    np.testing.assert_array_equal(order_of(got, "when"), np.unique(expected, return_inverse=True)[1])
    assert any(FORMATS[form] in note and note.endswith(": when") for note in got.notes_on(["when"]))
    assert ("two-digit years" in " ".join(got.notes)) == ("%y" in form)
    assert not got.columns["when"].guess


@pytest.mark.parametrize("form", FORMATS)
@settings(max_examples=8)
@given(st.lists(st.datetimes(datetime.datetime(1970, 1, 1), datetime.datetime(2068, 1, 1)), min_size=60, max_size=60))
def test_what_was_printed_is_read_back(form, days):
    cells = [d.strftime(form) for d in days]
    read = dates(dict.fromkeys([*cells, datetime.datetime(2022, 3, 14).strftime(form)], 1))
    assert read is not None
    if not read.guess:
        assert [read.value[c] for c in cells] == seconds(pd.to_datetime(cells, format=form)).tolist()


MONTHLY = [f"01/{m:02}/{y}" for y in (2024, 2022, 2023) for m in (5, 2, 11)]
DECIDED = {  # cells -> the order they are read in, and whether it is a guess and the rows cannot be ordered
    "a day above 12": (["31/12/2024", "01/02/2024"], "dmy", False, False),
    "a month first": (["12/31/2024", "01/02/2024"], "mdy", False, False),
    "nothing tells": (["01/02/2024", "05/03/2024", "03/07/2024"], "dmy", True, True),
    "nothing tells, one order": (MONTHLY, "dmy", True, False),
    "rows in order, month first": ([f"{m:02}/{d:02}/2024" for m in range(1, 13) for d in (3, 9)], "mdy", False, False),
    "rows in order, backwards": ([f"{d:02}/{m:02}/2024" for m in range(12, 0, -1) for d in (9, 3)], "dmy", False, False),
    "points are day first": (["01.02.2024", "05.03.2024", "03.07.2024"], "dmy", False, False),
    "the same either way": (["01/01/2024", "02/02/2024"], "dmy", False, False),
    "two-digit years first": ([f"{23 + i % 2}-{1 + i % 12:02}-{1 + i % 28:02}" for i in range(60)], "ymd", False, False),
    "two-digit years last": ([f"{1 + i % 28:02}-{1 + i % 12:02}-{23 + i % 2}" for i in range(60)], "dmy", False, False),
    "two-digit years, few": (["24-01-05", "24-12-31", "23-05-07"], "dmy", True, True),
    "an odd cell that one reading knows": (["01/02/2024"] * 60 + ["05/06/2024"] * 9 + ["31/31/2024"], "dmy", True, False),
    "one that contradicts": (["12/31/2024"] * 60 + ["11/13/2024"] * 30 + ["31/12/2024"], "mdy", False, False),
}  # fmt: skip
WHERE = {"dmy": "%d{0}%m{0}%Y", "mdy": "%m{0}%d{0}%Y", "ymd": "%Y{0}%m{0}%d"}


@pytest.mark.parametrize("store", [",", "pandas"])
@pytest.mark.parametrize("case", DECIDED)
def test_which_number_is_the_day_is_decided_by_the_column(case, store, tmp_path):
    cells, order, guessed, refused = DECIDED[case]
    got = table(cells, store, tmp_path)
    column = got.columns["when"]
    sign = next(c for c in cells[0] if not c.isdigit())
    year = "%y" if len(cells[0]) == 8 else "%Y"
    form = WHERE[order].format(sign).replace("%Y", year)
    expected = pd.to_datetime(pd.Series(cells), format=form, errors="coerce")
    np.testing.assert_array_equal(got.column("when"), [np.nan if pd.isna(d) else seconds([d])[0] for d in expected])
    assert bool(column.guess) == guessed
    assert bool(column.unsure) == refused
    if refused:
        with pytest.raises(ValueError, match=r"may be read day first or .*Write the dates as 2024-12-31"):
            order_of(got, "when")
    elif not expected.isna().any():
        np.testing.assert_array_equal(order_of(got, "when"), np.unique(expected, return_inverse=True)[1])


UNSURE = ["01/02/2024", "05/03/2024", "03/07/2024"] * 4


@pytest.mark.parametrize("store", [";", "pandas"])
@pytest.mark.parametrize(
    ("other", "month"),
    [(["12/31/2023"] * 12, 1), (["31/12/2023"] * 12, 2), (["1,5"] * 12, 2), (["1.5"] * 12, None), (["x"] * 12, None)],
)
def test_another_column_may_tell(other, month, store, tmp_path):
    column = table(UNSURE, store, tmp_path, other=other).columns["when"]
    assert bool(column.guess) == bool(column.unsure) == (month is None)
    if month is not None:
        assert pd.Timestamp(column.values[0].as_py(), unit="s").month == month


def test_cells_that_contradict_each_other_are_no_dates():
    assert dates(dict.fromkeys(["12/31/2024", "31/12/2024", "01/02/2024"], 10)) is None
    assert dates({"12/31/2024": 100, "31/12/2024": 20, "01/02/2024": 50}) is None


@pytest.mark.parametrize("odd", ["unknown", "30/02/2024", "99/99/9999", "n.a.", "soon", "0"])
def test_a_few_odd_cells_are_missing_and_quoted(odd, tmp_path):
    got = table(["31/12/2024", "01/02/2023"] * 20 + [odd], ",", tmp_path)
    assert np.isnan(got.column("when")).sum() == 1
    note = f"{odd!r} (1 row) is no date among dates and was read as missing: when"
    assert note in got.notes_on(["when"])
    with pytest.raises(ValueError, match=r"1 of 41 rows have no time, such as '"):
        order_of(got, "when")


@pytest.mark.parametrize(
    "cells",
    [
        ["2001-02", "2002-03", "2010-11"],  # seasons
        ["1.2.3", "1.2.4"],
        ["10-10-10", "5-10-10", "20-20-20"],
        ["555-1234", "555-1999"],
        ["2024-13-01", "2024-31-01"],
        ["2024-03-07", "yesterday"],
        ["03-Mar", "04-Apr"],
        ["5 Mar", "6 Mar"],
    ],
)
@pytest.mark.parametrize("store", STORES)
def test_what_only_resembles_dates_stays_a_category(cells, store, tmp_path):
    assert table(cells * 10, store, tmp_path).kind("when") == "category"


def test_numbers_with_a_point_are_months_only_where_they_can_be_nothing_else(tmp_path):
    for cells, dated in (
        (["03.2024", "12.2023"], True),
        (["10.2023", "11.2023", "12.2023"], True),
        (["1.1923", "1.2034"], False),
    ):
        assert table(cells * 6, ",", tmp_path, str(len(cells[0]))).columns["when"].dated == dated


def test_some_rows_without_a_zone_are_told():
    read = dates({"2024-03-07 10:15+01:00": 3, "2024-03-07 10:15": 2})
    assert list(read.value.values()) == [1709802900, 1709806500]
    assert "2 rows without a time zone, read as UTC" in read.notes


def test_what_a_column_proves():
    assert dates({"31/12/2024": 1}).style == Style(day_first=True)
    assert dates({"12/31/2024": 1}).style == Style(day_first=False)
    for silent in ("31.12.2024", "2024-12-31", "01/02/2024"):
        assert dates({silent: 1}).style == Style()
