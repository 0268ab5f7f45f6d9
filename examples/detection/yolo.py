"""A nano YOLO from scratch, a quarter as wide as yolo11n, by Ultralytics' own trainer (AGPL-3.0, to be installed by you)."""

import os
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from . import arms
from .cells import HEIGHT, NAMES, WIDTH, Photo
from .measure import Found

OPTIONS: dict[str, Any] = {
    "workers": 0, "plots": False, "amp": False, "verbose": False, "val": False, "imgsz": WIDTH, "batch": 16, "device": "cpu",
    "optimizer": "AdamW", "lr0": 3e-3, "warmup_epochs": 1.0, "mosaic": 0.0, "flipud": 0.5, "cache": True, "exist_ok": True,
    "rect": False, "nbs": 16,
}  # fmt: skip


def run(arm: str, seed: int, photos: dict[str, list[Photo]], steps: int) -> list[Found]:
    """Train, and what is found on the test images; `steps` are brought to whole epochs."""
    os.environ.setdefault("YOLO_OFFLINE", "true")
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        os.environ.setdefault("YOLO_CONFIG_DIR", made)
        from ultralytics import YOLO
        from ultralytics.utils import ROOT, YAML

        from steelyard.integrations.ultralytics import recipe_trainer

        shape = YAML.load(ROOT / "cfg/models/11/yolo11.yaml")
        shape["scales"] = {"n": [0.33, 0.125, 512]}
        YAML.save(folder / "yolo11n.yaml", shape)
        torch.manual_seed(seed)
        net = YOLO(str(folder / "yolo11n.yaml"), task="detect")
        trainer = partial(recipe_trainer, task="detect")(arms.YOLO[arm])
        epochs = max(1, round(steps * OPTIONS["batch"] / len(photos["train"])))
        net.train(
            data=written(folder, photos), project=made, name="run", seed=seed, epochs=epochs, trainer=trainer, **OPTIONS
        )
        best = YOLO(str(folder / "run" / "weights" / "last.pt"))
        found = []
        for photo in photos["test"]:
            (answer,) = best.predict(
                photo.pixels[:, :, ::-1].copy(), imgsz=WIDTH, conf=0.01, verbose=False, device="cpu", max_det=100
            )
            boxes: Any = answer.boxes
            found.append(Found(boxes.xyxy.numpy(), boxes.cls.long().numpy(), boxes.conf.numpy()))
    return found


def written(folder: Path, photos: dict[str, list[Photo]]) -> str:
    for part, each in photos.items():
        for kind in ("images", "labels"):
            (folder / kind / part).mkdir(parents=True, exist_ok=True)
        for photo in each:
            Image.fromarray(photo.pixels).save(folder / "images" / part / f"{photo.name}.png")
            size = torch.tensor([WIDTH, HEIGHT, WIDTH, HEIGHT])
            corners = torch.from_numpy(photo.boxes).clamp(min=0).minimum(size) / size
            middle, extent = (corners[:, :2] + corners[:, 2:]) / 2, corners[:, 2:] - corners[:, :2]
            rows = torch.cat([middle, extent], dim=1).tolist()
            lines = [" ".join(map(str, (label, *row))) for label, row in zip(photo.labels.tolist(), rows, strict=True)]
            (folder / "labels" / part / f"{photo.name}.txt").write_text("\n".join(lines))
    names = "".join(f"  {i}: {n}\n" for i, n in enumerate(NAMES))
    (folder / "data.yaml").write_text(f"path: {folder}\ntrain: images/train\nval: images/test\nnames:\n{names}")
    return str(folder / "data.yaml")
