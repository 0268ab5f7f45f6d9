"""Cost matrices."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.ingredients import costs

COST = st.floats(0.01, 100)


@given(COST, COST, st.floats(0.001, 0.999))
def test_two_classes_decide_as_the_costs_do(false_alarm, miss, eta):
    """With weights, "more likely than not" is the cheapest answer: Elkan's threshold p* = c10 / (c10 + c01)."""
    no, yes = costs([[0, false_alarm], [miss, 0]]).label_weights()
    cost_of_yes, cost_of_no = (1 - eta) * false_alarm, eta * miss
    if abs(cost_of_no - cost_of_yes) < 1e-9 * cost_of_no:
        return
    assert (eta * yes > (1 - eta) * no) == (cost_of_yes < cost_of_no) == (eta > false_alarm / (false_alarm + miss))


def test_a_row_is_the_truth_and_its_sum_off_the_diagonal_the_weight():
    recipe = costs([[0, 1, 2], [10, 0, 20], [3, 4, 0]], classes=["a", "b", "c"])
    assert recipe.label_weights().tolist() == [3, 30, 7]
    assert recipe.classes == ("a", "b", "c")


def test_target_rows_sum_to_one():
    rows = costs([[3, 1], [1, 1]], field="target").target.numpy()
    np.testing.assert_allclose(rows, [[0.75, 0.25], [0.5, 0.5]], rtol=1e-15)


def test_the_offset_is_cosens_softmax():
    xi, z = np.array([[1, 2.0], [0.5, 1]]), np.array([0.3, -0.4])
    offset = costs(xi, field="offset").offset.numpy()
    for y in (0, 1):
        ours = np.exp(z + offset[y]) / np.exp(z + offset[y]).sum()
        np.testing.assert_allclose(ours, xi[y] * np.exp(z) / (xi[y] * np.exp(z)).sum(), rtol=1e-12)


@pytest.mark.parametrize(
    ("matrix", "options", "message"),
    [
        (
            [[0, 1], [5, 2]],
            {"classes": ["good", "bad"]},
            "a right answer on bad costs 2; a weight needs a diagonal of 0",
        ),
        ([[0, -1], [5, 0]], {}, "finite numbers >= 0, got -1"),
        ([[0, np.inf], [5, 0]], {}, "finite numbers >= 0, got inf"),
        ([[0, np.nan], [5, 0]], {}, "finite numbers >= 0, got nan"),
        ([[0, 0], [0, 0]], {}, "the matrix is all 0"),
        ([[0, 1, 2], [5, 0, 1]], {}, r"must be \[C, C\] with C >= 2, got shape \[2, 3\]"),
        ([[0]], {}, r"with C >= 2, got shape \[1, 1\]"),
        (5.0, {}, r"got shape \[\]"),
        ("dear", {}, "matrix must be numbers"),
        ([[0, 1], [5, 0]], {"classes": ["a", "b", "c"]}, "for 2 classes but 3 names"),
        ([[0, 1], [0, 0]], {"field": "target", "classes": ["a", "b"]}, "the row of b is all 0"),
        ([[1, 2], [0, 1]], {"field": "offset", "classes": ["a", "b"]}, r"matrix\[b, a\] is 0"),
        ([[1, 2], [3, 1]], {"field": "margin"}, "field must be one of 'weight', 'target', 'offset', got 'margin'"),
    ],
)
def test_a_matrix_that_is_no_cost_says_why(matrix, options, message):
    with pytest.raises(ValueError, match=f"^costs: .*{message}"):
        costs(matrix, **options)


def test_the_matrix_is_not_written_to():
    matrix = np.array([[0.0, 1.0], [5.0, 0.0]])
    for field in ("weight", "target"):
        costs(matrix, field=field)
    assert matrix.tolist() == [[0, 1], [5, 0]]
