"""The weights as torch's losses take them, or as steelyard's own where torch has no word."""

import numpy as np

from ..explain.class_weights import BEYOND, beyond_weights
from .lines import Answer, floats, number


def torch_lines(answer: Answer) -> str:
    """nn.CrossEntropyLoss and, for two classes, nn.BCEWithLogitsLoss; of yes-or-no labels one with pos_weight."""
    recipe = answer.recipe
    only_weight = recipe.weight is not None and all(getattr(recipe, f) is None for f in BEYOND)
    if only_weight and answer.counts.kind == "multilabel" and recipe.weight is not None:
        no, yes = np.broadcast_to(recipe.weight.numpy(), (2, len(answer.counts)))
        if np.all(no > 0):
            return _multilabel(answer, no, yes)
    if beyond_weights(recipe) is not None:
        return _own(answer)
    return _exclusive(answer)


def _exclusive(answer: Answer) -> str:
    ignored = answer.ignored
    option = f", ignore_index={ignored[0]}" if ignored else ""
    before = (
        [
            "# torch ignores one number, so before the loss:"
            f" target[torch.isin(target, torch.tensor({list(ignored)}))] = {ignored[0]}"
        ]
        if len(ignored) > 1
        else []
    )
    lines = [
        "import torch", "from torch import nn", "",
        f"# {answer.how}", f"# class order: {answer.order}",
        f"weight = torch.tensor({floats(answer.weights)})",
        *before,
        f"loss = nn.CrossEntropyLoss(weight=weight{option})  # its mean divides by the sum of the weights in the batch",
    ]  # fmt: skip
    if answer.ratio is not None and answer.positive is not None:
        other = float(answer.weights[1 - answer.positive])
        alone = (
            f"; pos_weight alone would make the loss {1 / other:.3g} times as large" if abs(other - 1) > 0.005 else ""
        )
        options = f"weight=torch.tensor({number(other)}), " if alone else ""
        lines += [
            "", f"# with one logit instead of two, for {answer.counts.classes[answer.positive]!r} as 1{alone}:",
            *answer.without_ignored("this loss has no ignore_index, so leave them out: logits[known], target[known]"),
            f"loss = nn.BCEWithLogitsLoss({options}pos_weight=torch.tensor({answer.ratio}))",
        ]  # fmt: skip
    return "\n".join(lines)


def _multilabel(answer: Answer, no: np.ndarray, yes: np.ndarray) -> str:
    lines = [
        "import torch", "from torch import nn", "",
        f"# {answer.how}", f"# label order: {answer.order}",
        f"weight = torch.tensor({floats(no)})", f"pos_weight = torch.tensor({floats(yes / no)})",
    ]  # fmt: skip
    if "unknown" not in answer.counts.also:
        return "\n".join([*lines, "loss = nn.BCEWithLogitsLoss(weight=weight, pos_weight=pos_weight)"])
    return "\n".join([
        *lines,
        'each = nn.BCEWithLogitsLoss(weight=weight, pos_weight=pos_weight, reduction="none")',
        "", "",
        "def loss(logits, target):",
        "    known = target >= 0  # -1 and NaN are unknown, each for its label alone: no loss, no gradient",
        "    losses = each(logits, torch.where(known, target, 0).to(logits.dtype))",
        "    return torch.where(known, losses, 0).sum() / known.sum().clamp(min=1)",
    ])  # fmt: skip


def _own(answer: Answer) -> str:
    loss, options, notes = "CrossEntropy", "", []
    if answer.counts.kind == "multilabel":
        loss = "BinaryCrossEntropy"
        if "unknown" in answer.counts.also:
            options = ", ignore_index=-1"
            notes = ["# unknown answers are -1 in an integer target: no loss, no gradient, each for its label alone"]
    elif answer.ignored:
        options = f", ignore_index={answer.ignored[0]}"
        notes = answer.without_ignored(f"write all of them as {answer.ignored[0]}") if len(answer.ignored) > 1 else []
    return "\n".join([
        "import steelyard as sy", "",
        f"# {answer.how}", f"# torch's losses have no argument for this recipe: {beyond_weights(answer.recipe)}.",
        "# Write recipe.json with --to json --out recipe.json.",
        *notes,
        f'loss = sy.{loss}(sy.Recipe.load("recipe.json"){options})',
    ])  # fmt: skip
