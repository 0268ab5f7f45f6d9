"""A recipe as lines to paste into torch, Keras or scikit-learn; configs.py has the other forms."""

import json
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ..counts import Counts
    from ..recipe import Recipe

FIELDS = {
    "scale": "multiplies the logits",
    "offset": "adds to the logits inside the loss",
    "margin": "lowers the logit of the label",
    "target": "changes what a label asks for",
    "curve": "changes how the penalty falls with the probability",
    "norm": "changes what the loss is divided by",
}


def beyond_weights(recipe: "Recipe") -> str | None:
    """Why a vector of class weights cannot say this recipe, or None if it can."""
    others = [f"{name} {what}" for name, what in FIELDS.items() if getattr(recipe, name) is not None]
    if others:
        return "its " + " and its ".join(others) + ", which class weights cannot express"
    if recipe.weight is None:
        return "it sets no weight"
    if recipe.kind == "multilabel":
        return "it holds two weights for each label, yes and no, which class weights cannot express"
    try:
        recipe.label_weights()
    except ValueError as error:
        return str(error).removeprefix("Recipe: ").rstrip(".")
    return None


def torch_lines(recipe: "Recipe", counts: "Counts", positive: int | None, how: str) -> str:
    """nn.CrossEntropyLoss and, for two classes, nn.BCEWithLogitsLoss; steelyard's own loss where torch has no word."""
    table = None if recipe.weight is None else recipe.weight.numpy()
    only_weight = table is not None and all(getattr(recipe, f) is None for f in FIELDS)
    if only_weight and recipe.kind == "multilabel" and table is not None:
        no, yes = np.broadcast_to(table, (2, len(counts)))
        if np.all(no > 0):
            return "\n".join([
                "import torch", "from torch import nn", "",
                f"# {how}", f"# label order: {order(counts)}",
                f"weight = torch.tensor({floats(no)})", f"pos_weight = torch.tensor({floats(yes / no)})",
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
        f"# {how}", f"# class order: {order(counts)}",
        f"weight = torch.tensor({floats(weights)})",
        "loss = nn.CrossEntropyLoss(weight=weight)  # its mean divides by the sum of the weights in the batch",
    ]  # fmt: skip
    if positive is not None and weights[1 - positive] > 0:
        ratio = number(weights[positive] / weights[1 - positive])
        lines += [
            "", f"# with one logit instead of two, for {counts.classes[positive]!r} as 1:",
            f"loss = nn.BCEWithLogitsLoss(pos_weight=torch.tensor({ratio}))",
        ]  # fmt: skip
    return "\n".join(lines)


def keras_lines(recipe: "Recipe", counts: "Counts", positive: int | None, how: str) -> str:
    refuse("Keras", recipe)
    pairs = ", ".join(f"{i}: {w:.10g}" for i, w in enumerate(recipe.label_weights()))
    return f"# {how}\n# class order: {order(counts)}\nclass_weight = {{{pairs}}}\nmodel.fit(x, y, class_weight=class_weight)"


def sklearn_lines(recipe: "Recipe", counts: "Counts", positive: int | None, how: str) -> str:
    refuse("scikit-learn", recipe)
    pairs, quoted = by_label(recipe, counts)
    return (
        "from sklearn.linear_model import LogisticRegression\n\n"
        f"# {how}; the keys are the values of the label{quoted}\n"
        f"class_weight = {pairs}\nmodel = LogisticRegression(class_weight=class_weight)"
    )


def by_label(recipe: "Recipe", counts: "Counts") -> tuple[str, str]:
    """({value of the label: weight} as text, a word of caution where the values are numbers)."""
    keys = label_values(counts.classes)
    pairs = ", ".join(f"{k!r}: {w:.10g}" for k, w in zip(keys, recipe.label_weights(), strict=True))
    quoted = "" if isinstance(keys[0], str) else " (put quotes around them if your labels are text)"
    return f"{{{pairs}}}", quoted


def label_values(names: tuple[str, ...]) -> list[object]:
    """Class names as the values a table holds: all whole numbers, all numbers, all booleans, or text."""
    if set(names) <= {"True", "False"}:
        return [name == "True" for name in names]
    for kind in (int, float):
        try:
            return [kind(name) for name in names]
        except ValueError:
            continue
    return list(names)


def refuse(framework: str, recipe: "Recipe") -> None:
    reason = beyond_weights(recipe)
    if reason is not None:
        raise ValueError(
            f"weigh: this recipe is not a set of class weights: {reason}. {framework} takes class weights only;"
            " use --json and steelyard's own loss in torch (--torch shows the lines), or a strategy that only weighs."
        )


def order(counts: "Counts") -> str:
    said = [f"{i} = {json.dumps(c, ensure_ascii=False)}" for i, c in enumerate(counts.classes)]
    return ", ".join(said)


def floats(values: np.ndarray) -> str:
    return "[" + ", ".join(map(number, values)) + "]"


def number(value: float) -> str:
    """The shortest text that gives the same float32."""
    return str(np.float32(value))
