"""What mistakes cost: matrices in every spelling, and what they come to."""

import numpy as np
import pytest
import sklearn.metrics as sk

from steelyard.tuning.costs import parse_matrix
from steelyard.tuning.evaluator import Evaluator
from steelyard.tuning.goals import metric

GERMAN = [[0, 1], [5, 0]]
GRADES = [[0, 1, 2], [4, 0, 1], [30, 8, 0]]


def test_a_matrix_of_two_classes_is_two_costs():
    assert metric("expected_cost", 2, cost_matrix=GERMAN) == metric("expected_cost", 2, cost_fn=5, cost_fp=1)
    granted = metric("expected_cost", 2, cost_matrix=[[-3, 2], [7, 1]])  # gains on the diagonal
    assert (granted.cost_fn, granted.cost_fp) == (6, 5)
    assert metric("expected_cost", 2, exchange=8) == metric("expected_cost", 2, cost_fn=8)


def test_costs_of_three_classes_are_the_mean_of_the_cells():
    rng = np.random.default_rng(0)
    y, said = rng.integers(0, 3, size=(2, 300))
    weights = rng.integers(0, 4, size=(300, 5)).astype(np.float32)
    m = metric("expected_cost", 3, cost_matrix=np.add(GRADES, [[1], [2], [3]]))  # net of the diagonal
    found = Evaluator(m, said[None], y, 3)(weights)[0]
    cells = np.array(GRADES)[y, said]
    np.testing.assert_allclose(found, [1000 * np.average(cells, weights=w) for w in weights.T], rtol=1e-12)
    table = sk.confusion_matrix(y, said)
    assert m.of_tables(table[None])[0] == pytest.approx(1000 * cells.mean())


@pytest.mark.parametrize(
    ("classes", "options", "says"),
    [
        (2, {"cost_matrix": [[0, 1, 2], [5, 0, 1]]}, r"must be 2 x 2.*\(good, bad\), got shape \[2, 3\]"),
        (2, {"cost_matrix": [[0, np.nan], [5, 0]]}, "deciding bad for good is nan"),
        (2, {"cost_matrix": [[0, 1], [5, 6]]}, r"where bad is true, deciding good costs 5 \(row 2, column 1\)"),
        (2, {"cost_matrix": [[0, 0], [5, 0]]}, "where good is true costs no more than the right decision"),
        (2, {"cost_matrix": [[1, 1], [5, 5]]}, "no mistake costs more"),
        (2, {"cost_matrix": "dear"}, "must be numbers"),
        (2, {"cost_matrix": GERMAN, "cost_fn": 2}, "cost_fn and cost_fp and cost_matrix say the same thing"),
        (2, {"exchange": -1}, "exchange must be a number > 0"),
        (2, {"cost_fn": 0}, "cost_fn must be a number > 0"),
        (3, {"cost_fn": 2}, "cost_fn and cost_fp is for two classes"),
    ],
)
def test_costs_that_make_no_sense_are_refused(classes, options, says):
    with pytest.raises(ValueError, match=says):
        metric("expected_cost", classes, names=["good", "bad", "ugly"][:classes], **options)


@pytest.mark.parametrize(
    "text",
    [
        "0,1;5,0",
        "0,1\n5,0\n",
        "\ufeff,good,bad\ngood,0,1\nbad,5,0\n",
        "truth;bad;good\r\nbad;0;5\r\ngood;1;0\r\n",
        "good,bad\n0,1\n5,0",
        '"bad",0,5\n"good",1,0'.replace("0,5", "5,0").replace("1,0", "0,1"),
        "      good     bad\n-------------\n  good   0        1\n------------\n  bad   5        0\n",
    ],
)
def test_a_cost_matrix_is_read_in_every_spelling(text):
    np.testing.assert_array_equal(parse_matrix(text, ["good", "bad"]), GERMAN)


def test_classes_called_by_numbers_are_names_in_a_header_and_costs_elsewhere():
    np.testing.assert_array_equal(
        parse_matrix("      1        2\n----\n  1   0        1\n---\n  2   5        0\n", ["1", "2"]), GERMAN
    )
    np.testing.assert_array_equal(parse_matrix("0,1;5,0", ["0", "1"]), GERMAN)
    np.testing.assert_array_equal(parse_matrix("2,1\n1,0\n0,5", ["1", "2"]), GERMAN)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"),
        ("0,1;5", r"2 rows of 2 numbers.*got 2 rows of 1 or 2"),
        ("0,1,2;5,0,1;1,1,0", "got 3 rows of 3"),
        ("0,x;5,0", "'x' in row 1, column 2"),
        (
            ",good,ugly\ngood,0,1\nbad,5,0",
            "header of the cost matrix must name the classes good, bad, each once; unknown: ugly",
        ),
        (",good,bad\ngood,0,1\ngood,5,0", "first column of the cost matrix.*missing: bad"),
    ],
)
def test_a_cost_matrix_that_cannot_be_read_says_where(text, says):
    with pytest.raises(ValueError, match=says):
        parse_matrix(text, ["good", "bad"])
