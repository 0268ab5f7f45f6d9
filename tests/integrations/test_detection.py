"""Recipes in torchvision's detectors: theirs to rounding where the recipe is neutral, a plain reference where it is not."""

import copy
import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.integrations import torchvision_on_cpu  # noqa: F401
from torch import nn
from torch.nn import functional as F

import steelyard as sy

pytest.importorskip("torchvision")
from tests.integrations import detection_runs as runs
from tests.integrations import detectors
from tests.integrations.detectors import ALL, CLASSES, NAME, SIGMOID, SOFTMAX, losses

from steelyard.integrations.torchvision import Segmentation, restore, reweigh

WEIGHTS = [0.5, 1.5, 4.0, 2.0]  # the background first
BOXES = sy.Counts([900, 90, 10], ["red", "white", "platelet"], unit="boxes", source="", kind="exclusive")


MODELS = [pytest.param(n, marks=pytest.mark.slow) if n == "mask" else n for n in ALL]  # its masks are cut out in Python


def made(name):
    torch.manual_seed(1)
    return ALL[name]()


def classification(name, found):
    return found[NAME.get(name, "classification")]


def gradients(model, found):
    model.zero_grad()
    sum(found.values()).backward()
    return [None if p.grad is None else p.grad.clone() for p in model.parameters()]


@pytest.mark.parametrize("name", MODELS)
def test_a_neutral_recipe_is_torchvisions_own_loss(name):
    model = made(name)
    before = losses(model)
    slopes = gradients(model, before)
    reweigh(model, sy.Recipe())
    after = losses(model)
    assert before.keys() == after.keys()
    for key in before:
        torch.testing.assert_close(after[key], before[key], rtol=2e-6, atol=1e-7)
    for mine, theirs in zip(gradients(model, after), slopes, strict=True):
        assert (mine is None) == (theirs is None)
        if mine is not None:
            torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-6)
    empty = losses(model, empty=True)
    restore(model)
    for key, value in losses(model, empty=True).items():
        torch.testing.assert_close(empty[key], value, rtol=2e-6, atol=1e-7)


class Heard:
    """What the model's classification loss was called with, taken from torchvision's own call."""

    def __init__(self, monkeypatch):
        from torchvision.models.detection import fcos, retinanet, roi_heads

        self.calls = []
        for module in (fcos, retinanet):
            monkeypatch.setattr(module, "sigmoid_focal_loss", self.focal(module.sigmoid_focal_loss))
        monkeypatch.setattr(roi_heads, "fastrcnn_loss", self.cnn(roi_heads.fastrcnn_loss))
        monkeypatch.setattr(F, "cross_entropy", self.entropy(F.cross_entropy))

    def focal(self, theirs):
        return lambda z, y, **k: (self.calls.append((z.detach(), y)), theirs(z, y, **k))[1]

    def cnn(self, theirs):
        return lambda z, b, y, t: (self.calls.append((z.detach(), torch.cat(y))), theirs(z, b, y, t))[1]

    def entropy(self, theirs):
        return lambda z, y, **k: (self.calls.append((z.detach(), y)), theirs(z, y, **k))[1]


@pytest.mark.parametrize("norm", ["count", "mass"])
@pytest.mark.parametrize("name", ["ssd", "ssdlite"])
def test_ssd_weighs_positives_and_its_three_hardest_negatives(name, norm, monkeypatch):
    model = made(name)
    with monkeypatch.context() as patched:
        heard = Heard(patched)
        plain = losses(model)["classification"]
    z, y = heard.calls[0]
    w = torch.tensor(WEIGHTS)
    each = F.cross_entropy(z, y, reduction="none").reshape(2, -1)
    y = y.reshape(2, -1)
    total = own = 0.0
    for losses_of_image, labels in zip(each, y, strict=True):
        positive = labels > 0
        hardest = losses_of_image[~positive].topk(3 * int(positive.sum())).values
        own = own + losses_of_image[positive].sum() + hardest.sum()
        total = total + (w[labels] * losses_of_image)[positive].sum() + w[0] * hardest.sum()
    torch.testing.assert_close(plain, own / (y > 0).sum())  # the reference is torchvision's, without weights
    reweigh(model, sy.fixed(weight=WEIGHTS, norm=norm))
    divisor = (y > 0).sum() if norm == "count" else w[y[y > 0]].sum()
    torch.testing.assert_close(losses(model)["classification"], total / divisor, rtol=1e-5, atol=0)


@pytest.mark.parametrize("norm", ["count", "mass"])
@pytest.mark.parametrize("name", ["faster", pytest.param("mask", marks=pytest.mark.slow)])
def test_the_weighted_mean_of_r_cnn_is_torchs(name, norm, monkeypatch):
    model = made(name)
    with monkeypatch.context() as patched:
        heard = Heard(patched)
        before = losses(model)
    z, y = next(c for c in heard.calls if c[0].dim() == 2 and c[0].shape[1] == CLASSES)
    total = F.cross_entropy(z, y, weight=torch.tensor(WEIGHTS), reduction="sum")
    reweigh(model, sy.fixed(weight=WEIGHTS, norm=norm))
    after = losses(model)
    divisor = len(y) if norm == "count" else torch.tensor(WEIGHTS)[y].sum()
    torch.testing.assert_close(after["loss_classifier"], total / divisor, rtol=1e-5, atol=0)
    for key in before.keys() - {"loss_classifier"}:
        torch.testing.assert_close(after[key], before[key], rtol=1e-6, atol=0)


@pytest.mark.parametrize("focal", ["theirs", "recipe", "curve"])
@pytest.mark.parametrize("norm", ["count", "mass"])
@pytest.mark.parametrize("name", SIGMOID)
def test_yes_or_no_heads_weigh_the_target_alone(name, norm, focal, monkeypatch):
    """ "Is" of a class weighs w_c, "is not" 1; torchvision's gamma and alpha stand beside it, or the recipe's curve in their place."""
    model = made(name)
    with monkeypatch.context() as patched:
        heard = Heard(patched)
        losses(model)
    w = torch.tensor([1.0, *WEIGHTS[1:]])
    recipe = sy.Recipe(
        weight=WEIGHTS[1:], norm=norm, kind="exclusive"
    )  # of boxes: output 0, torchvision's background, is left alone
    if focal == "curve":
        recipe = sy.mix(recipe, sy.focal(gamma=1.0))
    gamma, alpha = {"theirs": (2.0, 0.25), "recipe": (0.0, None), "curve": (1.0, None)}[focal]
    expected = []
    for z, y in heard.calls[:2]:  # RetinaNet image by image, FCOS at once
        p = z.sigmoid()
        yes, no = -F.logsigmoid(z) * (1 - p) ** gamma * w, -F.logsigmoid(-z) * p**gamma
        if alpha is not None:
            yes, no = alpha * yes, (1 - alpha) * no
        divisor = y.sum() if norm == "count" else (y * w).sum()
        expected.append((y * yes + (1 - y) * no).sum() / divisor)
    assert len(expected) == {"retinanet": 2, "fcos": 1}[name]
    reweigh(model, recipe, focal=None if focal == "curve" else focal)
    found = losses(model)["classification"]
    torch.testing.assert_close(found, sum(expected) / len(expected), rtol=1e-5, atol=0)


@pytest.mark.parametrize("name", MODELS)
def test_other_models_of_the_class_stay_as_they_are_and_copies_keep_the_recipe(name):
    model, other = made(name), made(name)
    keys = list(model.state_dict())
    plain = classification(name, losses(other)).detach()
    w = [1.0, 5.0, 5.0, 5.0] if name not in SIGMOID else [[1.0] * 4, [5.0] * 4]
    loss = reweigh(model, sy.fixed(weight=w))
    weighed = classification(name, losses(model)).detach()
    assert abs(weighed / plain - 1) > 0.05
    torch.testing.assert_close(classification(name, losses(other)).detach(), plain)
    assert list(model.state_dict()) == keys
    assert isinstance(model, type(other))
    twin = copy.deepcopy(model)
    torch.testing.assert_close(classification(name, losses(twin)).detach(), weighed)
    file = io.BytesIO()
    torch.save(model, file)
    file.seek(0)
    torch.testing.assert_close(classification(name, losses(torch.load(file, weights_only=False))).detach(), weighed)
    with pytest.raises(ValueError, match="restore"):
        reweigh(model, sy.Recipe())
    assert restore(model) is model
    assert type(model) is type(other)
    torch.testing.assert_close(classification(name, losses(model)).detach(), plain)
    torch.testing.assert_close(classification(name, losses(twin)).detach(), weighed)
    with pytest.raises(ValueError, match="no recipe"):
        restore(model)
    assert isinstance(loss, sy.CrossEntropy if name not in SIGMOID else sy.BinaryCrossEntropy)


@pytest.mark.parametrize("name", ["ssd", "faster"])
def test_the_background_is_said(name):
    recipe = sy.inverse_frequency(BOXES)
    with pytest.raises(ValueError, match=r"Say what a background box weighs: background=1\.0"):
        reweigh(made(name), recipe)
    model = made(name)
    loss = reweigh(model, recipe, background=0.25)
    assert loss.recipe.classes == ("background", "red", "white", "platelet")
    assert np.allclose(loss.recipe.label_weights(), [0.25, *recipe.label_weights()])
    with pytest.raises(ValueError, match="background= is the weight of a row that the recipe lacks"):
        reweigh(made(name), sy.fixed(weight=WEIGHTS), background=1.0)
    with pytest.raises(ValueError, match="offset is per class"):
        reweigh(made(name), sy.logit_adjustment(BOXES), background=1.0)
    with pytest.raises(ValueError, match="for 7 classes"):
        reweigh(made(name), sy.fixed(weight=[1.0] * 7))


def test_what_is_ambiguous_is_refused():
    answers = sy.fixed(weight=[[1.0] * 4, [5.0] * 4])
    reweigh(made("retinanet"), answers)  # "is not" keeps 1
    for recipe, options, words in (
        (sy.fixed(weight=[[0.5] * 4, [5.0] * 4]), {}, "focal='recipe' takes the recipe alone"),
        (sy.adaptive.Equalized(CLASSES), {}, "focal='recipe' takes the recipe alone"),
        (sy.focal(gamma=1.0), {"focal": "theirs"}, "on top of it"),
        (sy.Recipe(), {"focal": "mine"}, "must be 'theirs' or 'recipe'"),
        (sy.Recipe(), {"background": 1.0}, "background is no class there"),
        (sy.logit_adjustment(BOXES), {}, "offset is one of exclusive classes"),
        (sy.fixed(weight=[1.0] * 6), {}, "for 6 classes, and the model has 4 outputs"),
    ):
        with pytest.raises(ValueError, match=words):
            reweigh(made("retinanet"), recipe, **options)
    with pytest.raises(ValueError, match=r"mix\(recipe, sy.focal\(\)\)"):
        reweigh(made("ssd"), sy.Recipe(), focal="theirs")
    for model, words in (
        (nn.Linear(2, 2), "got Linear"),
        (nn.DataParallel(made("ssd")), r"reweigh\(model.module"),
    ):
        with pytest.raises(TypeError, match=words):
            reweigh(model, sy.Recipe())
    with pytest.raises(TypeError, match="takes a Recipe or a rule, got list"):
        reweigh(made("ssd"), [1.0, 2.0])
    model = made("fcos")
    before = losses(model)
    with pytest.raises(ValueError):
        reweigh(model, sy.fixed(weight=[1.0] * 6))
    torch.testing.assert_close(losses(model)["classification"], before["classification"])  # nothing half done


@pytest.mark.parametrize(
    ("name", "rule", "options"),
    [
        ("ssd", lambda: sy.adaptive.Seesaw(CLASSES), {}),
        ("faster", lambda: sy.adaptive.Seesaw(CLASSES), {}),
        ("retinanet", lambda: sy.adaptive.Equalized(CLASSES), {"focal": "recipe"}),
        ("fcos", lambda: sy.adaptive.Equalized(CLASSES), {"focal": "theirs"}),
    ],
)
def test_a_rule_learns_from_the_boxes_and_is_part_of_the_checkpoint(name, rule, options):
    model = made(name)
    loss = reweigh(model, rule(), **options)
    first = classification(name, losses(model))
    assert classification(name, losses(model)) != first  # it has learned
    numbers = {k: v.clone() for k, v in model.state_dict().items() if "recipe_loss" in k}
    assert numbers
    if name == "ssd":
        seen = loss.rule.seen.tolist()
        assert seen[1] > 0
        assert seen[2] > 0
        assert seen[3] == 0
        assert seen[0] == 3 * sum(seen[1:])  # of the negatives those that were kept
    resumed = made(name)
    reweigh(resumed, rule(), **options)
    resumed.load_state_dict(model.state_dict())
    torch.testing.assert_close(losses(resumed), losses(model))


def test_learned_weights_are_parameters_of_the_model():
    model = made("ssd")
    before = len(list(model.parameters()))
    weight = torch.nn.Parameter(torch.ones(CLASSES))
    reweigh(model, sy.fixed(weight=weight))
    assert len(list(model.parameters())) == before + 1
    losses(model)["classification"].backward()
    learned = [p for n, p in model.named_parameters() if "recipe_loss" in n]
    assert learned[0].grad is not None
    assert learned[0].grad.abs().sum() > 0
    assert len(list(restore(model).parameters())) == before


@pytest.mark.parametrize("aux", [True, False])
def test_segmentation_models_return_logits(aux):
    from torchvision.models.segmentation import deeplabv3_mobilenet_v3_large, lraspp_mobilenet_v3_large

    torch.manual_seed(0)
    images, y = torch.rand(2, 3, 32, 32), torch.randint(0, 3, (2, 32, 32))
    y[:, :4] = 255
    if aux:
        model = deeplabv3_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=3, aux_loss=True)
    else:
        model = lraspp_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=3)
    with pytest.raises(TypeError, match="Segmentation"):
        reweigh(model, sy.Recipe())
    outputs = model(images)
    w = torch.tensor([1.0, 2.0, 7.0])
    found = Segmentation(sy.CrossEntropy(sy.fixed(weight=w.tolist(), norm="mass"), ignore_index=255))(outputs, y)
    expected = F.cross_entropy(outputs["out"], y, w, ignore_index=255)
    if aux:
        expected = expected + 0.5 * F.cross_entropy(outputs["aux"], y, w, ignore_index=255)
    torch.testing.assert_close(found, expected)


def test_a_rule_learns_from_the_last_layer_alone():
    z = torch.zeros(2, 3, 4, 4)
    loss = Segmentation(sy.CrossEntropy(sy.adaptive.Seesaw(3)))
    loss({"out": z, "aux": z}, torch.zeros(2, 4, 4, dtype=torch.int64))
    assert loss.loss.rule.seen.tolist() == [32, 0, 0]
    assert loss.loss.training
    with pytest.raises(ValueError, match="a dict with 'out', got Tensor"):
        loss(z, z)


@pytest.mark.parametrize("name", [*SOFTMAX, *SIGMOID])
def test_half_precision_is_theirs(name):
    model = made(name)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        before = classification(name, losses(model))
        reweigh(model, sy.Recipe())
        after = classification(name, losses(model))
    torch.testing.assert_close(after.float(), before.float(), rtol=2e-2, atol=0)
    assert after.dtype == torch.float32
    after.backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in model.parameters())


@pytest.mark.parametrize("name", ["ssd", "fcos"])
def test_a_norm_that_counts_nothing_is_taken_as_it_says(name):
    found = {}
    for norm in ("count", "sum", 7.0):
        model = made(name)
        reweigh(model, sy.Recipe(norm=norm))
        found[norm] = losses(model)["classification"].detach()
    torch.testing.assert_close(found[7.0] * 7, found["sum"], rtol=1e-5, atol=0)
    positives = float(found["sum"] / found["count"])
    assert positives > 3
    assert positives == pytest.approx(round(positives), rel=1e-4)


def test_one_step_lowers_the_loss():
    model = made("ssd")
    reweigh(model, sy.mix(sy.fixed(weight=WEIGHTS), sy.focal(gamma=1.0)))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    before = losses(model)["classification"]
    before.backward()
    optimizer.step()
    assert losses(model)["classification"] < before
    assert set(SOFTMAX) | set(SIGMOID) < set(ALL)
    with torch.no_grad():
        assert len(model.eval()(detectors.batch()[0])) == 2


@pytest.mark.parametrize("name", ["ssd", "fcos"])
def test_micro_batches_add_up_under_a_number_and_not_under_the_boxes_of_each(name):
    """The images have two boxes and one. torchvision divides each micro-batch by its own matches; a number is the same for all."""
    whole, slope = runs.found(runs.made(name, 20.0), name, slice(0, 2))
    model = runs.made(name, 20.0)
    parts = [runs.found(model, name, slice(i, i + 1)) for i in range(2)]
    torch.testing.assert_close(parts[0][0] + parts[1][0], whole, rtol=1e-5, atol=0)
    torch.testing.assert_close(parts[0][1] + parts[1][1], slope, rtol=1e-4, atol=1e-5)
    model = runs.made(name, "mass")
    parts = [runs.found(model, name, slice(i, i + 1))[0] for i in range(2)]
    assert abs((parts[0] + parts[1]) / 2 / runs.found(model, name, slice(0, 2))[0] - 1) > 0.002
    with (
        pytest.raises(ValueError, match="give the recipe norm=number"),
        sy.accumulate(
            model.__dict__.get("_recipe_loss") or model.head.__dict__["_recipe_loss"],
            torch.zeros(0, dtype=torch.int64) if name == "ssd" else torch.zeros(0, CLASSES),
        ),
    ):
        runs.found(model, name, slice(0, 2))


@pytest.mark.parametrize("norm", ["count", "mass"])
def test_retinanets_mean_over_images_is_that_of_micro_batches(norm):
    model = runs.made("retinanet", norm)
    whole, slope = runs.found(model, "retinanet", slice(0, 2))
    parts = [runs.found(model, "retinanet", slice(i, i + 1)) for i in range(2)]
    torch.testing.assert_close((parts[0][0] + parts[1][0]) / 2, whole, rtol=1e-5, atol=0)
    torch.testing.assert_close((parts[0][1] + parts[1][1]) / 2, slope, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_two_ranks_are_one_where_asked_and_torchvisions_otherwise(tmp_path):
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2", "--standalone", "-m"]
    run = subprocess.run(
        [*command, "tests.integrations.detection_runs", tmp_path / "found.pt"],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert run.returncode == 0, run.stderr
    found = torch.load(tmp_path / "found.pt", weights_only=True)
    assert found["alone"] > 0
    w, off = torch.tensor(WEIGHTS), {}
    for name in runs.MODELS:
        for norm in runs.NORMS:
            exact, own = (found[f"{name} {norm} {over}"] for over in (True, False))
            if name == "faster":
                z, y = (torch.cat([call[i] for call in exact["calls"]]) for i in range(2))
                total = F.cross_entropy(z, y, weight=w, reduction="sum")
                expected = total / (len(y) if norm == "count" else w[y].sum())
            else:
                expected, slope = runs.found(runs.made(name, norm), name, slice(0, 2))
                torch.testing.assert_close(exact["slope"], slope, rtol=1e-4, atol=1e-5)
            torch.testing.assert_close(exact["loss"], expected, rtol=1e-5, atol=0)
            off[name, norm] = abs(float(own["loss"] / expected) - 1)
    for norm in runs.NORMS:
        assert off["retinanet", norm] < 1e-5  # a mean over images, of which both ranks have one
        assert off["ssd", norm] > 0.01
        assert off["fcos", norm] > 0.002
        assert off["faster", norm] > 1e-5  # as many boxes are sampled, nearly
