"""A recipe as lines to paste into the loss or the configuration of a framework: one function for each."""

from collections.abc import Callable

from .lines import Answer, floats
from .torch_form import torch_lines

LEAVE_OUT = "leave their rows out"


def keras_lines(answer: Answer) -> str:
    answer.refuse_beyond("Keras")
    pairs = ", ".join(f"{i}: {w:.10g}" for i, w in enumerate(answer.weights))
    return "\n".join([
        f"# {answer.how}", f"# class order: {answer.order}",
        *answer.without_ignored("compile with keras.losses.SparseCategoricalCrossentropy(ignore_class=...) or leave these rows out"),
        f"class_weight = {{{pairs}}}", "model.fit(x, y, class_weight=class_weight)",
    ])  # fmt: skip


def sklearn_lines(answer: Answer) -> str:
    return _keyed(answer, "scikit-learn", "sklearn.linear_model", "LogisticRegression")


def lightgbm_lines(answer: Answer) -> str:
    return _keyed(answer, "LightGBM", "lightgbm", "LGBMClassifier")


def _keyed(answer: Answer, framework: str, module: str, model: str) -> str:
    """For classifiers whose class_weight has the values of the label as keys."""
    answer.refuse_beyond(framework)
    pairs, quoted = answer.by_label()
    return "\n".join([
        f"from {module} import {model}", "",
        f"# {answer.how}; the keys are the values of the label{quoted}",
        *answer.without_ignored(LEAVE_OUT),
        f"class_weight = {pairs}", f"model = {model}(class_weight=class_weight)",
    ])  # fmt: skip


def xgboost_lines(answer: Answer) -> str:
    """XGBoost has a factor for the positives of two classes, and otherwise a weight for each row."""
    answer.refuse_beyond("XGBoost")
    weights = answer.weights
    lines = [
        "import numpy as np", "from xgboost import XGBClassifier", "",
        f"# {answer.how}", f"# class order: {answer.order}; y holds these numbers",
        *answer.without_ignored(LEAVE_OUT),
        f"weight = np.array({floats(weights)})",
        "model = XGBClassifier()", "model.fit(x, y, sample_weight=weight[y])",
    ]  # fmt: skip
    if answer.ratio is not None and answer.positive is not None:
        name = answer.counts.classes[answer.positive]
        lines += ["", f"# or, with {name!r} as 1:", f"model = XGBClassifier(scale_pos_weight={answer.ratio})"]
    return "\n".join(lines)


def ultralytics_lines(answer: Answer) -> str:
    """A trainer that hands the weights to the detection loss (Ultralytics 8.4.48 or later)."""
    answer.refuse_beyond("Ultralytics")
    return "\n".join([
        "import torch", "from ultralytics import YOLO", "from ultralytics.models.yolo.detect import DetectionTrainer",
        "from ultralytics.utils.torch_utils import unwrap_model", "",
        f"# {answer.how}", f"# class order: {answer.order}; it must be that of data.yaml",
        "# The loss multiplies both answers of a class by its weight, yes and no.",
        *answer.without_ignored("their boxes still train; take them out of the labels"),
        "", "",
        "class Weighted(DetectionTrainer):",
        "    def set_class_weights(self):",
        f"        weights = torch.tensor({floats(answer.weights)})",
        "        unwrap_model(self.model).class_weights = weights.to(self.device)",
        "", "",
        'YOLO("yolo11n.pt").train(data="data.yaml", trainer=Weighted)',
    ])  # fmt: skip


def mmdet_lines(answer: Answer) -> str:
    """class_weight of OpenMMLab's CrossEntropyLoss; a detector's softmax head has a last class, background."""
    answer.refuse_beyond("MMDetection")
    weights = floats(answer.weights)
    return "\n".join([
        f"# {answer.how}", f"# class order: {answer.order}",
        f"class_weight = {weights}", "",
        "# MMDetection, a softmax head (use_sigmoid=False): the last weight is that of background",
        'loss_cls = dict(type="CrossEntropyLoss", use_sigmoid=False, class_weight=[*class_weight, 1.0], loss_weight=1.0)',
        "",
        "# MMSegmentation: one weight for each class",
        *answer.without_ignored(f"decode_head=dict(ignore_index={answer.ignored[0] if answer.ignored else ''}, ...)"),
        'loss_decode = dict(type="CrossEntropyLoss", use_sigmoid=False, class_weight=class_weight, loss_weight=1.0)',
    ])  # fmt: skip


def monai_lines(answer: Answer) -> str:
    """DiceCELoss: the weights act in its cross-entropy and in its Dice."""
    answer.refuse_beyond("MONAI")
    return "\n".join([
        "import torch", "from monai.losses import DiceCELoss", "",
        f"# {answer.how}", f"# class order: {answer.order}; background is one of them",
        *answer.without_ignored("this loss has no argument for that, and counts these pixels; steelyard's CrossEntropy(ignore_index=) does not"),
        f"weight = torch.tensor({floats(answer.weights)})",
        "loss = DiceCELoss(to_onehot_y=True, softmax=True, weight=weight)  # MONAI before 1.2 calls it ce_weight",
    ])  # fmt: skip


def nnunet_lines(answer: Answer) -> str:
    """A trainer whose cross-entropy has the weights; its Dice stays as it is."""
    answer.refuse_beyond("nnU-Net")
    return "\n".join([
        "# a file in nnunetv2/training/nnUNetTrainer; then: nnUNetv2_train DATASET 3d_fullres 0 -tr nnUNetTrainerWeighted",
        "import torch", "from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer", "",
        f"# {answer.how}", f"# class order: {answer.order}; it must be that of dataset.json",
        *answer.without_ignored('name it "ignore" in dataset.json, as the last number'),
        "", "",
        "class nnUNetTrainerWeighted(nnUNetTrainer):",
        "    def _build_loss(self):",
        "        loss = super()._build_loss()",
        '        inner = getattr(loss, "loss", loss)  # without the wrapper of deep supervision',
        f"        inner.ce.weight = torch.tensor({floats(answer.weights)}, device=self.device)",
        "        return loss",
    ])  # fmt: skip


FORMS: dict[str, Callable[[Answer], str]] = {
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
