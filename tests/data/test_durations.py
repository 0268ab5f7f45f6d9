"""Times of day and durations are seconds, as pandas reads them."""

import datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.data.cells import from_typed_text
from steelyard.data.durations import EXAMPLES, clock, counted


def seconds(cell):
    exact = clock(cell)
    length = counted(cell)
    return exact if exact is not None else None if length is None else length[0]


ALSO = (
    "-1 days +23:00:00",
    "1 day, 2:03:04",
    "2 days 03:04:05.5",
    "PT5M",
    "1 min 30 s",
    "90 seconds",
    "1.5 h",
    "3 days",
)
BY_HAND = {"00:05": 300, "100:00": 360_000, "2:30 PM": 52_200, "-00:30": -1800, "12h30": 45_000, "2 weeks": 1_209_600}
BY_HAND |= {"12:00 AM": 0, "12:00 pm": 43_200, "1 year": 31_557_600, "2 hours and 5 minutes": 7500}


@pytest.mark.parametrize("cell", [*EXAMPLES, *ALSO, *BY_HAND])
def test_they_are_seconds(cell):
    expected = BY_HAND[cell] if cell in BY_HAND else pd.Timedelta(cell).total_seconds()
    assert seconds(cell) == pytest.approx(expected)


@given(st.timedeltas(datetime.timedelta(-5000), datetime.timedelta(5000)))
def test_what_python_and_pandas_print_is_read_back(length):
    for text in (str(length), str(pd.Timedelta(length)), pd.Timedelta(length).isoformat()):
        if "P-" not in text:  # pandas writes the sign of negative ones inside
            assert seconds(text) == pytest.approx(length.total_seconds(), abs=1e-5)


@pytest.mark.parametrize("cell", ["16:9", "1:2", "10:60", "13:00 PM", "P", "PT", "5 kg", "h", "1:2:3:4", "5 m x"])
def test_what_is_no_time(cell):
    assert seconds(cell) is None


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["35 min", "40 min"], [35, 40]),  # one unit is taken off
        (["1h 30m", "45m"], [5400, 2700]),
        (["2 h", "30 min"], [7200, 1800]),
        (["1 day", "2 days"], [86_400, 172_800]),
        (["1 year", "2 weeks"], [31_557_600, 1_209_600]),
        (["5 m", "6 m"], [5, 6]),
    ],
)
def test_units_that_differ_make_seconds_of_a_column(cells, expected):
    import pyarrow as pa

    column = from_typed_text(pa.chunked_array([cells * 10]))
    np.testing.assert_allclose(column.values.to_numpy(), expected * 10)
    assert column.notes
