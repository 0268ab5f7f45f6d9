"""A recipe as lines to paste into the loss or the configuration of a framework: one function for each."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from ..explain.class_weights import BEYOND, beyond_weights, label_values

if TYPE_CHECKING:
    from ..counts import Counts
    from ..recipe import Recipe


def torch_lines(recipe: "Recipe", counts: "Counts", positive: int | None, how: str) -> str:
    """nn.CrossEntropyLoss and, for two classes, nn.BCEWithLogitsLoss; steelyard's own loss where torch has no word."""
    table = None if recipe.weight is None else recipe.weight.numpy()
    only_weight = table is not None and all(getattr(recipe, f) is None for f in BEYOND)
    if only_weight and recipe.kind == "multilabel" and table is not None:
        no, yes = np.broadcast_to(table, (2, len(counts)))
        if np.all(no > 0):
            return "\n".join([
                "import torch", "from torch import nn", "",
                f"# {how}", f"# label order: {_order(counts)}",
                f"weight = torch.tensor({_floats(no)})", f"pos_weight = torch.tensor({_floats(yes / no)})",
                "loss = nn.BCEWithLogitsLoss(weight=weight, pos_weight=pos_weight)",
            ])  # fmt: skip
    reason = beyond_weights(recipe)
    if reason is not None:
        loss = "BinaryCrossEntropy" if recipe.kind == "multilabel" else "CrossEntropy"
        return "\n".join([
            "import steelyard as sy", "",
            f"# {how}", f"# torch's losses have no argument for this recipe: {reason}.",
            "# Write recipe.json with --json --out recipe.json.",
            f'loss = sy.{loss}(sy.Recipe.load("recipe.json"))',
        ])  # fmt: skip
    weights = recipe.label_weights()
    lines = [
        "import torch", "from torch import nn", "",
        f"# {how}", f"# class order: {_order(counts)}",
        f"weight = torch.tensor({_floats(weights)})",
        "loss = nn.CrossEntropyLoss(weight=weight)  # its mean divides by the sum of the weights in the batch",
    ]  # fmt: skip
    if positive is not None and weights[1 - positive] > 0:
        ratio = _number(weights[positive] / weights[1 - positive])
        lines += [
            "", f"# with one logit instead of two, for {counts.classes[positive]!r} as 1:",
            f"loss = nn.BCEWithLogitsLoss(pos_weight=torch.tensor({ratio}))",
        ]  # fmt: skip
    return "\n".join(lines)


def keras_lines(recipe: "Recipe", counts: "Counts", positive: int | None, how: str) -> str:
    _refuse("Keras", recipe)
    pairs = ", ".join(f"{i}: {w:.10g}" for i, w in enumerate(recipe.label_weights()))
    return f"# {how}\n# class order: {_order(counts)}\nclass_weight = {{{pairs}}}\nmodel.fit(x, y, class_weight=class_weight)"


def sklearn_lines(recipe: "Recipe", counts: "Counts", positive: int | None, how: str) -> str:
    _refuse("scikit-learn", recipe)
    pairs, quoted = _by_label(recipe, counts)
    return (
        "from sklearn.linear_model import LogisticRegression\n\n"
        f"# {how}; the keys are the values of the label{quoted}\n"
        f"class_weight = {pairs}\nmodel = LogisticRegression(class_weight=class_weight)"
    )


def lightgbm_lines(recipe: "Recipe", counts: "Counts", positive: int | None, how: str) -> str:
    _refuse("LightGBM", recipe)
    pairs, quoted = _by_label(recipe, counts)
    return (
        "from lightgbm import LGBMClassifier\n\n"
        f"# {how}; the keys are the values of the label{quoted}\n"
        f"class_weight = {pairs}\nmodel = LGBMClassifier(class_weight=class_weight)"
    )


def xgboost_lines(recipe: "Recipe", counts: "Counts", positive: int | None, how: str) -> str:
    """XGBoost has a factor for the positives of two classes, and otherwise a weight for each row."""
    _refuse("XGBoost", recipe)
    weights = recipe.label_weights()
    lines = [
        "import numpy as np", "from xgboost import XGBClassifier", "",
        f"# {how}", f"# class order: {_order(counts)}; y holds these numbers",
        f"weight = np.array({_floats(weights)})",
        "model = XGBClassifier()", "model.fit(x, y, sample_weight=weight[y])",
    ]  # fmt: skip
    if positive is not None and weights[1 - positive] > 0:
        ratio = _number(weights[positive] / weights[1 - positive])
        name = counts.classes[positive]
        lines += ["", f"# or, with {name!r} as 1:", f"model = XGBClassifier(scale_pos_weight={ratio})"]
    return "\n".join(lines)


def ultralytics_lines(recipe: "Recipe", counts: "Counts", positive: int | None, how: str) -> str:
    """A trainer that hands the weights to the detection loss (Ultralytics 8.4.48 or later)."""
    _refuse("Ultralytics", recipe)
    return "\n".join([
        "import torch", "from ultralytics import YOLO", "from ultralytics.models.yolo.detect import DetectionTrainer",
        "from ultralytics.utils.torch_utils import unwrap_model", "",
        f"# {how}", f"# class order: {_order(counts)}; it must be that of data.yaml",
        "# The loss multiplies both answers of a class by its weight, yes and no.",
        "", "",
        "class Weighted(DetectionTrainer):",
        "    def set_class_weights(self):",
        f"        weights = torch.tensor({_floats(recipe.label_weights())})",
        "        unwrap_model(self.model).class_weights = weights.to(self.device)",
        "", "",
        'YOLO("yolo11n.pt").train(data="data.yaml", trainer=Weighted)',
    ])  # fmt: skip


def mmdet_lines(recipe: "Recipe", counts: "Counts", positive: int | None, how: str) -> str:
    """class_weight of OpenMMLab's CrossEntropyLoss; a detector's softmax head has a last class, background."""
    _refuse("MMDetection", recipe)
    weights = _floats(recipe.label_weights())
    return "\n".join([
        f"# {how}", f"# class order: {_order(counts)}",
        f"class_weight = {weights}", "",
        "# MMDetection, a softmax head (use_sigmoid=False): the last weight is that of background",
        'loss_cls = dict(type="CrossEntropyLoss", use_sigmoid=False, class_weight=[*class_weight, 1.0], loss_weight=1.0)',
        "",
        "# MMSegmentation: one weight for each class",
        'loss_decode = dict(type="CrossEntropyLoss", use_sigmoid=False, class_weight=class_weight, loss_weight=1.0)',
    ])  # fmt: skip


def monai_lines(recipe: "Recipe", counts: "Counts", positive: int | None, how: str) -> str:
    """DiceCELoss: the weights act in its cross-entropy and in its Dice."""
    _refuse("MONAI", recipe)
    return "\n".join([
        "import torch", "from monai.losses import DiceCELoss", "",
        f"# {how}", f"# class order: {_order(counts)}; background is one of them",
        f"weight = torch.tensor({_floats(recipe.label_weights())})",
        "loss = DiceCELoss(to_onehot_y=True, softmax=True, weight=weight)  # MONAI before 1.2 calls it ce_weight",
    ])  # fmt: skip


def nnunet_lines(recipe: "Recipe", counts: "Counts", positive: int | None, how: str) -> str:
    """A trainer whose cross-entropy has the weights; its Dice stays as it is."""
    _refuse("nnU-Net", recipe)
    return "\n".join([
        "# a file in nnunetv2/training/nnUNetTrainer; then: nnUNetv2_train DATASET 3d_fullres 0 -tr nnUNetTrainerWeighted",
        "import torch", "from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer", "",
        f"# {how}", f"# class order: {_order(counts)}; it must be that of dataset.json",
        "", "",
        "class nnUNetTrainerWeighted(nnUNetTrainer):",
        "    def _build_loss(self):",
        "        loss = super()._build_loss()",
        '        inner = getattr(loss, "loss", loss)  # without the wrapper of deep supervision',
        f"        inner.ce.weight = torch.tensor({_floats(recipe.label_weights())}, device=self.device)",
        "        return loss",
    ])  # fmt: skip


FORMS: dict[str, Callable[["Recipe", "Counts", int | None, str], str]] = {
    "torch": torch_lines,
    "keras": keras_lines,
    "sklearn": sklearn_lines,
    "lightgbm": lightgbm_lines,
    "xgboost": xgboost_lines,
    "ultralytics": ultralytics_lines,
    "mmdet": mmdet_lines,
    "monai": monai_lines,
    "nnunet": nnunet_lines,
}


def _by_label(recipe: "Recipe", counts: "Counts") -> tuple[str, str]:
    """({value of the label: weight} as text, a word of caution where the values are numbers)."""
    keys = label_values(counts.classes)
    pairs = ", ".join(f"{k!r}: {w:.10g}" for k, w in zip(keys, recipe.label_weights(), strict=True))
    quoted = "" if isinstance(keys[0], str) else " (put quotes around them if your labels are text)"
    return f"{{{pairs}}}", quoted


def _refuse(framework: str, recipe: "Recipe") -> None:
    reason = beyond_weights(recipe)
    if reason is not None:
        raise ValueError(
            f"weigh: this recipe is not a set of class weights: {reason}. {framework} takes class weights only;"
            " use --json and steelyard's own loss in torch (--torch shows the lines), or a strategy that only weighs."
        )


def _order(counts: "Counts") -> str:
    names = [f"{i} = {json.dumps(c, ensure_ascii=False)}" for i, c in enumerate(counts.classes)]
    return ", ".join(names)


def _floats(values: np.ndarray) -> str:
    return "[" + ", ".join(map(_number, values)) + "]"


def _number(value: float) -> str:
    """The shortest text that gives the same float32."""
    return str(np.float32(value))
