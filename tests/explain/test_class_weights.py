"""Class weights for frameworks that know nothing else: when they say all of a recipe, and what they are keyed by."""

import pytest

from steelyard import Counts, Recipe, focal, inverse_frequency, mix
from steelyard.explain.class_weights import beyond_weights, label_values

COUNTS = Counts.of(900, 100)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("0", "0"),
        ("-3", "-3"),
        ("007", "'007'"),
        ("1.0", "'1.0'"),
        ("2.5", "2.5"),
        ("nan", "'nan'"),
        ("a'b", '"a\'b"'),
        ("٣", "'٣'"),
        ("", "''"),
        ("x\n", "'x\\n'"),
    ],
)
def test_classes_are_written_as_they_stand_in_the_column(name, code):
    assert [repr(value) for value in label_values([name])] == [code]


def test_one_name_that_is_no_number_makes_all_of_them_text():
    assert label_values(["0", "1", "ill"]) == ["0", "1", "ill"]
    assert label_values(["1", "2.5"]) == [1, 2.5]
    assert label_values(["7", "007"]) == ["7", "007"]


def test_booleans_are_what_pandas_reads_from_the_file():
    for names in (["False", "True"], ["false", "true"], ["FALSE", "TRUE"]):
        assert label_values(names) == [False, True]
    assert label_values(["TRUE", "true", "false"]) == ["TRUE", "true", "false"]


def test_weights_alone_can_be_said_and_nothing_beyond_them():
    weighed = inverse_frequency(COUNTS)
    assert beyond_weights(weighed) is None
    for beyond, reason in (
        (Recipe(), "it sets no weight"),
        (mix(weighed, focal(gamma=2.0)), "its curve changes how the penalty falls"),
        (mix(weighed, Recipe(norm="mass")), "its norm changes what the loss is divided by"),
        (Recipe(weight=[[1.0, 2.0], [3.0, 4.0]]), "per label"),
    ):
        assert reason in str(beyond_weights(beyond))
