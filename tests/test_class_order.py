"""A recipe for the same classes in another order weighs the same things."""

import numpy as np
import pytest
import torch

import steelyard as sy
from steelyard.class_order import at_places, in_order, moves, standing
from steelyard.table import Rows, Smooth

NAMES = ("a", "b", "c")
ORDERS = [("a", "c", "b"), ("c", "a", "b"), ("b", "a", "c"), NAMES]
ROWS = np.array([[0.8, 0.15, 0.05], [0.0, 0.9, 0.1], [0.3, 0.2, 0.5]])
RNG = np.random.default_rng(0)


def table(low: float, high: float, *shape: int) -> np.ndarray:
    return RNG.uniform(low, high, shape)


RECIPES = {
    "weight of a label": {"weight": table(0.1, 3, 3)},
    "weight of a pair": {"weight": table(0.1, 3, 3, 3)},
    "weight of a class": {"weight": table(0.1, 3, 1, 3)},
    "one weight": {"weight": 2.0},
    "scale": {"scale": table(0.5, 2, 3)},
    "offset": {"offset": table(-1, 1, 3, 3)},
    "margin": {"margin": table(0, 1, 3)},
    "rows": {"target": Rows(ROWS)},
    "smooth": {"target": Smooth(np.array([0.1, 0.2, 0.3]), np.array([0.5, 0.3, 0.2]))},
    "all": {
        "weight": table(0.1, 3, 3),
        "scale": table(0.5, 2, 1, 3),
        "offset": table(-1, 1, 3),
        "target": Smooth(0.1, np.array([0.5, 0.3, 0.2])),
        "curve": sy.curves.Focal(2.0),
        "norm": "mass",
    },
}


@pytest.mark.parametrize("classes", ORDERS, ids="".join)
@pytest.mark.parametrize("fields", RECIPES.values(), ids=RECIPES)
def test_the_loss_of_the_same_rows_is_the_same(fields, classes):
    recipe = sy.Recipe(**fields, classes=NAMES, kind="exclusive", source=("mine",))
    moved = in_order(recipe, classes)
    assert (moved.classes, moved.kind, moved.source) == (classes, "exclusive", ("mine",))
    logits, y = torch.randn(50, 3, generator=torch.Generator().manual_seed(0)), torch.arange(50) % 3
    at = torch.tensor([classes.index(name) for name in NAMES])  # where each class went
    there = torch.empty_like(logits)
    there[:, at] = logits
    torch.testing.assert_close(
        sy.CrossEntropy(moved, reduction="none")(there, at[y]), sy.CrossEntropy(recipe, reduction="none")(logits, y)
    )
    assert in_order(moved, NAMES) == recipe


def test_a_table_that_is_learned_goes_along_and_is_learned_still():
    weight = torch.tensor([1.0, 2.0, 4.0], requires_grad=True)
    moved = in_order(sy.Recipe(weight=weight, classes=NAMES), ("c", "a", "b"))
    sy.CrossEntropy(moved)(torch.zeros(1, 3), torch.tensor([0])).backward()  # of "c"
    assert weight.grad.tolist()[:2] == [0, 0]
    assert weight.grad[2] > 0


def test_of_multilabel_recipes_labels_move_and_answers_do_not():
    recipe = sy.Recipe(weight=[[1.0, 2.0], [3.0, 4.0]], classes=("a", "b"), kind="multilabel")
    assert in_order(recipe, ("b", "a")).weight.numpy().tolist() == [[2.0, 1.0], [4.0, 3.0]]


def test_other_classes_are_refused_and_no_classes_stay():
    with pytest.raises(ValueError, match="'c', 'd' are in only one"):
        in_order(sy.Recipe(weight={"a": 1, "c": 2}), ("a", "d"))
    nameless = sy.Recipe(weight=[1, 2])
    assert in_order(nameless, ("b", "a")) is nameless


def test_places_are_where_labels_of_that_number_look():
    assert standing(("1", "0")) == ("0", "1")
    assert standing(("True", "False")) == ("False", "True")
    for others in (
        ("0", "1"),
        ("yes", "no"),
        ("2", "1"),
        ("2", "0", "1"),
    ):  # the tuner turns two classes, and only those
        assert standing(others) == others
    assert at_places(sy.Recipe(weight=[1.0, 9.0], classes=("1", "0"))).label_weights().tolist() == [9.0, 1.0]
    assert at_places(sy.Recipe()) == sy.Recipe()


def test_what_the_order_of_two_classes_moves():
    assert moves(sy.Recipe(weight=[1, 9]))
    assert moves(sy.Recipe(offset=[[0, 1], [2, 0]]))
    assert not moves(sy.Recipe(offset=[[0, 1], [1, 0]]))
    assert not moves(sy.focal(2.0))
    assert not moves(sy.Recipe(weight=[3, 3]))
