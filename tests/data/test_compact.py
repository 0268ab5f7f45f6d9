"""Whole numbers that are dates and out of order as they stand."""

import datetime

import numpy as np
import pandas as pd
import pytest

from steelyard.data.compact import compact
from steelyard.tuning.data.group_time import order_of
from steelyard.tuning.data.problem import as_table

DAYS = [datetime.date(2023 + i % 2, 1 + i * 5 % 12, 31 - 3 * i) for i in (0, 1, 2, 4, 5, 6, 7, 8)]
FORMS = ["%d%m%Y", "%m%d%Y", "%d%m%y", "%m%d%y", "%Y%m%d", "%y%m%d", "%Y%m", "%m%Y"]


@pytest.mark.parametrize("typed", [int, str])
@pytest.mark.parametrize("form", FORMS)
def test_rows_are_ordered_by_the_dates_that_numbers_spell(form, typed):
    cells = [typed(d.strftime(form)) for d in DAYS]
    notes = []
    ranks = order_of(as_table(pd.DataFrame({"t": cells})), "t", notes=notes)
    assert (
        ranks.tolist()
        == np.unique([d.strftime("%Y%m%d")[: 6 if form in ("%Y%m", "%m%Y") else 8] for d in DAYS], return_inverse=True)[
            1
        ].tolist()
    )
    assert len(notes) == (not form.startswith(("%Y", "%y")))


@pytest.mark.parametrize(
    "numbers", [range(100, 200), range(10_000, 90_000, 7), [2019, 2020, 2021, 2022], [1_709_769_600, 1_709_769_601], range(101990, 102011)]
)  # fmt: skip
def test_other_numbers_are_in_order_as_they_stand(numbers):
    assert compact(np.array(numbers)) is None


def test_years_across_a_century_are_in_order():
    read = compact(np.array([101, 991231, 991130, 991029]))
    assert np.argsort(read.seconds).tolist() == [3, 2, 1, 0]


def test_what_may_be_day_or_month_first_is_not_ordered():
    with pytest.raises(ValueError, match="may be day, month, year or month, day, year"):
        order_of(as_table(pd.DataFrame({"t": [1022024, 5032024, 3072024]})), "t")
