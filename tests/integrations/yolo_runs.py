"""A few steps of Ultralytics' own training on generated images; python yolo_runs.py FOLDER writes what was found as JSON.

A process of its own: importing Ultralytics sets the number of threads and a settings folder.
"""

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tests.integrations import torchvision_on_cpu  # noqa: F401

import steelyard as sy

FOLDER = Path(sys.argv[1]) if __name__ == "__main__" else Path()
NAMES = ["red", "white", "platelet"]
QUIET = {
    "workers": 0,
    "plots": False,
    "amp": False,
    "verbose": False,
    "imgsz": 64,
    "batch": 4,
    "device": "cpu",
    "seed": 0,
}
CALM = {"mosaic": 0.0, "warmup_epochs": 0.0, "optimizer": "SGD", "lr0": 0.01, "exist_ok": True}


def dataset(folder: Path, task: str) -> str:
    """Eight images, and the task's labels: class 0 often, class 2 once an image."""
    random = np.random.default_rng(0)
    for part in ("train", "val"):
        for i in range(8):
            pixels = random.integers(0, 60, (64, 64, 3), dtype=np.uint8)
            mask = np.zeros((64, 64), dtype=np.uint8)
            lines = []
            for k, label in enumerate((0, 0, 0, 1, 2)):
                x, y = 2 + 20 * (k % 3), 4 + 30 * (k // 3)
                pixels[y : y + 18, x : x + 16] = (200, 60 * label, 255 - 90 * label)
                mask[y : y + 18, x : x + 16] = label
                box = [(x + 8) / 64, (y + 9) / 64, 16 / 64, 18 / 64]
                corners = [x / 64, y / 64, (x + 16) / 64, y / 64, (x + 16) / 64, (y + 18) / 64, x / 64, (y + 18) / 64]
                numbers = {"segment": corners, "obb": corners, "pose": [*box, *box[:2], 2, *corners[:2], 2]}.get(
                    task, box
                )
                lines.append(" ".join(map(str, (label, *numbers))))
            where = folder / "images" / part / f"{i}.png"
            if task == "classify":
                where = folder / part / NAMES[(0, 0, 0, 0, 0, 1, 1, 2)[i]] / f"{i}.png"
            where.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(where)
            for kind in ("labels", "masks"):
                (folder / kind / part).mkdir(parents=True, exist_ok=True)
            (folder / "labels" / part / f"{i}.txt").write_text("\n".join(lines))
            mask[:4] = 255
            Image.fromarray(mask).save(folder / "masks" / part / f"{i}.png")
    if task == "classify":
        return str(folder)
    more = {"pose": "kpt_shape: [2, 3]\n", "semantic": "masks_dir: masks\n"}.get(task, "")
    names = "".join(f"  {i}: {n}\n" for i, n in enumerate(NAMES))
    (folder / "data.yaml").write_text(f"path: {folder}\ntrain: images/train\nval: images/val\n{more}names:\n{names}")
    return str(folder / "data.yaml")


def trained(model: str, data: str, task: str, recipe: Any, name: str, **options: Any) -> tuple[Any, list[float]]:
    """The trainer, and the losses of its steps."""
    from ultralytics import YOLO

    from steelyard.integrations.ultralytics import recipe_trainer

    losses: list[float] = []
    net = YOLO(model, task=task)
    net.add_callback("on_train_batch_end", lambda trainer: losses.append(float(trainer.loss)))
    torch.manual_seed(0)
    more = {} if recipe is None else {"trainer": recipe_trainer(recipe, task)}
    net.train(data=data, project=str(FOLDER / "runs"), name=name, **{**QUIET, **CALM, "epochs": 1, **options, **more})
    return net.trainer, losses


MODELS = {
    "detect": ("yolo11n.yaml", "yolo26n.yaml"),
    "segment": ("yolo11n-seg.yaml",),
    "pose": ("yolo11n-pose.yaml",),
    "obb": ("yolo11n-obb.yaml",),
    "classify": ("yolo11n-cls.yaml",),
    "semantic": ("yolo26n-sem.yaml",),
}


def a_task(task: str) -> dict[str, Any]:
    """Neutral is theirs, weights change it, and the EMA copy has its own."""
    found: dict[str, Any] = {}
    for model in MODELS[task]:
        data = dataset(FOLDER / f"data-{task}", task)
        _, plain = trained(model, data, task, None, "plain")
        trainer, neutral = trained(model, data, task, sy.Recipe(), "neutral")
        _, weighed = trained(model, data, task, sy.inverse_frequency, "weighed")
        ema = trainer.ema.ema.criterion
        first = trainer.model.criterion
        found[model] = {
            "plain": plain,
            "neutral": neutral,
            "weighed": weighed,
            "own copy": ema is not None and ema is not first and type(ema) is type(first),
            "keys": not any("recipe" in k for k in trainer.ema.ema.state_dict()),
        }
    return found


def pieces(model: str, task: str) -> tuple[Any, dict[str, Any]]:
    """A model with random weights, and a batch of two images with boxes of classes 0, 1 and 2."""
    from ultralytics.cfg import get_cfg
    from ultralytics.nn.tasks import ClassificationModel, DetectionModel, OBBModel, SemanticSegmentationModel

    torch.manual_seed(0)
    kinds = {"classify": ClassificationModel, "obb": OBBModel, "semantic": SemanticSegmentationModel}
    net = kinds.get(task, DetectionModel)(model, nc=3, verbose=False)
    net.args = get_cfg()
    net.train()
    boxes = torch.tensor([[0.2, 0.2, 0.3, 0.3], [0.7, 0.6, 0.3, 0.5], [0.5, 0.5, 0.4, 0.4], [0.3, 0.7, 0.2, 0.3]])
    labels = torch.tensor([0.0, 2.0, 1.0, 0.0])
    batch = {
        "img": torch.rand(2, 3, 64, 64), "batch_idx": torch.tensor([0.0, 0, 1, 1]), "cls": labels[:, None],
        "bboxes": torch.cat([boxes, torch.zeros(4, 1)], dim=1) if task == "obb" else boxes,
    }  # fmt: skip
    if task == "classify":
        batch["cls"] = torch.tensor([0, 2])
    if task == "semantic":
        masks = torch.randint(0, 3, (2, 64, 64))
        masks[:, :9] = 255
        batch["semantic_mask"] = masks
    return net, batch


def exact() -> dict[str, Any]:
    """The classification part of the loss: theirs, ours under a neutral recipe, ours weighed, and a plain reference of that."""
    from steelyard.integrations.ultralytics import BRANCHES, weighed

    found: dict[str, Any] = {}
    w = torch.tensor([0.5, 2.0, 6.0])
    for task, model in (("detect", "yolo11n.yaml"), ("detect", "yolo26n.yaml"), ("obb", "yolo11n-obb.yaml")):
        net, batch = pieces(model, task)
        preds = net(batch["img"])
        theirs = net.init_criterion()
        parts = [getattr(theirs, b) for b in BRANCHES if hasattr(theirs, b)] or [theirs]
        heard: list[Any] = []
        for part in parts:
            part.bce.register_forward_hook(lambda module, inputs, output, heard=heard: heard.append(inputs))
        name = {"cls_loss"} & set(theirs(preds, batch)[1])
        assert name
        last = len(heard) - 1  # an end-to-end loss tells the items of its second branch
        z, t = (x.detach() for x in heard[last])
        rows: dict[str, Any] = {"theirs": float(theirs(preds, batch)[1]["cls_loss"])}
        rows["neutral"] = float(weighed(net, sy.Recipe())(preds, batch)[1]["cls_loss"])
        each = -w * t * torch.nn.functional.logsigmoid(z) - (1 - t) * torch.nn.functional.logsigmoid(-z)
        for norm, divisor in (
            ("count", t.sum().clamp(min=1)),
            ("mass", (t * w).sum() * t.sum().clamp(min=1) / t.sum()),
        ):
            recipe = sy.Recipe(weight=w.tolist(), norm=norm, kind="exclusive")
            rows[norm] = [
                float(weighed(net, recipe)(preds, batch)[1]["cls_loss"]), float(each.sum() / divisor * net.args.cls),
            ]  # fmt: skip
        column = torch.nn.functional.binary_cross_entropy_with_logits(z, t, reduction="none") * w
        rows["columns"] = float(column.sum() / t.sum().clamp(min=1) * net.args.cls)  # their own class_weights
        found[model] = rows
    for task, model, key in (("classify", "yolo11n-cls.yaml", "loss"), ("semantic", "yolo26n-sem.yaml", "ce_loss")):
        net, batch = pieces(model, task)
        preds = net(batch["img"])
        rows = {"theirs": float(net.init_criterion()(preds, batch)[1][key])}
        rows["neutral"] = float(weighed(net, sy.Recipe())(preds, batch)[1][key])
        z = preds[0] if isinstance(preds, tuple) else preds
        y = batch["cls"] if task == "classify" else batch["semantic_mask"]
        if task == "semantic":
            z = torch.nn.functional.interpolate(z, size=y.shape[1:], mode="bilinear", align_corners=False)
        for norm, reduction in (("mass", "mean"), ("count", "sum")):
            expected = torch.nn.functional.cross_entropy(z, y, w, ignore_index=255, reduction=reduction)
            expected = expected / ((y != 255).sum() if norm == "count" else 1)
            rows[norm] = [
                float(weighed(net, sy.fixed(weight=w.tolist(), norm=norm))(preds, batch)[1][key]),
                float(expected),
            ]
        found[model] = rows
    return found


class Stopped(Exception):
    pass


def resumed() -> dict[str, Any]:
    """An end-to-end model with a rule, stopped after its first epoch and taken up again."""
    from ultralytics import YOLO

    from steelyard.integrations.ultralytics import RULES, _Boxes, recipe_trainer

    data, found = dataset(FOLDER / "data-resume", "detect"), {}
    trainer = recipe_trainer(sy.adaptive.Equalized(3))
    net = YOLO("yolo26n.yaml", task="detect")

    def stop(trainer: Any) -> None:
        found["saved"] = [rule.gradients.tolist() for rule in trainer._rules()]
        raise Stopped

    net.add_callback("on_model_save", stop)
    with contextlib.suppress(Stopped):
        net.train(data=data, project=str(FOLDER / "runs"), name="resume", epochs=3, trainer=trainer, **QUIET, **CALM)
    weights = FOLDER / "runs" / "resume" / "weights"
    found["file"] = (weights / RULES).is_file()
    again = YOLO(str(weights / "last.pt"))

    def look(trainer: Any) -> None:
        criterion = trainer.model.criterion
        found["loaded"] = [rule.gradients.tolist() for rule in trainer._rules()]
        found["ours"] = all(isinstance(part.bce, _Boxes) for part in (criterion.one2many, criterion.one2one))
        found["updates"] = criterion.updates

    again.add_callback("on_pretrain_routine_end", look)
    again.train(resume=True, trainer=trainer)
    found["epochs"] = again.trainer.epoch + 1
    found["further"] = [rule.gradients.tolist() for rule in again.trainer._rules()]
    return found


def scheduled() -> dict[str, Any]:
    """A rule that waits for the second epoch hears of it, and so does the EMA copy."""
    found: dict[str, Any] = {}
    for model in ("yolo11n.yaml", "yolo11n-cls.yaml"):
        task = "classify" if "cls" in model else "detect"
        later = (
            sy.fixed(weight=[1.0, 1.0, 50.0]) if task == "classify" else sy.fixed(weight=[[1.0] * 3, [1.0, 1.0, 50.0]])
        )
        rule = sy.adaptive.Deferred(sy.Recipe(), later, after_epoch=1)
        trainer, losses = trained(model, dataset(FOLDER / f"data-later-{task}", task), task, rule, "later", epochs=2)
        _, plain = trained(model, dataset(FOLDER / f"data-later-{task}", task), task, sy.Recipe(), "now", epochs=2)
        from steelyard.integrations.ultralytics import _losses

        found[model] = {
            "first": [losses[:2], plain[:2]],
            "second": [losses[2], plain[2]],
            "ema": [float(each.recipe.weight.numpy().max()) for each in _losses(trainer.ema.ema.criterion)],
        }
    return found


def still(net: Any) -> Any:
    """Without what a batch does to other batches."""
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.eval()
        elif isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    return net


def parted(batch: dict[str, Any], image: int) -> dict[str, Any]:
    """One of the two images of `pieces`."""
    rows = batch["batch_idx"] == image
    part: dict[str, Any] = {"img": batch["img"][image : image + 1], "batch_idx": batch["batch_idx"][rows] * 0}
    part |= {"bboxes": batch["bboxes"][rows]}
    part["cls"] = batch["cls"][image : image + 1] if batch["cls"].ndim == 1 else batch["cls"][rows]
    if "semantic_mask" in batch:
        part["semantic_mask"] = batch["semantic_mask"][image : image + 1]
    return part


RANKED = (
    ("detect", "yolo11n.yaml", "cls_loss"),
    ("detect", "yolo26n.yaml", "cls_loss"),
    ("classify", "yolo11n-cls.yaml", "loss"),
    ("semantic", "yolo26n-sem.yaml", "ce_loss"),
)


def ranked() -> dict[str, Any]:
    """Of each model and norm: the mean of two ranks, each with one image, beside one process with both, and a rank alone without gradient."""
    import torch.distributed as dist

    from steelyard.integrations.ultralytics import weighed

    dist.init_process_group("gloo")
    rank, found = dist.get_rank(), {}
    for task, model, key in RANKED:
        net, batch = pieces(model, task)
        still(net)
        if task == "semantic":
            batch["semantic_mask"][0, 9:40] = 255  # ranks hold different numbers of labels
        part, weight = parted(batch, rank), [0.5, 2.0, 6.0]
        for norm in ("count", "mass"):
            recipe = sy.Recipe(weight=weight, norm=norm, kind="exclusive")
            means = []
            for over_ranks in (True, False):
                value = weighed(net, recipe, over_ranks=over_ranks)(net(part["img"]), part)[1][key].detach()
                dist.all_reduce(value)
                means.append(float(value) / 2)
            whole = weighed(net, recipe, over_ranks=False)(net(batch["img"]), batch)[1][key]
            found[f"{model} {norm}"] = [*means, float(whole)]
        if rank == 0:
            with torch.no_grad():
                weighed(net, sy.Recipe(norm="mass"))(net(part["img"]), part)
    dist.barrier()
    dist.destroy_process_group()
    return found if rank == 0 else {}


def micro() -> dict[str, float]:
    """The class loss of two images over the mean of each by itself, which is what their nbs adds up."""
    from steelyard.integrations.ultralytics import weighed

    net, batch = pieces("yolo26n.yaml", "detect")
    still(net)
    found = {}
    for norm in ("count", "mass"):
        criterion = weighed(net, sy.Recipe(weight=[0.5, 2.0, 6.0], norm=norm, kind="exclusive"))
        each = [float(criterion(net(p["img"]), p)[1]["cls_loss"]) for p in (parted(batch, i) for i in range(2))]
        found[norm] = float(criterion(net(batch["img"]), batch)[1]["cls_loss"]) / (sum(each) / 2)
    theirs = net.init_criterion()
    each = [float(theirs(net(p["img"]), p)[1]["cls_loss"]) for p in (parted(batch, i) for i in range(2))]
    found["theirs"] = float(theirs(net(batch["img"]), batch)[1]["cls_loss"]) / (sum(each) / 2)
    return found


def refused() -> dict[str, str]:
    """The messages, without those that are not the expected ones."""
    from ultralytics.nn.tasks import RTDETRDetectionModel

    from steelyard.integrations.ultralytics import recipe_trainer, weighed

    net, _ = pieces("yolo11n.yaml", "detect")
    data = dataset(FOLDER / "data-refused", "detect")
    detr = RTDETRDetectionModel("rtdetr-l.yaml", nc=3, verbose=False)
    detr.nc = 3  # as their trainer does
    cases: dict[str, tuple[Any, str]] = {
        "width": (lambda: weighed(net, sy.fixed(weight=[1.0] * 5)), "for 5 classes, and the model has 3 outputs"),
        "offset": (lambda: weighed(net, sy.logit_adjustment(sy.Counts.of(5, 3, 2))), "offset is one of exclusive classes"),
        "learned": (lambda: weighed(net, sy.fixed(weight=torch.ones(2, 3, requires_grad=True))), "made of the network alone"),
        "norm": (lambda: weighed(net, sy.Recipe(norm="sum")), "norm='sum'"),
        "task": (lambda: recipe_trainer(sy.Recipe(), "depth"), "task must be one of detect"),
        "kind": (lambda: recipe_trainer([1.0]), "takes a Recipe, a rule or a function of Counts, got list"),
        "rt-detr": (lambda: weighed(detr, sy.Recipe()), "no place for a recipe"),
        "names": (lambda: trained("yolo11n.yaml", data, "detect", sy.fixed(weight={"white": 1.0, "red": 2.0, "platelet": 3.0}), "names"), "class 0 of the recipe is 'white', and of data.yaml 'red'"),
        "cls_pw": (lambda: trained("yolo11n.yaml", data, "detect", sy.Recipe(), "pw", cls_pw=0.5), "cls_pw=0.5 and a recipe"),
    }  # fmt: skip
    found: dict[str, str] = {}
    cloudpickle = pytest.importorskip("cloudpickle")  # how the processes of several GPUs get a trainer
    kind = recipe_trainer(sy.inverse_frequency(sy.Counts.of(5, 3, 2)))
    elsewhere = "import sys, pickle; from tests.integrations import torchvision_on_cpu; print(pickle.load(sys.stdin.buffer).recipe.to_json())"
    other = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", elsewhere], input=cloudpickle.dumps(kind), capture_output=True
    )
    found["several GPUs"] = other.stdout.decode() if sy.Recipe.from_json(other.stdout.decode()) == kind.recipe else ""
    for name, (call, words) in cases.items():
        found[name] = ""
        try:
            call()
        except (TypeError, ValueError) as error:
            found[name] = str(error) if words in str(error) else ""
    return found


def main(what: str) -> None:
    os.environ.update(YOLO_OFFLINE="true", YOLO_CONFIG_DIR=str(FOLDER / "settings"), MPLCONFIGDIR=str(FOLDER / "mpl"))
    kinds = {"exact": exact, "resume": resumed, "refused": refused, "later": scheduled, "ranks": ranked, "micro": micro}
    made = kinds.get(what, lambda: a_task(what))()
    if os.environ.get("RANK", "0") != "0":
        return
    (FOLDER / f"{what}.json").write_text(json.dumps(made))


if __name__ == "__main__":
    main(sys.argv[2])
