"""Region: a loss of somebody else, such as Dice, in the layout that it wants, beside ours in a Sum."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

LAYOUTS = ("labels", "channel", "onehot")
SCORES = ("logits", "softmax", "sigmoid")


class Region(nn.Module):
    """fn(scores, target) of logits [N, C, *space] and labels, each brought to what `fn` takes; ignored pixels do not reach it.

    Sum(ce=CrossEntropy(recipe, ignore_index=255), dice=Region(DiceLoss(), target="onehot", scores="softmax", ignore_index=255))

    fn            a callable (scores, target) -> scalar
    target        what it takes: "labels" [N, *space], "channel" [N, 1, *space], or "onehot" [N, C, *space] in the scores' dtype
    scores        "logits" as they are, or their "softmax" or "sigmoid" [N, C, *space], in float32 or wider
    ignore_index  with "onehot" and probabilities both are 0 where the label is this, so that no sum of theirs, or of their product,
                  holds such a pixel (Dice, Tversky, Jaccard, Lovász). Elsewhere `fn` has to ignore it itself, and its own attribute
                  `ignore_index` must say the same; where it does not, labels that hold it are a ValueError, on a GPU at the first call

    logits [N, C, *space]; target [N, *space] or [N, 1, *space], whole numbers of any dtype, or [N, C, *space] as `fn` takes it.
    ValueError for other shapes, for fractions among labels (on the CPU), and for options that are none of the above.
    """

    def __init__(
        self,
        fn: Callable[..., Tensor],
        *,
        target: str = "onehot",
        scores: str = "softmax",
        ignore_index: int | None = -100,
    ):
        super().__init__()
        if not callable(fn):
            raise TypeError(f"Region: takes a callable (scores, target) -> scalar, got {type(fn).__name__}.")
        for name, value, known in (("target", target, LAYOUTS), ("scores", scores, SCORES)):
            if value not in known:
                raise ValueError(f"Region: {name} must be one of {', '.join(known)}, got {value!r}.")
        self.fn, self.target, self.scores, self.ignore_index = fn, target, scores, ignore_index
        self._looked = False

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        scores = _scores(logits, self.scores)
        labels = labels_of("Region", logits, target)
        if labels is None:
            return self.fn(scores, target.to(scores.dtype))
        if self.target != "onehot" or self.scores == "logits":
            self._refuse_ignored(labels)
            valid = None
        else:
            valid = None if self.ignore_index is None else (labels != self.ignore_index).unsqueeze(1)
        if self.target != "onehot":
            return self.fn(scores, labels if self.target == "labels" else labels.unsqueeze(1))
        wide = labels.unsqueeze(1) if valid is None else torch.where(valid, labels.unsqueeze(1), 0)
        one = logits.shape[1] == 1
        hot = wide.to(scores.dtype) if one else torch.zeros_like(scores).scatter(1, wide, 1.0)
        if valid is None:
            return self.fn(scores, hot)
        return self.fn(torch.where(valid, scores, 0.0), torch.where(valid, hot, 0.0))

    __call__: Callable[..., Tensor]  # nn.Module says Any

    def _refuse_ignored(self, labels: Tensor) -> None:
        own = getattr(self.fn, "ignore_index", None)
        if self.ignore_index is None or own == self.ignore_index or torch.compiler.is_compiling():
            return
        if labels.device.type != "cpu" and self._looked:
            return
        self._looked = True
        if bool((labels == self.ignore_index).any()):
            raise ValueError(
                f"Region: the labels hold ignore_index={self.ignore_index}, and {type(self.fn).__name__} of"
                f" target={self.target!r}, scores={self.scores!r} would count those pixels. Let it take one-hot labels and"
                ' probabilities, Region(fn, target="onehot", scores="softmax"), or set its own ignore_index.'
            )

    def extra_repr(self) -> str:
        return f"target={self.target!r}, scores={self.scores!r}, ignore_index={self.ignore_index}"


def labels_of(name: str, logits: Tensor, target: Tensor) -> Tensor | None:
    """int64 labels [N, *space] of [N, *space] or [N, 1, *space], floats that are whole numbers too; None where the target has the logits'
    classes. ValueError for other shapes and, on the CPU, for fractions."""
    shape, given = list(logits.shape), list(target.shape)
    without = shape[:1] + shape[2:]
    if given == shape and shape[1] > 1:
        return None
    if given not in (without, [shape[0], 1, *shape[2:]]):
        raise ValueError(
            f"{name}: logits {shape} need labels of shape {without} or {[shape[0], 1, *shape[2:]]}, or one value per class"
            f" {shape}; got {given}."
        )
    return whole_labels(name, target if given == without else target.squeeze(1))


def whole_labels(name: str, labels: Tensor) -> Tensor:
    """int64 of labels that may be floats. ValueError, on the CPU, for fractions."""
    if labels.is_floating_point():
        if labels.device.type == "cpu" and not torch.compiler.is_compiling() and bool((labels != labels.round()).any()):
            raise ValueError(f"{name}: the labels hold fractions; resize masks by nearest neighbour.")
        labels = labels.round()
    return labels.long()


def _scores(logits: Tensor, kind: str) -> Tensor:
    if kind == "logits":
        return logits
    wide = logits.to(torch.promote_types(logits.dtype, torch.float32))
    return wide.softmax(dim=1) if kind == "softmax" else wide.sigmoid()
