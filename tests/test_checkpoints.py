"""Recipes and counts in files that load nothing but what is known to be safe."""

import copy
import dataclasses
import io
import pickle
import pickletools
import subprocess
import sys

import pytest
import torch

import steelyard as sy
from steelyard import checkpoints, testing

COUNTS = sy.Counts.of(900, 90, 10, classes=["a", "b", "c"])
RECIPES = {
    "mixed": sy.mix(sy.effective_number(COUNTS), sy.logit_adjustment(COUNTS), sy.margin(COUNTS), sy.smooth(0.1)),
    **testing.recipes("softmax"),
}


def through_torch(value):
    file = io.BytesIO()
    torch.save(value, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_in_a_checkpoint_loads_where_only_weights_may(name):
    recipe = RECIPES[name]
    assert through_torch({"recipe": [recipe]})["recipe"] == [recipe]
    assert pickle.loads(pickle.dumps(recipe)) == recipe


def test_so_do_counts():
    counts = sy.Counts([3, 4], ["x", "y"], containing=[5, 6], also={"images": [1, 2]}, notes=["one"])
    assert through_torch(counts) == counts
    assert pickle.loads(pickle.dumps(counts)).notes == ("one",)


def test_what_is_stored_is_text_for_one_function():
    stream = pickle.dumps(RECIPES["mixed"], protocol=2)
    names = [argument for opcode, argument, _ in pickletools.genops(stream) if opcode.name == "GLOBAL"]
    assert names == ["steelyard.checkpoints read"]
    with pytest.raises(ValueError, match="a checkpoint holds a 'os', which is none of recipe, counts"):
        checkpoints.read("os", "{}")


@pytest.mark.parametrize(
    "first",
    [
        "import steelyard, torch",
        "import torch, steelyard",
        "import torch; from steelyard import Recipe",
        "import steelyard, importlib.util; importlib.util.find_spec('torch'); import torch",
    ],
)
def test_the_order_of_imports_does_not_matter(first, tmp_path):
    torch.save({"recipe": sy.focal(gamma=3.0)}, tmp_path / "model.pt")
    program = f"{first}; import sys; print(torch.load(sys.argv[1], weights_only=True)['recipe'].curve)"
    run = subprocess.run([sys.executable, "-c", program, tmp_path / "model.pt"], capture_output=True, text=True)
    assert run.stdout.strip() == "Focal(gamma=3.0)", run.stderr


def test_numbers_that_are_learned_stay_what_they_are():
    weight = torch.nn.Parameter(torch.tensor([1.0, 2.0]))
    recipe = sy.Recipe(weight=weight)
    twin = pickle.loads(pickle.dumps(recipe))
    assert twin.weight.factors[0].values.requires_grad
    assert twin == recipe
    loss, copied = sy.CrossEntropy(recipe), copy.deepcopy(sy.CrossEntropy(recipe))
    assert [p.tolist() for p in copied.parameters()] == [[1.0, 2.0]]
    assert next(copied.parameters()) is not next(loss.parameters())
    both = copy.deepcopy({"weight": weight, "recipe": recipe})  # one Parameter before, one after
    assert both["recipe"].weight.factors[0].values is both["weight"]


@dataclasses.dataclass(frozen=True)
class Unknown:
    def value(self, logp, q):
        return -logp

    def slope(self, logp, q):
        return -torch.ones_like(logp)


def test_a_curve_that_text_cannot_say_goes_to_processes_but_not_into_checkpoints():
    recipe = sy.Recipe(curve=Unknown())
    assert pickle.loads(pickle.dumps(recipe)) == recipe
    with pytest.raises(pickle.UnpicklingError, match="Recipe"):
        through_torch(recipe)


def test_a_frozen_recipe_is_its_own_copy():
    assert copy.deepcopy(RECIPES["mixed"]) is RECIPES["mixed"]
    assert copy.copy(RECIPES["mixed"]) == RECIPES["mixed"]
