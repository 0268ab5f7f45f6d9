"""Ultralytics' YOLO: a trainer whose classification loss is that of a recipe.

YOLO("yolo11n.yaml").train(data="cells.yaml", trainer=recipe_trainer(sy.log_frequency))

Ultralytics is AGPL-3.0: nothing here installs it, and none of its code stands here.
"""

# Types are checked where the framework is not installed.
# pyright: basic, reportMissingImports=false

import copy
import inspect
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from ultralytics.models import yolo
from ultralytics.utils.torch_utils import unwrap_model

import steelyard as sy

from . import across
from .classes import check_names
from .per_class import on_targets

TRAINERS = {
    "detect": "DetectionTrainer",
    "segment": "SegmentationTrainer",
    "pose": "PoseTrainer",
    "obb": "OBBTrainer",
    "classify": "ClassificationTrainer",
    "semantic": "SemanticSegmentationTrainer",
}
BRANCHES = ("one2many", "one2one")
IGNORED = 255  # of their semantic masks
RULES = "recipe_rules.npz"  # beside last.pt: arrays alone, which nothing is run to read


def recipe_trainer(recipe: Any, task: str = "detect", *, over_ranks: bool = True) -> Any:
    """A trainer class for `YOLO(...).train(trainer=...)`.

    recipe      a Recipe, a rule, or a function of Counts, such as sy.log_frequency or lambda counts: sy.mix(sy.log_frequency(counts),
                sy.focal()): it is given the labels of the training part, by the data's class names
    task        detect, segment, pose, obb, classify or semantic: that of the model
    over_ranks  of several GPUs: divide by what all of them hold, so that a step is that of one process with all images (one all-reduce of a
                number for each loss). False: each by its own, as Ultralytics does, and still does for boxes

    See `RecipeMixin`. ValueError for an unknown task.
    """
    if task not in TRAINERS:
        raise ValueError(f"recipe_trainer: task must be one of {', '.join(TRAINERS)}, got {task!r}.")
    if not (isinstance(recipe, sy.Recipe) or callable(recipe) or hasattr(recipe, "recipe")):
        raise TypeError(f"recipe_trainer: takes a Recipe, a rule or a function of Counts, got {type(recipe).__name__}.")
    base = getattr(getattr(yolo, task), TRAINERS[task])
    own: Any = recipe
    fields = {"recipe": staticmethod(own) if _function(own) else own, "over_ranks": over_ranks}
    return type(f"Recipe{base.__name__}", (RecipeMixin, base), fields)


class RecipeMixin:
    """Before a trainer of Ultralytics: its classification loss becomes that of `recipe`.

    class Mine(RecipeMixin, DetectionTrainer):
        recipe = sy.Recipe.load("recipe.json")

    Detection, segments, poses and oriented boxes: a class's weight acts where a box is of the class, by as much as the assigner's target
    says, and what is no such box keeps weight 1. The sum is divided by Ultralytics' sum of targets, or under norm="mass" by their weights.
    Both branches of end-to-end models have it, each a rule of its own. Classification and semantic masks: CrossEntropy(recipe), divided
    by its own norm; Dice stays. The EMA copy that validation asks has the same loss. Over ranks the divisor is theirs together (`over_ranks`);
    micro-batches of one step (nbs beyond batch) are divided each by its own, as without: the next one's targets are assigned later.

    Rules hear the epoch, and the EMA copy has their numbers at each epoch's end. Checkpoints hold no loss, as without; resume with the same
    trainer, and it is made again. The numbers of rules are kept beside last.pt, as arrays (recipe_rules.npz).

    ValueError for cls_pw beside a recipe, for recipes of other classes, and for models whose loss has no such place (RT-DETR, YOLO-World,
    YOLOE).
    """

    recipe: Any = None
    over_ranks = True

    def set_class_weights(self) -> None:
        """Called when the data is there, and before the EMA copy is made."""
        this: Any = self
        if float(getattr(this.args, "cls_pw", 0.0) or 0.0):
            raise ValueError(
                f"recipe_trainer: cls_pw={this.args.cls_pw} and a recipe would both weigh the classes; take cls_pw=0."
            )
        self._weigh()

    def resume_training(self, ckpt: Any) -> None:
        """An end-to-end model gets a new loss there; the recipe enters it, too."""
        this: Any = self
        parent: Any = super()
        before = self._model().criterion
        parent.resume_training(ckpt)
        model = self._model()
        if model.criterion is not before:
            updates = model.criterion.updates
            self._weigh()
            model.criterion.updates = updates - 1
            model.criterion.update()
        saved = Path(this.wdir) / RULES
        if this.resume and ckpt is not None and saved.is_file():
            with np.load(saved, allow_pickle=False) as arrays:
                for number, rule in enumerate(self._rules()):
                    names = [name for name in arrays.files if name.startswith(f"{number}/")]
                    rule.load_state_dict({name.partition("/")[2]: torch.from_numpy(arrays[name]) for name in names})

    def save_model(self) -> Any:
        this: Any = self
        parent: Any = super()
        done = parent.save_model()
        rules = self._rules()
        if rules:
            saved = Path(this.wdir) / RULES
            beside = saved.with_suffix(".new")  # whole or not at all
            states = [(number, rule.state_dict()) for number, rule in enumerate(rules)]
            with beside.open("wb") as file:
                np.savez(file, **{f"{n}/{name}": t.cpu().numpy() for n, state in states for name, t in state.items()})  # type: ignore[arg-type]
            beside.replace(saved)
        return done

    def _model(self) -> Any:
        this: Any = self
        model: Any = unwrap_model(this.model)
        return getattr(model, "student_model", model)  # distillation

    def _rules(self) -> list[nn.Module]:
        """Of the training model's loss, in the order of its branches."""
        return [loss.rule for loss in _losses(self._model().criterion) if loss.rule is not None]

    def _weigh(self) -> None:
        model = self._model()
        recipe: Any = inspect.getattr_static(type(self), "recipe")  # a function in a class would become a method
        recipe = recipe.__func__ if isinstance(recipe, staticmethod) else recipe
        if recipe is None:
            raise ValueError(f"{type(self).__name__}: say recipe = ... in the class, or use recipe_trainer(recipe).")
        if _function(recipe):
            recipe = recipe(self._counts())
        now = recipe.recipe() if hasattr(recipe, "observe") else recipe
        check_names(type(self).__name__, now, self._names(), "data.yaml")
        model.criterion = weighed(model, recipe, over_ranks=self.over_ranks)
        callbacks: Any = self
        for event, call in (("on_train_epoch_start", _told), ("on_train_epoch_end", _shown)):
            if call not in callbacks.callbacks[event]:
                callbacks.add_callback(event, call)

    def _names(self) -> list[str]:
        this: Any = self
        names = this.data["names"]
        return [str(names[i]) for i in range(len(names))] if isinstance(names, dict) else [str(n) for n in names]

    def _counts(self) -> sy.Counts:
        this: Any = self
        names = self._names()
        if hasattr(this, "get_class_counts"):
            table = this.get_class_counts()
        else:
            labels = [sample[1] for sample in this.train_loader.dataset.samples]
            table = torch.bincount(torch.tensor(labels), minlength=len(names)).numpy()
        return sy.Counts([int(n) for n in table], names, unit="labels", source="the training part", kind="exclusive")


def weighed(model: Any, recipe: Any, *, over_ranks: bool = True) -> Any:
    """A new criterion of the model with the recipe in it. ValueError for criteria that have no place for one."""
    criterion: Any = model.init_criterion()
    head = model.model[-1]
    kind = type(criterion).__name__
    if kind == "v8ClassificationLoss":
        loss = sy.CrossEntropy(copy.deepcopy(recipe))
        _check_width(loss, int(head.linear.out_features))
        return _Labels(loss, over_ranks)
    if kind == "SemanticSegmentationLoss":
        made: Any = sy.BinaryCrossEntropy if head.nc == 1 else sy.CrossEntropy
        loss = made(copy.deepcopy(recipe), ignore_index=IGNORED)
        _check_width(loss, int(head.nc))
        criterion.ce = _Pixels(loss, over_ranks)
        return criterion
    parts = _parts(criterion)
    if getattr(criterion, "vp_criterion", None) is not None or not all(
        isinstance(getattr(p, "bce", None), nn.Module) for p in parts
    ):
        raise ValueError(
            f"recipe_trainer: the loss of {type(model).__name__}, {kind}, has no place for a recipe; detect, segment, pose, obb, classify"
            " and semantic models of YOLO have."
        )
    for part in parts:
        own = copy.deepcopy(on_targets("recipe_trainer", recipe, int(head.nc), first=False))
        loss = sy.BinaryCrossEntropy(own, reduction="none", class_dim=-1)
        _check_width(loss, int(head.nc))
        part.bce = _Boxes(loss, over_ranks)
    return criterion


class _Own(nn.Module):
    """A loss of ours in the place of one of torch's. It is no part of a state_dict, as theirs is none; a rule learns where there is a
    gradient, not in validation."""

    def __init__(self, loss: Any, over_ranks: bool):
        super().__init__()
        self.__dict__["loss"] = loss
        self.over_ranks = over_ranks

    def mean(self, logits: Tensor, target: Tensor) -> Tensor:
        """The recipe's mean over these labels, or over those of all ranks, which the mean of ranks then is."""
        loss, z = self.on(logits), None
        if self.over_ranks and logits.requires_grad and across.ranks() > 1:
            z = sy.global_mass(target, loss, averaged=True)
        return loss(logits, target, normalizer=z)

    def on(self, like: Tensor) -> Any:
        loss = self.__dict__["loss"]
        first = next((t for t in (*loss.buffers(), *loss.parameters())), None)
        if first is not None and first.device != like.device:
            loss.to(like.device)
        return loss.train(torch.is_grad_enabled() and like.requires_grad)


class _Boxes(_Own):
    """Scores and soft targets [B, A, K] -> losses alike, which their caller sums and divides by the sum of the targets."""

    def __init__(self, loss: Any, over_ranks: bool):
        super().__init__(loss, over_ranks)
        norm = loss.recipe.norm
        if norm not in (None, "count", "mass"):
            raise ValueError(
                f"recipe_trainer: Ultralytics divides by the targets, norm='count', or by their weights, norm='mass'; got norm={norm!r}."
            )
        self.mass = norm == "mass"

    def forward(self, scores: Tensor, target: Tensor) -> Tensor:
        loss = self.on(scores)
        each = loss(scores, target)
        table = loss.recipe.weight
        many = across.ranks() if self.over_ranks and scores.requires_grad else 1
        if many == 1 and (not self.mass or table is None):
            return each
        own = mass = target.float().sum()
        if self.mass and table is not None:
            mass = (target.float() * torch.from_numpy(table.numpy()[-1].copy()).to(target.device, torch.float32)).sum()
        total = own
        if many > 1:
            total, mass = (many * across.divisor(torch.stack([own, mass]), loss.recipe)).unbind()
        # what one process divides by, over what this one's caller does
        z = total.clamp(min=1) * torch.where(mass > 0, mass / total, 1.0) / many
        return each * own.clamp(min=1) / z


class _Pixels(_Own):
    """Logits [P, C] and labels [P] -> the sum that, divided by the number of labels, is the recipe's mean."""

    weight = None  # read by their denominator, which then counts

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        target = target.long()
        if not self.__dict__["loss"].link.exclusive:
            logits, target = logits.reshape(-1), target.reshape(-1)
        return self.mean(logits, target) * (target != IGNORED).sum().clamp(min=1)


class _Labels:
    """In the place of their classification criterion: (logits, {"cls": labels}) -> (loss, its parts)."""

    def __init__(self, loss: Any, over_ranks: bool):
        self.own = _Own(loss, over_ranks)

    def __call__(self, preds: Any, batch: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        logits = preds[1] if isinstance(preds, (list, tuple)) else preds
        value = self.own.mean(logits, batch["cls"])
        return value, {"loss": value.detach()}


def _losses(criterion: Any) -> list[Any]:
    """Ours in a criterion, in the order of its branches."""
    found = [getattr(part, name, None) for part in _parts(criterion) for name in ("bce", "ce", "own")]
    return [each.__dict__["loss"] for each in found if isinstance(each, _Own)]


def _told(trainer: Any) -> None:
    """Rules hear how far training is."""
    for loss in _losses(trainer._model().criterion):
        loss.advance(epoch=trainer.epoch)


def _shown(trainer: Any) -> None:
    """Validation asks the EMA copy, whose rules have learned nothing by themselves."""
    copied = getattr(getattr(trainer.ema, "ema", None), "criterion", None)
    if copied is not None:
        for mine, other in zip(_losses(trainer._model().criterion), _losses(copied), strict=True):
            if mine.rule is not None:
                other.rule.load_state_dict(mine.rule.state_dict())


def _parts(criterion: Any) -> list[Any]:
    """The branches of an end-to-end criterion, or itself."""
    return [getattr(criterion, name) for name in BRANCHES if hasattr(criterion, name)] or [criterion]


def _function(recipe: Any) -> bool:
    return callable(recipe) and not isinstance(recipe, (sy.Recipe, nn.Module)) and not hasattr(recipe, "observe")


def _check_width(loss: Any, classes: int) -> None:
    if loss.bound().live or next(loss.parameters(), None) is not None:
        raise ValueError(
            "recipe_trainer: Ultralytics' optimiser is made of the network alone, and numbers that are learned would stay as they are; take"
            " a fixed recipe, or a rule that learns from statistics."
        )
    width = loss.bound().width
    if width not in (None, 1, classes):
        raise ValueError(f"recipe_trainer: the recipe is for {width} classes, and the model has {classes}.")
