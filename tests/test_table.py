"""Tables: factors that are kept apart, and read whole, by their diagonal, or as JSON."""

import json

import numpy as np
import pytest

from steelyard.table import Rows, Smooth, Table, plain, unplain


def of(name: str, *values) -> Table:
    first, *others = (Table.of(name, v, (f"call {i}",)) for i, v in enumerate(values))
    for other in others:
        first = first.join(other)
    return first


BY_LABEL, BY_CLASS = [1.0, 2.0, 4.0], [[1.0, 10.0, 100.0]]
DENSE = np.arange(9.0).reshape(3, 3) + 1


@pytest.mark.parametrize("name", ["weight", "offset"])
def test_the_diagonal_is_that_of_the_whole_table(name):
    table = of(name, BY_LABEL, BY_CLASS, DENSE, 3.0)
    label, row = np.reshape(BY_LABEL, (3, 1)), np.array(BY_CLASS)
    whole = 3 * label * row * DENSE if name == "weight" else 3 + label + row + DENSE
    np.testing.assert_allclose(table.numpy(), whole, rtol=1e-15)
    np.testing.assert_allclose(table.diagonal(3), np.diagonal(whole), rtol=1e-15)
    assert table.shape == (3, 3)


def test_the_diagonal_of_a_large_outer_product_is_never_written_out():
    size = 128_000  # squared, 131 GB
    table = of("weight", np.full(size, 2.0), np.full((1, size), 3.0))
    assert (table.diagonal(size) == 6).all()


def test_equal_tables_were_mixed_in_any_order():
    assert of("weight", BY_LABEL, BY_CLASS, [2.0, 2.0, 2.0]) == of("weight", [2.0, 4.0, 8.0], BY_CLASS)
    assert of("weight", BY_LABEL) != of("offset", BY_LABEL)
    assert of("weight", BY_LABEL) != of("weight", BY_CLASS)
    with pytest.raises(ValueError, match=r"\[3, 1\] and \[2, 1\] do not broadcast"):
        of("weight", BY_LABEL, [1.0, 2.0])


def test_numbers_are_copied_and_frozen():
    given = np.array(BY_LABEL)
    table = of("weight", given)
    given[0] = 7.0
    assert table.numpy()[0, 0] == 1.0
    with pytest.raises(ValueError, match="read-only"):
        table.numpy()[0, 0] = 7.0


def test_json_holds_infinity_and_where_a_factor_came_from():
    table = of("offset", [0.0, -np.inf], [[1.0, 2.0]])
    again = Table.from_data("offset", json.loads(json.dumps(table.to_data(), allow_nan=False)))
    assert again == table
    assert repr(again) == repr(table)
    assert "call 1" in repr(table)
    values = np.array([[np.inf, -np.inf], [np.nan, 0.1]])
    np.testing.assert_array_equal(unplain(json.loads(json.dumps(plain(values), allow_nan=False))), values)


def test_smoothing_written_out():
    np.testing.assert_allclose(Smooth(0.2).rows(2), [[0.9, 0.1], [0.1, 0.9]])
    np.testing.assert_allclose(Smooth([0.0, 0.5], [0.2, 0.8]).rows(2), [[1, 0], [0.1, 0.9]])


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Table.of("weight", "heavy"), "weight must be numbers, got 'heavy'"),
        (lambda: Table.of("weight", np.ones((2, 2, 2))), r"shape \[2, 2, 2\]; a table is \[label value, class\]"),
        (lambda: Table.of("weight", []), r"shape \[0, 1\]"),
        (lambda: Smooth(1.5), r"must be in \[0, 1\]"),
        (lambda: Smooth(0.1, [[0.5, 0.5]]), "one probability per class"),
        (lambda: Rows([0.5, 0.5]), "2-D table of probabilities"),
        (lambda: Rows(np.full((3, 3), 0.5)), "target row 0 sums to 1.5"),
    ],
)
def test_what_is_no_table_is_refused(make, says):
    with pytest.raises(ValueError, match=says):
        make()
