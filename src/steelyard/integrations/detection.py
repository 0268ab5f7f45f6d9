"""torchvision's models with a recipe for their classes, each model for itself.

loss = reweigh(model, recipe, background=1.0)      SSD, SSDlite, RetinaNet, FCOS, Faster, Mask and Keypoint R-CNN
loss = Segmentation(sy.CrossEntropy(recipe, ignore_index=255), aux=0.5)      DeepLab, FCN, LRASPP

A model, or the head that computes its loss, becomes of a subclass of its own class; nothing of torchvision is replaced.
"""

# Types are checked where the framework is not installed.
# pyright: basic, reportMissingImports=false

from typing import Any

import torch
from torch import Tensor, nn
from torchvision.models.detection.fcos import FCOS, FCOSHead
from torchvision.models.detection.retinanet import RetinaNet, RetinaNetClassificationHead
from torchvision.models.detection.roi_heads import RoIHeads
from torchvision.models.detection.ssd import SSD

import steelyard as sy

from . import across
from .per_class import on_targets, positive_weights, with_background

FOCAL = {"gamma": 2.0, "alpha": 0.25}  # of torchvision.ops.sigmoid_focal_loss, which its heads call without options
KEPT = "recipe_loss"  # the place in the model of a rule, and of numbers that are learned
CHOICES = (None, "theirs", "recipe")


def reweigh(
    model: nn.Module,
    recipe: Any,
    *,
    background: float | None = None,
    focal: str | None = None,
    over_ranks: bool = True,
) -> Any:
    """Let the detector's classification loss be that of `recipe`, and return it, a CrossEntropy or BinaryCrossEntropy.

    recipe      a Recipe, or a rule such as adaptive.Seesaw(num_classes), whose numbers become part of the model's state; numbers that are
                learned become its parameters, so make the optimiser afterwards
    background  SSD and the R-CNNs: the weight of background boxes, where the recipe was counted from boxes and has no row for them
    focal       RetinaNet and FCOS, whose own loss is focal, gamma 2 and alpha 0.25. "theirs": it stays, and the recipe's weights multiply
                it; "recipe": the recipe alone, without gamma and alpha. None: "recipe" where it has a curve, else "theirs"
    over_ranks  under DistributedDataParallel the classification loss is divided by what all ranks hold, so that its gradient is that of
                one process with all images (one all-reduce of a number, on every rank, where gradients are asked for). False: each rank
                divides by its own, as torchvision does, and still does for boxes

    What a loss is divided by is torchvision's: boxes matched by an anchor (SSD over the batch, RetinaNet image by image, FCOS over the
    batch), sampled boxes (R-CNN); under norm="mass" their weights, and "sum" or a number is taken as it says. SSD keeps its three hardest
    negatives for each positive, hard by the plain loss. Box, mask, keypoint and objectness losses stay as they are. The divisor is that
    of one micro-batch, as it is without: boxes are matched in the forward pass, so that nothing knows those of the next. Where
    micro-batches shall add up, say norm=number, such as the boxes matched in a usual step, and add their losses.

    A Recipe leaves the state_dict as it was. Copies and pickles of the model keep the recipe; `restore` ends it.

    TypeError for other models; ValueError for a model that is reweighed already, for recipes of other classes, for focal=None where
    the recipe has no curve but says what "is not" weighs, which alpha says too, and inside sy.accumulate, which cannot know the boxes.
    """
    head = _head(model)
    if isinstance(head, _Reweighed):
        raise ValueError(f"reweigh: this {type(model).__name__} has a recipe already; restore(model) first.")
    kind = next(mixin for base, mixin in HEADS.items() if isinstance(head, base))
    classes = _classes(head)
    made = recipe.recipe() if callable(getattr(type(recipe), "recipe", None)) else recipe
    if not isinstance(made, sy.Recipe):
        raise TypeError(f"reweigh: takes a Recipe or a rule, got {type(recipe).__name__}; make one with steelyard.mix.")
    if kind.exclusive:
        if focal is not None:
            raise ValueError(
                f"reweigh: focal= is for RetinaNet and FCOS; {type(model).__name__} has no focal loss to keep. mix(recipe, sy.focal())"
                " gives it one."
            )
        recipe = with_background("reweigh", recipe, classes, background)
        loss: Any = sy.CrossEntropy(recipe)
    else:
        if background is not None:
            raise ValueError(
                f"reweigh: {type(model).__name__} asks a yes-or-no question for each class, and background is no class there; leave"
                " background= out. Negatives are weighed by a recipe of multilabel counts."
            )
        recipe = on_targets("reweigh", recipe, classes, first=True)
        loss = sy.BinaryCrossEntropy(_with_focal(recipe, made, focal), class_dim=-1)
    width = loss.bound().width
    if width not in (None, classes):
        raise ValueError(f"reweigh: the recipe is for {width} classes, and {type(model).__name__} has {classes}.")
    head.__class__ = _subclass(kind, type(head))
    if loss.rule is None and next(loss.parameters(), None) is None:
        head.__dict__["_recipe_loss"] = loss  # beside the modules: a recipe adds nothing to the state_dict
    else:
        head.add_module(KEPT, loss)
    head.__dict__["_over_ranks"] = bool(over_ranks)
    head.__dict__["_divided_by"] = recipe  # before theirs is mixed in, whose alpha is no weight of a class
    return loss


def restore(model: nn.Module) -> nn.Module:
    """The model with torchvision's own loss again; ValueError if it has no recipe."""
    head: Any = _head(model)
    if not isinstance(head, _Reweighed):
        raise ValueError(f"restore: this {type(model).__name__} has no recipe.")
    head.__class__ = type(head).__bases__[1]
    for name in ("_recipe_loss", "_divided_by", "_over_ranks", "_labels"):
        head.__dict__.pop(name, None)
    modules: Any = head._modules  # pyright: ignore[reportAttributeAccessIssue]
    modules.pop(KEPT, None)
    return model


class Segmentation(nn.Module):
    """The loss of a model of torchvision.models.segmentation, {"out": logits, "aux": logits}: out + aux times the auxiliary head's.

    loss  (logits, target) -> scalar, such as CrossEntropy or Sum; a rule in it learns from "out" alone
    aux   the factor of "aux", where the model has that head; 0.5 in torchvision's own training

    Called (model(images), target, **call), target [N, H, W] as for the loss; `call` goes to it (weight=, normalizer=).
    """

    def __init__(self, loss: Any, *, aux: float = 0.5):
        super().__init__()
        self.loss, self.aux = loss, float(aux)

    def forward(self, outputs: Any, target: Tensor, **call: Any) -> Tensor:
        if not (hasattr(outputs, "keys") and "out" in outputs):
            raise ValueError(
                f"Segmentation: takes what the model returns, a dict with 'out', got {type(outputs).__name__}; for logits call the loss."
            )
        value = self.loss(outputs["out"], target, **call)
        if self.aux == 0 or "aux" not in outputs:
            return value
        return value + self.aux * _unlearned(self.loss, outputs["aux"], target, **call)

    def extra_repr(self) -> str:
        return f"aux={self.aux:g}"


class _Reweighed:
    """What a reweighed model or head is, before its own class."""

    exclusive = True

    def _loss_of(self, logits: Tensor) -> Any:
        this: Any = self
        loss = this._modules[KEPT] if KEPT in this._modules else this.__dict__["_recipe_loss"]
        if loss.in_step:
            raise ValueError(
                "reweigh: inside sy.accumulate the boxes of all micro-batches would have to be known, and each is matched in its own"
                " forward pass. Leave accumulate out, and where micro-batches shall add up, give the recipe norm=number."
            )
        first = next((t for t in (*loss.buffers(), *loss.parameters())), None)
        return loss if first is None or first.device == logits.device else loss.to(logits.device)

    def _now(self) -> sy.Recipe:
        this: Any = self
        recipe = this.__dict__["_divided_by"]
        return recipe if isinstance(recipe, sy.Recipe) else recipe.recipe()

    def _mass(self, labels: Tensor) -> Tensor:
        """What theirs divides by, as the recipe's norm has it, of the labels [P] of positives on this rank."""
        this: Any = self
        now = self._now()
        if now.norm == "sum":
            return labels.new_ones((), dtype=torch.float64)
        if isinstance(now.norm, (int, float)):
            return labels.new_tensor(now.norm, dtype=torch.float64)
        if now.norm == "mass":
            weights = positive_weights(now, _classes(this), exclusive=self.exclusive)
            return torch.from_numpy(weights).to(labels.device)[labels].sum()
        return labels.new_tensor(len(labels), dtype=torch.float64)

    def _divisor(self, labels: Tensor) -> Tensor:
        """That, of all ranks; 1 where there is no positive."""
        z = self._shared(self._mass(labels), self._now())
        return torch.where(z > 0, z, 1.0)

    def _shared(self, z: Tensor, recipe: sy.Recipe) -> Tensor:
        return across.divisor(z, recipe) if self.__dict__["_over_ranks"] else z

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        """Copies and pickles name torchvision's class, or its user's: the subclass is made anew."""
        return _made_anew, type(self).__bases__, dict(self.__dict__)


class _SSD(_Reweighed):
    def compute_loss(self, targets: Any, head_outputs: Any, anchors: Any, matched_idxs: Any) -> dict[str, Tensor]:
        this: Any = self
        parent: Any = super()
        logits = head_outputs["cls_logits"]
        theirs = parent.compute_loss(targets, {**head_outputs, "cls_logits": logits.detach()}, anchors, matched_idxs)
        labels = torch.stack([_matched(t["labels"], m, 0) for t, m in zip(targets, matched_idxs, strict=True)])
        kept = _mined(logits, labels, this.neg_to_pos_ratio)
        z = self._divisor(labels[labels > 0])
        theirs["classification"] = self._loss_of(logits)(logits[kept], labels[kept], normalizer=z)
        return theirs


class _RetinaNetHead(_Reweighed):
    exclusive = False

    def compute_loss(self, targets: Any, head_outputs: Any, matched_idxs: Any) -> Tensor:
        this: Any = self
        logits, answers, shares = [], [], []
        like = head_outputs["cls_logits"]
        images = self._shared(like.new_tensor(len(targets), dtype=torch.float64), sy.Recipe())
        for target, z, matched in zip(targets, head_outputs["cls_logits"], matched_idxs, strict=True):
            valid = matched != this.BETWEEN_THRESHOLDS
            labels = _matched(target["labels"], matched, -1)[valid]
            logits.append(z[valid])
            answers.append(_answers(labels, z.shape[-1]))
            own = self._mass(labels[labels >= 0])
            share = 1 / (torch.where(own > 0, own, 1.0) * images)
            shares.append(share.to(z.dtype if z.dtype == torch.float64 else torch.float32).expand(len(labels)))
        z = torch.cat(logits)
        return self._loss_of(z)(z, torch.cat(answers), weight=torch.cat(shares), normalizer=1.0)


class _FCOSHead(_Reweighed):
    exclusive = False

    def compute_loss(self, targets: Any, head_outputs: Any, anchors: Any, matched_idxs: Any) -> dict[str, Tensor]:
        parent: Any = super()
        logits = head_outputs["cls_logits"]
        theirs = parent.compute_loss(targets, {**head_outputs, "cls_logits": logits.detach()}, anchors, matched_idxs)
        labels = torch.stack([_matched(t["labels"], m, -1) for t, m in zip(targets, matched_idxs, strict=True)])
        z = self._divisor(labels[labels >= 0])
        theirs["classification"] = self._loss_of(logits)(logits, _answers(labels, logits.shape[-1]), normalizer=z)
        return theirs


class _RoIHeads(_Reweighed):
    """Theirs calls a function of its module, so the labels and logits that it is called with are heard on the way."""

    def select_training_samples(self, proposals: Any, targets: Any) -> Any:
        parent: Any = super()
        found = parent.select_training_samples(proposals, targets)
        self.__dict__["_labels"] = found[2]
        return found

    def forward(self, features: Any, proposals: Any, image_shapes: Any, targets: Any = None) -> Any:
        this: Any = self
        parent: Any = super()
        if not this.training:
            return parent.forward(features, proposals, image_shapes, targets)
        heard: list[Tensor] = []
        handle = this.box_predictor.register_forward_hook(lambda module, inputs, output: heard.append(output[0]))
        try:
            result, losses = parent.forward(features, proposals, image_shapes, targets)
        finally:
            handle.remove()
        labels, logits = torch.cat(self.__dict__.pop("_labels")), heard[-1]
        loss, z = self._loss_of(logits), None
        if self.__dict__["_over_ranks"] and across.ranks() > 1:
            z = sy.global_mass(labels, loss, averaged=True)
        return result, {**losses, "loss_classifier": loss(logits, labels, normalizer=z)}


HEADS: dict[type, type[_Reweighed]] = {
    SSD: _SSD,
    RetinaNetClassificationHead: _RetinaNetHead,
    FCOSHead: _FCOSHead,
    RoIHeads: _RoIHeads,
}
_subclasses: dict[tuple[type, type], type] = {}


def _head(model: nn.Module) -> Any:
    """The module that computes the classification loss."""
    head: Any = None
    if isinstance(model, SSD):
        head = model
    elif isinstance(model, RetinaNet):
        head = getattr(model.head, "classification_head", None)
    elif isinstance(model, FCOS):
        head = model.head
    elif isinstance(getattr(model, "roi_heads", None), RoIHeads):
        head = model.roi_heads
    if head is None or not isinstance(head, tuple(HEADS)):
        what = type(model).__name__
        hint = (
            " Take the model out of DistributedDataParallel: reweigh(model.module, ...)."
            if hasattr(model, "module")
            else ""
        )
        raise TypeError(
            f"reweigh: knows SSD, SSDlite, RetinaNet, FCOS and Faster, Mask and Keypoint R-CNN of torchvision, got {what}.{hint}"
            " Models of torchvision.models.segmentation return logits: Segmentation(sy.CrossEntropy(recipe))(model(x), y)."
        )
    return head


def _classes(head: Any) -> int:
    """Outputs of its classification, the background included."""
    if isinstance(head, SSD):
        return head.head.classification_head.num_columns
    if isinstance(head, FCOSHead):
        return head.classification_head.num_classes
    if isinstance(head, RetinaNetClassificationHead):
        return head.num_classes
    layer = getattr(head.box_predictor, "cls_score", None)
    if not isinstance(layer, nn.Linear):
        raise TypeError(
            f"reweigh: the box predictor {type(head.box_predictor).__name__} has no linear layer cls_score that says how many classes there are."
        )
    return layer.out_features


def _with_focal(recipe: Any, made: sy.Recipe, focal: str | None) -> Any:
    if focal not in CHOICES:
        raise ValueError(f"reweigh: focal must be 'theirs' or 'recipe', got {focal!r}.")
    if made.curve is not None and focal == "theirs":
        raise ValueError(
            f"reweigh: the recipe brings {made.curve!r}, and focal='theirs' would put torchvision's on top of it; leave one of them out."
        )
    if focal == "recipe" or made.curve is not None:
        return recipe
    rule = not isinstance(recipe, sy.Recipe)
    if focal is None and (rule or (recipe.weight is not None and bool((recipe.weight.numpy()[0] != 1).any()))):
        raise ValueError(
            "reweigh: torchvision's alpha (0.25 where it is, 0.75 where it is not) and this recipe both say what 'is not' weighs. Say which:"
            " focal='recipe' takes the recipe alone (with sy.focal() in it, if you want gamma), focal='theirs' multiplies them."
        )
    alpha = FOCAL["alpha"]
    theirs = sy.mix(sy.fixed(weight=[[1 - alpha], [alpha]]), sy.focal(gamma=FOCAL["gamma"]))
    return sy.adaptive.Mixed(recipe, theirs) if rule else sy.mix(recipe, theirs)


def _subclass(mixin: type, base: type) -> type:
    """One for each class, with its name: isinstance and repr see what was there before."""
    if (mixin, base) not in _subclasses:
        _subclasses[mixin, base] = type(base.__name__, (mixin, base), {"__module__": base.__module__})
    return _subclasses[mixin, base]


def _made_anew(mixin: type, base: type) -> Any:
    kind: Any = _subclass(mixin, base)
    return kind.__new__(kind)


def _matched(labels: Tensor, matched: Tensor, background: int) -> Tensor:
    """The label of each anchor [A]; `background` where it matches no box."""
    found = torch.full_like(matched, background, dtype=torch.int64)
    positive = matched >= 0
    found[positive] = labels[matched[positive]]
    return found


def _answers(labels: Tensor, columns: int) -> Tensor:
    """0 and 1 [..., columns] of labels [...], -1 for none."""
    wide = torch.zeros((*labels.shape, columns), dtype=torch.int8, device=labels.device)
    positive = labels >= 0
    wide[positive, labels[positive]] = 1
    return wide


def _mined(logits: Tensor, labels: Tensor, ratio: float) -> Tensor:
    """Positives, and the `ratio` times as many negatives of the image [B, A] that the plain loss is largest for (as torchvision has it)."""
    positive = labels > 0
    with torch.no_grad():
        hard = nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="none").view_as(positive)
        order = hard.masked_fill(positive, -torch.inf).sort(1, descending=True)[1]
        return positive | (order.sort(1)[1] < ratio * positive.sum(1, keepdim=True))


def _unlearned(loss: Any, *args: Any, **call: Any) -> Tensor:
    """A call that no rule learns from."""
    training = getattr(loss, "training", False)
    if training:
        loss.eval()
    try:
        return loss(*args, **call)
    finally:
        if training:
            loss.train()
