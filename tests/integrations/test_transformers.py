"""Trainer under a recipe: one optimiser step is that of one batch on one device, whatever it is cut into."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import steelyard as sy

pytest.importorskip("transformers")
pytest.importorskip("accelerate")
from tests.integrations import trainer_runs as runs

from steelyard.integrations.transformers import RecipeTrainer

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning", "ignore::DeprecationWarning")


def change(found, before, other):
    """How far two runs are apart, beside what they changed."""
    return float((found - other).norm() / (found - before).norm())


@pytest.mark.parametrize("norm", ["count", "mass"])
@pytest.mark.parametrize("task", ["sequence", "tokens", "several", "language"])
def test_four_micro_batches_are_one_batch(task, norm):
    whole, _, before = runs.train(task, runs.loss_of(task, norm), 8, 1)
    parts, _, _ = runs.train(task, runs.loss_of(task, norm), 2, 4)
    assert change(whole, before, parts) < 2e-6
    one = runs.train(task, runs.loss_of(task, "count" if norm == "mass" else "mass"), 8, 1)[0]
    assert change(whole, before, one) > 0.05  # the norm matters here


def test_a_mean_in_compute_loss_steps_by_the_number_of_micro_batches():
    """What was wrong before: Trainer takes such a mean for one that is divided already."""
    whole, _, before = runs.train("sequence", None, 8, 1, trainer=runs.Documented, steps=1)
    parts, _, _ = runs.train("sequence", None, 2, 4, trainer=runs.Documented, steps=1)
    factor = float((parts - before).norm() / (whole - before).norm())
    assert 3.9 < factor < 4.1


@pytest.mark.parametrize(("norm", "averaged"), [("mass", True), ("count", False)])
@pytest.mark.slow
def test_two_ranks_are_one(tmp_path, norm, averaged):
    whole, _, before = runs.train("sequence", runs.loss_of("sequence", norm), 8, 1)
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--nproc-per-node=2",
        "--standalone",
        "-m",
        "tests.integrations.trainer_runs",
    ]
    root = Path(__file__).parents[2]
    run = subprocess.run(
        [*command, tmp_path / "found.pt", norm, str(averaged)], capture_output=True, text=True, cwd=root
    )
    assert run.returncode == 0, run.stderr
    assert change(whole, before, torch.load(tmp_path / "found.pt", weights_only=True)) < 2e-6


def test_weights_stand_in_the_log_and_probabilities_are_undone():
    _, trainer, _ = runs.train("sequence", runs.loss_of("sequence", "count"), 8, 1)
    assert trainer.state.log_history[0]["weight/1"] == 4.0
    data = runs.rows("sequence")
    z = trainer.predict(data).predictions
    np.testing.assert_allclose(trainer.predict_proba(data), sy.posterior(z, trainer.recipe_loss), atol=1e-7)
    _, several, _ = runs.train("several", runs.loss_of("several", "count"), 8, 1)
    p = several.predict_proba(runs.rows("several"))
    np.testing.assert_allclose(
        p, sy.posterior(several.predict(runs.rows("several")).predictions, several.recipe_loss), atol=1e-7
    )
    _, tokens, _ = runs.train("tokens", runs.loss_of("tokens", "count"), 8, 1)
    p = tokens.predict_proba(runs.rows("tokens"))
    assert p.shape == (runs.ROWS, 6, 3)
    np.testing.assert_allclose(p.sum(-1), 1, atol=1e-6)


def test_a_rule_learns_once_per_step_and_is_told_how_far_training_is():
    counts = sy.Counts.of(14, 7, 3)
    made = lambda: sy.CrossEntropy(sy.adaptive.Seesaw(counts))  # noqa: E731
    whole, one, before = runs.train("sequence", made(), 8, 1)
    parts, _, _ = runs.train("sequence", made(), 2, 4)
    assert change(whole, before, parts) < 1e-5
    assert any(name.startswith("recipe_loss.") for name in one.model.state_dict())
    later = sy.CrossEntropy(sy.adaptive.Deferred(sy.Recipe(), sy.fixed(weight=[1.0, 1.0, 100.0]), after_epoch=1))
    _, trainer, _ = runs.train("sequence", later, 8, 1, steps=5)  # three steps are an epoch
    assert [log.get("weight/2") for log in trainer.state.log_history if "grad_norm" in log] == [
        1.0,
        1.0,
        1.0,
        100.0,
        100.0,
    ]


def test_learned_numbers_are_optimised_checkpointed_and_resumed(tmp_path):
    def made():
        return sy.CrossEntropy(sy.fixed(offset=torch.nn.Parameter(torch.zeros(1, 3))))

    loss = made()
    straight, _, _ = runs.train("sequence", loss, 4, 2, tmp_path / "one", steps=3)
    assert next(loss.parameters()).abs().max() > 1e-3
    runs.train("sequence", made(), 4, 2, tmp_path / "two", steps=1)
    resumed, _, _ = runs.train(
        "sequence", made(), 4, 2, tmp_path / "two", steps=3, resume=str(tmp_path / "two" / "checkpoint-1")
    )
    torch.testing.assert_close(resumed, straight)


def test_sums_and_what_does_not_fit():
    both = sy.Sum(ce=runs.loss_of("sequence", "mass"), size=(0.0, lambda z, y: z.square().mean()))
    whole, _, before = runs.train("sequence", both, 8, 1)
    assert change(whole, before, runs.train("sequence", both, 2, 4)[0]) < 2e-6
    with pytest.raises(ValueError, match="is no steelyard loss"):
        runs.train("sequence", torch.nn.CrossEntropyLoss(), 8, 1)
    with pytest.raises(ValueError, match="leave compute_loss_func= out"):
        RecipeTrainer(None, None, recipe_loss=both, compute_loss_func=both)
