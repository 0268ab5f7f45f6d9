"""Lightning under a recipe: one optimiser step is that of one batch on one device."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

import steelyard as sy

pytest.importorskip("lightning")
from tests.integrations import lightning_runs as runs

from steelyard.integrations.lightning import RecipeCallback

pytestmark = pytest.mark.filterwarnings(
    "ignore::UserWarning", "ignore::FutureWarning", "ignore::DeprecationWarning", "ignore::ResourceWarning"
)


def start(norm="count"):
    return torch.cat([p.detach().flatten() for p in runs.Net(runs.recipe_of(norm)).layer.parameters()])


@pytest.mark.parametrize("norm", ["count", "mass"])
@pytest.mark.parametrize("accumulate", [4, 3])  # 3 does not divide the 8 micro-batches: the last step has two
def test_micro_batches_are_one_batch(norm, accumulate):
    whole, _ = runs.train(runs.Net(runs.recipe_of(norm)), 4 * accumulate, 1)
    parts, _ = runs.train(runs.Net(runs.recipe_of(norm)), 4, accumulate)
    torch.testing.assert_close(parts, whole, rtol=1e-9, atol=1e-11)
    without, _ = runs.train(runs.Net(runs.recipe_of(norm)), 4, accumulate, callback=None)
    off = float((without - whole).norm() / (whole - start()).norm())  # what was wrong before
    assert off > 0.05
    if accumulate == 4:
        assert off == pytest.approx({"count": 0.34, "mass": 0.67}[norm], abs=0.01)


def test_clipping_sees_the_gradients_of_one_batch():
    options = {"gradient_clip_val": 0.05}
    whole, _ = runs.train(runs.Net(runs.recipe_of("mass")), 16, 1, **options)
    parts, _ = runs.train(runs.Net(runs.recipe_of("mass")), 4, 4, **options)
    torch.testing.assert_close(parts, whole, rtol=1e-9, atol=1e-11)


@pytest.mark.slow
@pytest.mark.parametrize("norm", ["count", "mass"])
def test_two_ranks_with_micro_batches_are_one(tmp_path, norm):
    """Ranks take turns in the rows, so a step of two ranks, two micro-batches and four rows has the rows of 16 in a line."""
    whole, _ = runs.train(runs.Net(runs.recipe_of(norm)), 16, 1)
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--nproc-per-node=2",
        "--standalone",
        "-m",
        "tests.integrations.lightning_runs",
    ]
    root = Path(__file__).parents[2]
    run = subprocess.run([*command, tmp_path / "found.pt", norm], capture_output=True, text=True, cwd=root)
    assert run.returncode == 0, run.stderr
    found = torch.load(tmp_path / "found.pt", weights_only=True)
    torch.testing.assert_close(found, whole, rtol=1e-9, atol=1e-11)


def test_rules_learn_once_per_step_and_are_told_the_epoch():
    made = lambda: runs.Net(sy.adaptive.Seesaw(sy.Counts.of(14, 7, 3)))  # noqa: E731
    whole, _ = runs.train(made(), 16, 1)
    parts, _ = runs.train(made(), 4, 4)
    torch.testing.assert_close(parts, whole, rtol=1e-6, atol=1e-9)
    net = runs.Net(sy.adaptive.Deferred(sy.Recipe(), sy.fixed(weight=[1.0, 1.0, 100.0]), after_epoch=1))
    runs.train(net, 16, 1, epochs=1)
    assert net.loss.recipe.label_weights()[-1] == 1.0
    net = runs.Net(sy.adaptive.Deferred(sy.Recipe(), sy.fixed(weight=[1.0, 1.0, 100.0]), after_epoch=1))
    _, trainer = runs.train(net, 16, 1, epochs=2, validate=True)
    assert trainer.logged_metrics["weight/2"] in (1.0, 100.0)
    assert net.loss.recipe.label_weights()[-1] == 100.0


def test_other_terms_are_welcome_without_accumulation_and_named_with_it():
    runs.train(runs.Net(runs.recipe_of("count"), extra=0.1), 16, 1)
    with pytest.raises(ValueError, match="has to return that loss alone"):
        runs.train(runs.Net(runs.recipe_of("count"), extra=0.1), 4, 4)
    with pytest.raises(ValueError, match="validation within an optimiser step"):
        runs.train(runs.Net(runs.recipe_of("count")), 4, 4, validate=True, val_check_interval=3)
    with pytest.raises(ValueError, match=r"Net.criterion is NoneType and no steelyard loss"):
        runs.train(runs.Net(runs.recipe_of("count")), 4, 1, callback=[RecipeCallback(loss="criterion")])


def test_a_recipe_among_the_hyperparameters_loads(tmp_path):
    recipe = sy.mix(runs.recipe_of("mass"), sy.focal(gamma=1.0))
    net = runs.Net(recipe)
    _, trainer = runs.train(net, 16, 1)
    trainer.save_checkpoint(tmp_path / "net.ckpt")
    again = runs.Net.load_from_checkpoint(tmp_path / "net.ckpt", weights_only=True)
    assert again.loss.recipe == again.hparams["recipe"] == recipe
    resumed, _ = runs.train(runs.Net(recipe), 4, 4, epochs=2)
    straight, _ = runs.train(runs.Net(recipe), 16, 1, epochs=2)
    torch.testing.assert_close(resumed, straight, rtol=1e-9, atol=1e-11)
