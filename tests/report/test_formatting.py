import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.report import formatting
from steelyard.tuning.verdict import sentences


@given(st.floats(-3, 3))
def test_numbers_are_rounded_as_the_sentence_rounds_them(value):
    assert formatting.number(value) == sentences.number(value)
    assert formatting.signed(value) == sentences.signed(value)
    assert formatting.threshold(abs(value)) == sentences.threshold(abs(value))


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("0", "0"),
        ("-3", "-3"),
        ("007", "'007'"),
        ("1.0", "'1.0'"),
        ("a'b", '"a\'b"'),
        ("٣", "'٣'"),
        ("", "''"),
        ("x\n", "'x\\n'"),
    ],
)
def test_classes_are_written_as_they_stand_in_the_column(name, code):
    assert formatting.literal(name) == code
