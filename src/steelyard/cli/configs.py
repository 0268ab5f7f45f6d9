"""A recipe as lines to paste into boosting libraries and detectors, and the list of all forms."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from .forms import by_label, floats, keras_lines, number, order, refuse, sklearn_lines, torch_lines

if TYPE_CHECKING:
    from ..counts import Counts
    from ..recipe import Recipe


def lightgbm_lines(recipe: "Recipe", counts: "Counts", positive: int | None, how: str) -> str:
    refuse("LightGBM", recipe)
    pairs, quoted = by_label(recipe, counts)
    return (
        "from lightgbm import LGBMClassifier\n\n"
        f"# {how}; the keys are the values of the label{quoted}\n"
        f"class_weight = {pairs}\nmodel = LGBMClassifier(class_weight=class_weight)"
    )


def xgboost_lines(recipe: "Recipe", counts: "Counts", positive: int | None, how: str) -> str:
    """XGBoost has a factor for the positives of two classes, and otherwise a weight for each row."""
    refuse("XGBoost", recipe)
    weights = recipe.label_weights()
    lines = [
        "import numpy as np", "from xgboost import XGBClassifier", "",
        f"# {how}", f"# class order: {order(counts)}; y holds these numbers",
        f"weight = np.array({floats(weights)})",
        "model = XGBClassifier()", "model.fit(x, y, sample_weight=weight[y])",
    ]  # fmt: skip
    if positive is not None and weights[1 - positive] > 0:
        ratio = number(weights[positive] / weights[1 - positive])
        name = counts.classes[positive]
        lines += ["", f"# or, with {name!r} as 1:", f"model = XGBClassifier(scale_pos_weight={ratio})"]
    return "\n".join(lines)


def ultralytics_lines(recipe: "Recipe", counts: "Counts", positive: int | None, how: str) -> str:
    """A trainer that hands the weights to the detection loss (Ultralytics 8.4.48 or later)."""
    refuse("Ultralytics", recipe)
    return "\n".join([
        "import torch", "from ultralytics import YOLO", "from ultralytics.models.yolo.detect import DetectionTrainer",
        "from ultralytics.utils.torch_utils import unwrap_model", "",
        f"# {how}", f"# class order: {order(counts)}; it must be that of data.yaml",
        "# The loss multiplies both answers of a class by its weight, yes and no.",
        "", "",
        "class Weighted(DetectionTrainer):",
        "    def set_class_weights(self):",
        f"        weights = torch.tensor({floats(recipe.label_weights())})",
        "        unwrap_model(self.model).class_weights = weights.to(self.device)",
        "", "",
        'YOLO("yolo11n.pt").train(data="data.yaml", trainer=Weighted)',
    ])  # fmt: skip


def mmdet_lines(recipe: "Recipe", counts: "Counts", positive: int | None, how: str) -> str:
    """class_weight of OpenMMLab's CrossEntropyLoss; a detector's softmax head has a last class, background."""
    refuse("MMDetection", recipe)
    weights = floats(recipe.label_weights())
    return "\n".join([
        f"# {how}", f"# class order: {order(counts)}",
        f"class_weight = {weights}", "",
        "# MMDetection, a softmax head (use_sigmoid=False): the last weight is that of background",
        'loss_cls = dict(type="CrossEntropyLoss", use_sigmoid=False, class_weight=[*class_weight, 1.0], loss_weight=1.0)',
        "",
        "# MMSegmentation: one weight for each class",
        'loss_decode = dict(type="CrossEntropyLoss", use_sigmoid=False, class_weight=class_weight, loss_weight=1.0)',
    ])  # fmt: skip


FORMS: dict[str, Callable[["Recipe", "Counts", int | None, str], str]] = {
    "torch": torch_lines,
    "keras": keras_lines,
    "sklearn": sklearn_lines,
    "lightgbm": lightgbm_lines,
    "xgboost": xgboost_lines,
    "ultralytics": ultralytics_lines,
    "mmdet": mmdet_lines,
}
