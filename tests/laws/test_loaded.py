"""What a checkpoint brought is what a loss says of itself. Files: ops/loaded.py."""

import pytest
import torch
from tests.adaptive.rules import CASES
from torch import nn

import steelyard as sy

from .test_logits import TWO


def moved(loss: nn.Module) -> dict[str, torch.Tensor]:
    """A state of other numbers, all of them within their range."""
    state = {}
    for key, value in loss.state_dict().items():
        field = key.rsplit(".", 1)[-1]
        if field.startswith("target"):
            state[key] = 0.5 * value + 0.5 * value.flip(-1) if value.numel() > 1 and value.dim() else 0.5 * value
        else:
            state[key] = 1.5 * value
    return state


def says_what_it_computes(loss, call, like) -> None:
    """Its recipe, saved and bound anew, gives its loss; and so does the one that its numbers came from."""
    recipe = sy.Recipe.from_json(loss.recipe.to_json())
    assert recipe == loss.recipe
    again = type(loss)(recipe, reduction="none")
    for logits, target, weight in call:
        expected = loss(logits, target, weight=weight)
        torch.testing.assert_close(again(logits, target, weight=weight), expected, rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(like(logits, target, weight=weight), expected, rtol=1e-12, atol=1e-12)


def test_a_loaded_loss_says_the_loaded_numbers(subject):
    made, loss, other = (subject.loss(reduction="none") for _ in range(3))
    state = moved(made)
    other.load_state_dict(state)
    loss.load_state_dict(state)
    says_what_it_computes(loss, subject.calls().values(), other)
    if any(not torch.equal(value, made.state_dict()[key]) for key, value in state.items()):
        assert loss.recipe != subject.recipe
        assert "source = loaded" in repr(loss)
        assert loss.recipe.norm == subject.recipe.norm
        assert loss.recipe.curve == subject.recipe.curve
    loss.load_state_dict(made.state_dict())
    assert loss.recipe is subject.recipe
    assert repr(loss) == repr(made)


@pytest.mark.parametrize("name", TWO)
def test_two_exclusive_classes_on_one_logit_say_a_recipe_of_the_same_loss(name):
    recipe = sy.Recipe(**TWO[name], classes=["no", "yes"], kind="exclusive")
    loss, other = (sy.BinaryCrossEntropy(recipe, reduction="none") for _ in range(2))
    assert loss.recipe is recipe
    for each in (loss, other):
        each.load_state_dict(moved(each))
    z = torch.linspace(-3, 3, 8, dtype=torch.float64)
    calls = [(z, torch.arange(8) % 2, None), *([] if loss.bound().label_dependent else [(z, z.sigmoid(), None)])]
    says_what_it_computes(loss, calls, other)
    assert loss.recipe.classes == ("no", "yes")


@pytest.mark.parametrize("change", ["float", "half", "bfloat16", "double"])
def test_another_dtype_is_not_another_recipe(typical, change):
    loss = typical.loss()
    getattr(loss, change)()
    assert loss.recipe is typical.recipe
    loss.load_state_dict(typical.loss().state_dict())
    assert loss.recipe is typical.recipe
    wide = typical.loss()
    wide.load_state_dict(loss.state_dict())  # the numbers that it has now
    assert all(torch.equal(t.double(), u) for t, u in zip(loss.bound().tensors, wide.bound().tensors, strict=True))


@pytest.mark.parametrize("assign", [False, True])
def test_part_of_a_state_changes_part_of_the_recipe(assign):
    recipe = sy.mix(sy.Recipe(weight=[1.0, 2.0, 3.0], target=0.1), sy.Recipe(offset=[[0.5, 1.0, 2.0]]))
    loss = sy.CrossEntropy(recipe)
    loss.load_state_dict({"weight_0": torch.tensor([4.0, 5.0, 6.0], dtype=torch.float64)}, strict=False, assign=assign)
    assert loss.recipe == sy.mix(sy.Recipe(weight=[4.0, 5.0, 6.0], target=0.1), sy.Recipe(offset=[[0.5, 1.0, 2.0]]))
    with torch.no_grad():
        loss.target_0.fill_(0.2)
    assert loss.recipe.target.amount == 0.2


@pytest.mark.parametrize("assign", [False, True])
def test_what_is_learned_stays_learned_and_what_is_beside_it_is_said(assign):
    def make():
        return sy.CrossEntropy(
            sy.mix(
                sy.Recipe(weight=[2.0, 3.0]),
                sy.Recipe(weight=nn.Parameter(torch.tensor([1.0, 1.5])), target=0.1),
                sy.Recipe(offset=[[1.0, 2.0]]),
            )
        )

    first, loss = make(), make()
    assert loss.recipe is loss._recipe
    state = {key: 2 * value.detach() for key, value in first.state_dict().items()}
    loss.load_state_dict(state, assign=assign)
    assert loss.recipe.weight.numpy().reshape(-1).tolist() == [8.0, 18.0]
    assert loss.recipe.offset.numpy().tolist() == [[2.0, 4.0]]
    z, y = torch.tensor([[0.3, -0.1], [0.0, 1.0]]), torch.tensor([0, 1])
    saved = sy.Recipe.from_json(loss.recipe.to_json())
    torch.testing.assert_close(sy.CrossEntropy(saved)(z, y), loss(z, y).detach())
    assert loss.recipe.weight.live
    loss(z, y).backward()
    ((_, parameter),) = loss.named_parameters()
    assert parameter.grad is not None
    parameter.requires_grad_(False)
    assert loss.recipe.weight.numpy().reshape(-1).tolist() == [8.0, 18.0]


def test_numbers_that_are_none_of_a_recipe_are_said_so_where_it_is_asked_for():
    loss = sy.CrossEntropy(sy.Recipe(weight=[1.0, 2.0]))
    loss.load_state_dict({"weight_0": torch.tensor([1.0, float("nan")])})
    assert "weight holds NaN" in repr(loss)
    with pytest.raises(ValueError, match="weight holds NaN"):
        _ = loss.recipe


@pytest.mark.parametrize("name", CASES)
def test_a_loaded_rule_says_the_recipe_of_the_one_that_was_saved(name):
    case = CASES[name]
    trained, _ = case.trained(last=4)
    fresh = case.loss()
    fresh.load_state_dict(trained.state_dict())
    assert fresh.recipe == trained.recipe
    assert sy.Recipe.from_json(fresh.recipe.to_json()) == trained.recipe
    x, y = case.data()
    z = case.logits(x)
    torch.testing.assert_close(fresh.eval()(z, y), trained.eval()(z, y))
