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


class Single(runs.Net):
    """In float32, as autocast takes it."""

    def __init__(self, recipe):
        super().__init__(recipe)
        self.layer = self.layer.float()

    def training_step(self, batch, index):
        return self.loss(self.layer(batch[0].float()), batch[1])


@pytest.mark.parametrize(("precision", "near"), [("32-true", 2e-6), ("bf16-mixed", 2e-2)])
def test_half_precision_adds_up_as_far_as_it_goes(precision, near):
    whole, _ = runs.train(Single(runs.recipe_of("mass")), 16, 1, precision=precision)
    parts, _ = runs.train(Single(runs.recipe_of("mass")), 4, 4, precision=precision)
    assert float((parts - whole).norm() / (whole - start().float()).norm()) < near


def test_a_step_of_ignored_labels_alone_is_none(monkeypatch):
    data = runs.rows()
    data.tensors[1].fill_(-100)
    monkeypatch.setattr(runs, "rows", lambda: data)
    for norm in ("count", "mass"):
        found, _ = runs.train(runs.Net(runs.recipe_of(norm)), 4, 4)
        assert torch.equal(found, start(norm))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("norm", "batch"), [("count", 4), ("mass", 4), ("mass", 6)]
)  # 6: the last step has 8 rows of 24
def test_two_ranks_with_micro_batches_are_one(tmp_path, norm, batch):
    """Ranks take turns in the rows, so a step of two ranks, two micro-batches and four rows has the rows of 16 in a line."""
    whole, _ = runs.train(runs.Net(runs.recipe_of(norm)), 4 * batch, 1)
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
    run = subprocess.run([*command, tmp_path / "found.pt", norm, str(batch)], capture_output=True, text=True, cwd=root)
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


class Placed(runs.Net):
    """Its loss waits for the callback's counts."""

    def __init__(self):
        super().__init__(sy.Recipe())

    def predict_step(self, batch, index):
        return self.layer(batch[0])


def labels():
    y = runs.rows().tensors[1]
    return y[y >= 0]


def test_the_training_set_is_counted_once_and_training_goes_as_if_it_were_not():
    callback = RecipeCallback(target=1, strategy="inverse-frequency")
    found, trainer = runs.train(net := Placed(), 4, 4, callback=[callback])
    counts = sy.count(labels())
    assert callback.counts_.per_class.tolist() == counts.per_class.tolist()
    assert net.loss.recipe == sy.inverse_frequency(counts)
    by_hand, _ = runs.train(runs.Net(sy.inverse_frequency(counts)), 4, 4)
    torch.testing.assert_close(found, by_hand, rtol=1e-12, atol=0)
    other = Placed()
    torch.manual_seed(3)
    drawn = torch.rand(3)
    torch.manual_seed(3)
    del callback.counts_
    callback.setup(trainer, other, "fit")
    assert torch.equal(torch.rand(3), drawn), "counting drew nothing from the generator"
    three = RecipeCallback(
        target=lambda batch: batch[1].clamp(max=1), strategy="inverse-frequency", classes=["0", "1", "2"]
    )
    runs.train(Placed(), 4, 4, callback=[three])
    assert three.counts_.per_class.tolist()[2] == 0
    assert len(three.recipe_.label_weights()) == 3


def test_a_sampler_that_chooses_rows_is_refused():
    from steelyard.integrations.lightning import _plain

    data = runs.rows()
    chosen = torch.utils.data.WeightedRandomSampler([1.0] * len(data), 8)
    with pytest.raises(ValueError, match="WeightedRandomSampler decides which rows"):
        _plain(torch.utils.data.DataLoader(data, batch_size=4, sampler=chosen))


@pytest.mark.parametrize("accumulate", [1, 4])
def test_shares_of_the_loss_are_logged(accumulate):
    net = runs.Net(runs.recipe_of("mass"))
    net.configure_optimizers = lambda: torch.optim.SGD(net.parameters(), lr=0.0)
    x, y = runs.rows().tensors
    z = net.layer(x).detach()
    _, trainer = runs.train(net, 4, accumulate, callback=[RecipeCallback(target=1, shares=True)])
    loss = sy.CrossEntropy(runs.recipe_of("mass"), reduction="none")(z, y)
    expected = torch.stack([loss[y == c].sum() for c in range(3)])
    found = torch.tensor([trainer.logged_metrics[f"share/{c}"] for c in range(3)])
    torch.testing.assert_close(found, (expected / expected.sum()).float(), rtol=1e-5, atol=1e-6)
    assert not net.loss._forward_hooks


def test_predictions_are_undone_on_request():
    callback = RecipeCallback(target=1, strategy=["inverse-frequency", "logit-adjustment"], posterior=True)
    _, trainer = runs.train(net := Placed(), 16, 1, callback=[callback])
    loader = torch.utils.data.DataLoader(runs.rows(), batch_size=10)
    found = torch.cat(trainer.predict(net, loader))
    with torch.no_grad():
        z = net.layer(runs.rows().tensors[0])
    torch.testing.assert_close(found, sy.posterior(z, net.loss))
    assert "predict_step" not in net.__dict__
    callback.posterior = False
    torch.testing.assert_close(torch.cat(trainer.predict(net, loader)), z)
    callback.posterior = True
    net.predict_step = lambda batch, index: {"z": net.layer(batch[0])}
    with pytest.raises(ValueError, match="predict_step returned dict"):
        trainer.predict(net, loader)


@pytest.mark.parametrize("accumulate", [1, 2])
def test_a_checkpoint_resumes_learned_tables_and_the_clocks_of_rules(tmp_path, accumulate):
    from lightning.pytorch.callbacks import ModelCheckpoint

    subjects = [
        lambda: sy.fixed(offset=torch.nn.Parameter(torch.zeros(1, 3, dtype=torch.float64))),
        lambda: sy.adaptive.Deferred(sy.Recipe(), sy.fixed(weight=[1.0, 1.0, 100.0]), after_epoch=2),
        lambda: sy.adaptive.Seesaw(sy.Counts.of(14, 7, 3)),
    ]
    for number, subject in enumerate(subjects):

        def made(subject=subject):
            net = runs.Net(sy.Recipe())
            net.loss = sy.CrossEntropy(subject())  # not among the hyperparameters, which hold no modules
            return net

        straight, _ = runs.train(net := made(), 16, accumulate, epochs=4)
        folder = tmp_path / str(number)
        keep = ModelCheckpoint(dirpath=folder, filename="half", save_top_k=-1)
        options = {"callback": [RecipeCallback(target=1), keep], "enable_checkpointing": True}
        runs.train(made(), 16, accumulate, epochs=2, **options)
        resumed, _ = runs.train(again := made(), 16, accumulate, epochs=4, resume=folder / "half.ckpt", **options)
        torch.testing.assert_close(resumed, straight, rtol=1e-9, atol=1e-11)
        for name, value in net.loss.state_dict().items():
            torch.testing.assert_close(again.loss.state_dict()[name], value, rtol=1e-9, atol=1e-11, equal_nan=True)


def test_a_counted_loss_resumes(tmp_path):
    callback = lambda: [RecipeCallback(target=1, strategy="inverse-frequency")]  # noqa: E731
    straight, _ = runs.train(Placed(), 16, 1, epochs=2, callback=callback())
    _, trainer = runs.train(Placed(), 16, 1, epochs=1, callback=callback())
    trainer.save_checkpoint(tmp_path / "one.ckpt")
    resumed, _ = runs.train(net := Placed(), 16, 1, epochs=2, callback=callback(), resume=tmp_path / "one.ckpt")
    torch.testing.assert_close(resumed, straight, rtol=1e-9, atol=1e-11)
    assert net.loss.recipe.weight is not None
