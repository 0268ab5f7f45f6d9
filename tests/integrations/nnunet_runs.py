"""Three iterations of nnU-Net's own training on generated volumes; python nnunet_runs.py FOLDER writes what was found as JSON.

A process of its own: nnU-Net reads its folders from the environment when it is imported.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tests.integrations import torchvision_on_cpu  # noqa: F401
from torch.nn import functional as F

import steelyard as sy
from steelyard.spatial import Map

FOLDER = Path(sys.argv[1]) if __name__ == "__main__" else Path()
NAME = "Dataset001_Tiny"
CASES = 6


def settled() -> None:
    for name in ("raw", "preprocessed", "results"):
        (FOLDER / name).mkdir(exist_ok=True)
        os.environ[f"nnUNet_{name}"] = str(FOLDER / name)
    own = {"nnUNet_n_proc_DA": "1", "nnUNet_compile": "f", "nnUNet_extTrainer": str(FOLDER / "own")}
    os.environ.update(own, MPLCONFIGDIR=str(FOLDER / "mpl"))


def dataset() -> None:
    """Small volumes: a background, a class that is often, one that is rare, and a slab that is ignored."""
    import SimpleITK as sitk

    random = np.random.default_rng(0)
    for folder in ("imagesTr", "labelsTr"):
        (FOLDER / "raw" / NAME / folder).mkdir(parents=True)
    for case in range(CASES):
        labels = np.zeros((12, 32, 32), dtype=np.uint8)
        labels[:, 4:18, 4:18] = 1
        labels[4:8, 22:26, 22:26] = 2
        labels[:1] = 3
        image = (labels % 3 * 50 + random.normal(0, 10, labels.shape)).astype(np.float32)
        sitk.WriteImage(
            sitk.GetImageFromArray(image), str(FOLDER / "raw" / NAME / "imagesTr" / f"case_{case}_0000.nii.gz")
        )
        sitk.WriteImage(sitk.GetImageFromArray(labels), str(FOLDER / "raw" / NAME / "labelsTr" / f"case_{case}.nii.gz"))
    described = {
        "channel_names": {"0": "CT"}, "labels": {"background": 0, "organ": 1, "lesion": 2, "ignore": 3},
        "numTraining": CASES, "file_ending": ".nii.gz",
    }  # fmt: skip
    (FOLDER / "raw" / NAME / "dataset.json").write_text(json.dumps(described))


def prepared() -> None:
    from nnunetv2.experiment_planning.plan_and_preprocess_api import extract_fingerprints, plan_experiments, preprocess

    extract_fingerprints([1], num_processes=1, check_dataset_integrity=False)
    plan_experiments([1])
    preprocess([1], configurations=("3d_fullres",), num_processes=(1,))
    os.environ.update({"nnUNet_n_proc_DA": "0"})  # loaders in this process


def trainer(kind: Any) -> Any:
    """Ready to train: the first case's fold, its loaders and network."""
    plans = json.loads((FOLDER / "preprocessed" / NAME / "nnUNetPlans.json").read_text())
    described = json.loads((FOLDER / "preprocessed" / NAME / "dataset.json").read_text())
    made = kind({**plans, "continue_training": False}, "3d_fullres", 0, described, torch.device("cpu"))
    made.num_iterations_per_epoch, made.num_val_iterations_per_epoch, made.num_epochs = 3, 1, 1
    torch.manual_seed(0)
    made.initialize()
    return made


def levels(made: Any, seed: int, *, maps: bool) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """Logits and targets of every level, as the network and the loader give them."""
    random = torch.Generator().manual_seed(seed)
    logits, targets = [], []
    for size in ((4, 16, 16), (4, 8, 8), (4, 4, 4))[: len(made.loss.weight_factors)]:
        logits.append(torch.randn(2, 3, *size, generator=random))
        y = torch.randint(0, 4, (2, 1, *size), generator=random).float()
        targets.append(torch.cat([y, torch.rand(2, 1, *size, generator=random) + 0.5], 1) if maps else y)
    return logits, targets


def main() -> None:
    settled()
    from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer
    from nnunetv2.utilities.find_objects import recursive_find_trainer_class_by_name

    from steelyard.integrations.nnunet import KEY, recipe_trainer

    found: dict[str, Any] = {}
    dataset()
    prepared()
    own = FOLDER / "own"
    own.mkdir()
    (own / "mine.py").write_text(
        "import steelyard as sy\nfrom steelyard.integrations.nnunet import recipe_trainer\n"
        "from steelyard.spatial import Map\n"
        "nnUNetTrainerRecipe = recipe_trainer(sy.inverse_frequency, map=Map('border', sigma=3))\n"
    )
    kind = recursive_find_trainer_class_by_name("nnUNetTrainerRecipe")
    plain, neutral = trainer(nnUNetTrainer), trainer(recipe_trainer(sy.Recipe(), name="nnUNetTrainerNeutral"))
    z, y = levels(plain, 0, maps=False)
    found["levels"] = len(z)
    found["neutral"] = [float(plain.loss(z, y)), float(neutral.loss(z, y))]
    mine = trainer(kind)
    recipe = sy.Recipe.from_json(mine.plans_manager.plans[KEY])
    counts = sy.count(FOLDER / "raw" / NAME)
    found["classes"], found["counted"] = list(counts.classes), recipe == sy.inverse_frequency(counts)
    z, y = levels(mine, 1, maps=True)
    w = torch.tensor(recipe.label_weights()).float()
    total = 0.0
    dice = plain.loss.loss.dc
    for factor, logits, target in zip(mine.loss.weight_factors, z, y, strict=True):
        labels, pixels = target[:, 0].long(), target[:, 1]
        valid = labels != 3
        each = F.cross_entropy(logits, labels.masked_fill(~valid, 0), w, reduction="none")
        ce = (each * pixels)[valid].sum() / valid.sum()
        part = dice(logits, torch.where(valid[:, None], target[:, :1], 0), loss_mask=valid[:, None])
        total += float(factor) * float(ce + part)
    found["weighed"] = [float(mine.loss(z, y)), total]
    mine.on_train_start()
    batch = next(mine.dataloader_train)
    found["channels"] = [list(t.shape[:2]) for t in batch["target"]]
    target = batch["target"][0]
    valid = (target[:, 0] >= 0) & (target[:, 0] < 3)
    found["map"] = [float(target[:, 1][valid].min()), float(target[:, 1].max())]
    found["validation channels"] = int(next(mine.dataloader_val)["target"][0].shape[1])
    mine.on_epoch_start()
    mine.on_train_epoch_start()
    outputs = [mine.train_step(next(mine.dataloader_train)) for _ in range(3)]
    found["steps"] = [float(o["loss"]) for o in outputs]
    mine.on_train_epoch_end(outputs)
    with torch.no_grad():
        mine.on_validation_epoch_start()
        mine.on_validation_epoch_end([mine.validation_step(next(mine.dataloader_val))])
    mine.save_checkpoint(str(FOLDER / "checkpoint.pth"))
    again = trainer(kind)
    again.load_checkpoint(str(FOLDER / "checkpoint.pth"))
    found["in plans"] = KEY in json.loads((Path(mine.output_folder_base) / "plans.json").read_text())
    saved = torch.load(FOLDER / "checkpoint.pth", weights_only=False)
    found["in checkpoint"] = KEY in saved["init_args"]["plans"]
    for words, call in (
        ("learn numbers", lambda: recipe_trainer(sy.adaptive.Seesaw(3))),
        ("for 5 classes", lambda: trainer(recipe_trainer(sy.fixed(weight=[1.0] * 5), name="nnUNetTrainerFive"))),
    ):
        try:
            call()
        except (TypeError, ValueError) as error:
            found[words] = words in str(error)
    assert isinstance(Map("border"), Map)
    (FOLDER / "found.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main()
