import re

from hypothesis import given
from hypothesis import strategies as st

from steelyard.tuning.verdict.digits import interval, limit, number, places, signed


@given(st.floats(1e-6, 1.0), st.floats(-1.0, 1.0), st.floats(0.0, 1.0))
def test_a_difference_and_its_interval_never_read_as_zeros(scale, middle, half):
    gain, low, high = scale * middle, scale * (middle - half), scale * (middle + half)
    decimals = places(gain, low, high)
    said = f"{signed(gain, decimals)} {interval(low, high, decimals)}"
    if max(abs(gain), abs(low), abs(high)) >= 2e-6:
        assert re.search("[1-9]", said), said
    assert not re.search(r"-0\.0*(?!\d)", said), said


def test_numbers_of_the_usual_size_have_three_decimals():
    assert places(0.092, 0.031, 0.152) == 3
    assert signed(0.003) + " " + interval(-0.004, 0.010) == "+0.003 [-0.004, 0.010]"


def test_no_difference_is_said_without_decimals():
    assert signed(0.0) + " " + interval(0.0, 0.0) == "0 [0, 0]"
    assert number(-0.0) == "0.000"
    assert limit(0.00012) == "0.0001"
