"""Where the axes of reliability end."""

import math

from hypothesis import given
from hypothesis import strategies as st

from steelyard.report.pictures.reliability import end


@given(st.lists(st.floats(0, 1), min_size=1))
def test_the_end_of_an_axis_lies_beyond_every_value(values):
    assert max(values) <= end(values) <= 1.0 or math.isclose(end(values), max(values))
