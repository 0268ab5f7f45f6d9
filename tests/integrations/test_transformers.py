"""Trainer under a recipe: one optimiser step is that of one batch on one device, whatever it is cut into.

Files: integrations/output_layer.py.
"""

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


def stepped(model):
    return torch.cat([(p - 0.5 * p.grad).detach().flatten() for p in model.parameters()])


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


def fused(norm="count"):
    return sy.LinearCrossEntropy(runs.loss_of("language", norm).recipe)


@pytest.mark.parametrize("norm", ["count", "mass"])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_last_layer_and_its_loss_together_are_the_two_apart(norm, weighted):
    """Under accumulation too, with weights of tokens, and of a model whose last layer is its first."""
    given = {"recipe_weight": "token_weight"} if weighted else {}
    options = {"given": given, "data": runs.weighted_rows() if weighted else None}
    whole, _, before = runs.train("language", runs.loss_of("language", norm), 8, 1, **options)
    for loss, batch, many in ((fused(norm), 8, 1), (fused(norm), 2, 4), (runs.loss_of("language", norm), 2, 4)):
        found, _, _ = runs.train("language", loss, batch, many, **options)
        assert change(whole, before, found) < 2e-6
    if weighted:
        plain, _, _ = runs.train("language", runs.loss_of("language", norm), 8, 1)
        assert change(whole, before, plain) > 0.05  # they matter here


def test_the_weighted_step_is_the_one_written_by_hand():
    loss, rows = runs.loss_of("language", "mass"), runs.weighted_rows()[:8]
    found, _, before = runs.train(
        "language", fused("mass"), 2, 4, steps=1, data=rows, given={"recipe_weight": "token_weight"}
    )
    model = runs.model_of("language").train()
    ids, y, w = (torch.stack([row[k] for row in rows]) for k in ("input_ids", "labels", "token_weight"))
    logits = model(input_ids=ids).logits[:, :-1]
    loss(logits.reshape(-1, 7), y[:, 1:].reshape(-1), weight=w[:, 1:].reshape(-1)).backward()
    assert change(stepped(model), before, found) < 2e-6


@pytest.mark.parametrize("loss", [sy.CrossEntropy, sy.LinearCrossEntropy])
def test_a_language_model_is_trained_for_the_next_token(loss):
    """Without weights the step is that of the model's own loss, whose labels are shifted inside it."""
    rows = runs.rows("language")[:8]
    found, _, before = runs.train("language", loss(), 2, 4, steps=1, data=rows)
    model = runs.model_of("language").train()
    ids, y = (torch.stack([row[k] for row in rows]) for k in ("input_ids", "labels"))
    model(input_ids=ids, labels=y).loss.backward()
    assert change(stepped(model), before, found) < 2e-6
    same, _, _ = runs.train("language", loss(), 8, 1, steps=1, data=rows, given={"recipe_shift": False})
    assert change(found, before, same) > 0.1


def test_no_logits_are_made_in_training_and_predictions_have_them():
    made = []

    class Watched(RecipeTrainer):
        def _loss_of(self, outputs, labels, num_items_in_batch=None):
            made.append(outputs["logits"].shape[-1])
            return super()._loss_of(outputs, labels, num_items_in_batch)

    _, trainer, _ = runs.train("language", fused(), 4, 2, trainer=Watched)
    assert set(made) == {8}, "the hidden size, of 7 classes"
    data = runs.rows("language")[:8]
    found = trainer.predict(data)
    _, apart, _ = runs.train("language", runs.loss_of("language", "count"), 4, 2)
    wanted = apart.predict(data)
    np.testing.assert_allclose(found.predictions, wanted.predictions, atol=1e-5)
    assert found.metrics["test_loss"] == pytest.approx(wanted.metrics["test_loss"], rel=1e-5)
    trainer.args.prediction_loss_only = True
    assert trainer.evaluate(data)["eval_loss"] == pytest.approx(wanted.metrics["test_loss"], rel=1e-5)
    trainer.args.prediction_loss_only = False
    np.testing.assert_allclose(trainer.predict_proba(data).sum(-1), 1, atol=1e-6)


def test_models_that_do_more_behind_their_last_layer_are_refused():
    class Capped(torch.nn.Module):
        def __init__(self, model):
            super().__init__()
            self.model, self.config = model, model.config

        def get_output_embeddings(self):
            return self.model.get_output_embeddings()

        def forward(self, input_ids, labels=None):
            out = self.model(input_ids=input_ids)
            out["logits"] = torch.tanh(out["logits"] * 20)
            return out

    from transformers import TrainingArguments

    arguments = TrainingArguments("unused", use_cpu=True, report_to=[], max_steps=1, disable_tqdm=True)
    rows, sequence = runs.rows("language"), runs.rows("sequence")
    with pytest.raises(ValueError, match="capped, scaled or shifted"):
        RecipeTrainer(Capped(runs.model_of("language")), arguments, train_dataset=rows, recipe_loss=fused()).train()
    with pytest.raises(ValueError, match="needs the model's last layer as"):
        RecipeTrainer(runs.model_of("sequence"), arguments, train_dataset=sequence, recipe_loss=fused()).train()
    with pytest.raises(ValueError, match="stands alone"):
        RecipeTrainer(runs.model_of("language"), arguments, recipe_loss=sy.Sum(a=fused()))
    with pytest.raises(ValueError, match="has no 'token_weight', only"):
        runs.train("language", fused(), 2, 4, given={"recipe_weight": "token_weight"})


@pytest.mark.parametrize(
    ("norm", "averaged", "head"), [("mass", True, ""), ("count", False, ""), ("mass", True, "fused")]
)
@pytest.mark.slow
def test_two_ranks_are_one(tmp_path, norm, averaged, head):
    task = "language" if head else "sequence"
    whole, _, before = runs.train(task, runs.loss_of(task, norm), 8, 1)
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
        [*command, tmp_path / "found.pt", norm, str(averaged), *([head] if head else [])],
        capture_output=True,
        text=True,
        cwd=root,
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


def test_a_recipe_of_the_models_labels_in_another_order_is_refused():
    from transformers import TrainingArguments

    model, arguments = runs.model_of("sequence"), TrainingArguments("unused", use_cpu=True, report_to=[])
    loss = sy.CrossEntropy(sy.inverse_frequency(sy.Counts({"spam": 5, "ham": 3, "news": 1})))
    RecipeTrainer(model, arguments, recipe_loss=loss)  # LABEL_0 is no name
    model.config.id2label = {0: "ham", 1: "spam", 2: "news"}
    for given in (loss, sy.Sum(ce=loss)):
        with pytest.raises(ValueError, match=r"class 0 of the recipe is 'spam', and of model\.config\.id2label 'ham'"):
            RecipeTrainer(model, arguments, recipe_loss=given)


@pytest.mark.parametrize("task", ["sequence", "tokens"])
def test_half_precision_adds_up_as_far_as_it_goes_and_a_step_of_nothing_is_none(task):
    whole, _, before = runs.train(task, runs.loss_of(task, "mass"), 8, 1, steps=1)
    half, _, _ = runs.train(task, runs.loss_of(task, "mass"), 8, 1, steps=1, bf16=True)
    parts, _, _ = runs.train(task, runs.loss_of(task, "mass"), 2, 4, steps=1, bf16=True)
    assert change(whole, before, half) < 0.05
    assert change(half, before, parts) < 0.05
    rows = [{**row, "labels": torch.full_like(row["labels"], -100)} for row in runs.rows(task)[:8]]
    nothing, trainer, _ = runs.train(task, runs.loss_of(task, "mass"), 2, 4, steps=1, data=rows)
    assert torch.equal(nothing, before)
    assert trainer.state.log_history[0]["loss"] == 0


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
