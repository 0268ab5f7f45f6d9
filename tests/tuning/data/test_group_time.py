"""Times as ranks and groups as codes; what cannot be one is named."""

import datetime

import numpy as np
import pandas as pd
import pytest

from steelyard.data.tables import Table, read_table
from steelyard.tuning.data.features import read
from steelyard.tuning.data.group_time import codes_of, order_of
from steelyard.tuning.data.problem import as_table

DAYS = [datetime.datetime(2014, 3, 7), datetime.datetime(2013, 1, 2, 3, 4, 5), datetime.datetime(2014, 3, 7, 1)]


def table(values) -> Table:
    return as_table(pd.DataFrame({"t": values}))


@pytest.mark.parametrize(
    "values",
    [
        DAYS,
        [d.isoformat(" ") for d in DAYS],
        [d.isoformat() + "Z" for d in DAYS],
        [d.isoformat() + ".123456789" for d in DAYS],
        [(d + datetime.timedelta(hours=2)).isoformat() + "+02:00" for d in DAYS],
        [d.strftime("%d/%m/%Y %H:%M:%S") for d in [*DAYS, datetime.datetime(2014, 3, 31)]],
        [d.strftime("%b %d, %Y %I:%M:%S %p") for d in DAYS],
        ["10:30", "09:15:30", "10:30:01"],
        ["2:30 PM", "11:15 AM", "11:15 PM"],
        ["2 days 01:00:00", "1 days 23:00:00", "2 days 01:00:01"],
        ["1,219.5", "3.25", "1,220"],
        ["0930", "0815", "1015"],
        pd.Categorical(["2014-03-07", "2013-01-02", "2014-03-08"]),
        [d.timestamp() for d in DAYS],
        [int(d.timestamp()) for d in DAYS],
    ],
)
def test_times_are_ranked(values):
    found = order_of(table(values), "t")
    assert found.dtype == np.int64
    assert found.tolist()[:3] == [1, 0, 2]


def test_equal_times_have_equal_ranks():
    assert order_of(table(["2014-03-08", "2014-03-07", "2014-03-08"]), "t").tolist() == [1, 0, 1]


def test_whole_numbers_too_large_for_a_float_keep_their_order():
    big = 2**60
    assert order_of(table([big + 1, big, big + 2]), "t").tolist() == [1, 0, 2]


def test_times_of_a_csv_are_ranked(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("when,y\n2014-03-07 03:41,a\n2013-12-31 23:59,b\n")
    assert order_of(read_table(path), "when").tolist() == [1, 0]


@pytest.mark.parametrize("kind", ["time32[s]", "time64[us]", "duration[s]"])
def test_times_of_day_and_durations_are_numbers_of_seconds(kind):
    import pyarrow as pa

    types = {"time32[s]": pa.time32("s"), "time64[us]": pa.time64("us"), "duration[s]": pa.duration("s")}
    factor = 1_000_000 if "us" in kind else 1
    values = pa.array([3600 * factor, None, 60 * factor], types[kind])
    found = as_table(pa.table({"t": values}))
    np.testing.assert_array_equal(found.column("t"), [3600, np.nan, 60])
    assert order_of(found, "t", rows=np.array([True, False, True])).tolist() == [1, 0]


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (["7 March", "8 March"], r"cannot be put in order: it holds '7 March', '8 March'"),
        (["31/12/2024"] * 12 + ["soon"], "1 of 13 rows have no time, such as 'soon'"),
        (["01/02/2024", "05/03/2024", "03/07/2024"] * 2, "'01/02/2024' may be read day first or month first"),
        (["31/12/2024", "31/12/2024"], "one time only, '31/12/2024'"),
        (["2014-03-07", "yesterday"], "cannot be put in order"),
        ([True, False], "cannot be put in order"),
        (["2014-03-07", None], "1 of 2 rows have no time"),
        ([1.0, float("nan"), 2.0], "1 of 3 rows have no time"),
        (["2014-03-07", "2014-03-07"], "one time only, '2014-03-07'"),
    ],
)
def test_what_cannot_be_put_in_order_is_named(values, says):
    with pytest.raises(ValueError, match=says):
        order_of(table(values), "t")


def test_rows_that_do_not_matter_may_lack_a_key():
    keep = np.array([True, False, True])
    assert order_of(table([5.0, np.nan, 3.0]), "t", rows=keep).tolist() == [1, 0]
    assert codes_of(table(["u", None, "v"]), "t", rows=keep).tolist() == [0, 1]


@pytest.mark.parametrize(
    "values", [["ann", "bob", "ann"], [7, 3, 7], [1.5, 2.5, 1.5], [True, False, True], DAYS[:2] + DAYS[:1]]
)
def test_groups_are_numbered_as_they_come(values):
    found = codes_of(table(values), "t")
    assert found.dtype == np.int64
    assert found.tolist() == [0, 1, 0]


@pytest.mark.parametrize(
    ("values", "says"), [(["ann", None], "1 of 2 rows have no group"), (["ann", "ann"], "one group only, 'ann'")]
)
def test_what_makes_no_groups_is_named(values, says):
    with pytest.raises(ValueError, match=says):
        codes_of(table(values), "t")


def test_dates_in_text_become_a_number_to_learn_from():
    days = pd.date_range("2014-01-01", periods=60).to_numpy()[np.random.default_rng(0).integers(0, 60, 60)]
    text = np.array([str(d)[:10] for d in days], dtype=object)
    found = read(as_table(pd.DataFrame({"when": text, "y": np.arange(60) % 2})), "y")
    np.testing.assert_array_equal(found.columns[0].values, days.astype("datetime64[s]").astype(float))
    assert found.columns[0].dated
