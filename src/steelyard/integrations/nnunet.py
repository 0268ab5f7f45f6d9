"""nnU-Net: a trainer whose cross-entropy is that of a recipe, counted from its data set, and whose patches may carry weight maps.

In a file of a folder that nnUNet_extTrainer names, for `nnUNetv2_train DATASET CONFIGURATION FOLD -tr nnUNetTrainerRecipe`:

nnUNetTrainerRecipe = recipe_trainer(sy.effective_number)
"""

# Types are checked where the framework is not installed.
# pyright: basic, reportMissingImports=false

import inspect
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

import steelyard as sy

from ..spatial import Cache, Map
from . import across
from .classes import check_names
from .mask_weights import MaskWeights

KEY = "steelyard_recipe"  # of the plans
IGNORED = -100


def recipe_trainer(
    recipe: Any = None,
    *,
    map: Map | None = None,
    pixdim: bool = False,
    cache: Any = None,
    base: Any = None,
    name: str = "nnUNetTrainerRecipe",
) -> Any:
    """A trainer class.

    recipe  a Recipe, or a function of Counts, such as sy.effective_number; None: the one that the plans hold, or none
    map     spatial.Map, such as Map("border", share=0.3): pixel weights of each training patch, made after augmentation, in its workers
    pixdim  True: distances in the spacing of the plans, millimetres, instead of the map's own
    cache   a folder for maps; random patches are new each time, and would fill it
    base    nnUNetTrainer, or a subclass
    name    of the class, by which nnU-Net looks for it

    See `RecipeMixin`.
    """
    if base is None:
        from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer as base
    if recipe is not None and not isinstance(recipe, sy.Recipe) and not _function(recipe):
        raise TypeError(
            f"recipe_trainer: takes a Recipe or a function of Counts, got {type(recipe).__name__}. Rules learn numbers, which nnU-Net's"
            " checkpoints do not hold."
        )
    given: Any = recipe
    own = {"recipe": staticmethod(given) if _function(given) else given, "map": map, "pixdim": pixdim, "cache": cache}
    return type(name, (RecipeMixin, base), own)


class RecipeMixin:
    """Before nnUNetTrainer or a subclass of it.

    The cross-entropy of its Dice and cross-entropy loss becomes sy.CrossEntropy(recipe), with its ignored label; Dice, the weights of deep
    supervision and everything else stay. Counts are those of `sy.count(nnUNet_raw/DATASET)`, all cases of labelsTr, as nnU-Net's own
    fingerprint; the recipe stands in the plans (`plans.json` of the results, and checkpoints) as JSON under "steelyard_recipe", and plans
    that hold one already are taken by their word. Over ranks the cross-entropy is divided by what all of them hold. Maps weigh the cross-entropy of training patches at every level, not that of validation.

    ValueError for regions, whose outputs are no classes that exclude each other, for other losses, where the plans hold another recipe
    than the trainer, and where a recipe is to be counted and nnUNet_raw is not set.
    """

    recipe: Any = None
    map: Map | None = None
    pixdim: bool = False
    cache: Cache | str | None = None

    def _build_loss(self) -> Any:
        this: Any = self
        parent: Any = super()
        if this.label_manager.has_regions:
            raise ValueError(
                "RecipeMixin: region-based training has a yes-or-no output for each region, and no classes that a recipe could weigh here."
            )
        loss = parent._build_loss()
        levels = hasattr(loss, "weight_factors")
        inner = loss.loss if levels else loss
        if not isinstance(getattr(inner, "ce", None), nn.Module):
            raise ValueError(
                f"RecipeMixin: the loss {type(inner).__name__} has no cross-entropy `ce` to take the place of; use a base that trains by"
                " DC_and_CE_loss."
            )
        ignored = this.label_manager.ignore_label
        inner.ce = _Pixels(sy.CrossEntropy(self._recipe(), ignore_index=IGNORED if ignored is None else ignored))
        mapped = _Mapped(inner)
        if levels:
            loss.loss = mapped
        return (loss if levels else mapped).to(this.device)

    def get_training_transforms(self, *args: Any, **kwargs: Any) -> Any:
        parent: Any = super()
        made = parent.get_training_transforms(*args, **kwargs)
        own = inspect.getattr_static(type(self), "map")
        if own is not None:
            steps = made.transforms
            at = len(steps) - 1 if steps and type(steps[-1]).__name__ == "DownsampleSegForDSTransform" else len(steps)
            ignored = self.__dict__["label_manager"].ignore_label
            spacing = self.__dict__["configuration_manager"].spacing if self.pixdim else None
            steps.insert(at, WithMap(MaskWeights.of("recipe_trainer", own, self.cache), ignored, spacing))
        return made

    def _recipe(self) -> sy.Recipe:
        this: Any = self
        plans = this.plans_manager.plans
        own: Any = inspect.getattr_static(type(self), "recipe")
        own = own.__func__ if isinstance(own, staticmethod) else own
        if _function(own):
            own = own(self._counts())
        held = None if KEY not in plans else sy.Recipe.from_json(plans[KEY])
        if held is not None and own is not None and held != own:
            raise ValueError(
                f"RecipeMixin: the plans hold a recipe, {KEY!r}, and the trainer has another; take it out of the plans, or let the trainer have"
                " none, recipe_trainer()."
            )
        found = held if held is not None else own if own is not None else sy.Recipe()
        plans[KEY] = found.to_json()
        heads = this.label_manager.num_segmentation_heads
        loss = sy.CrossEntropy(found)
        if loss.bound().live or next(loss.parameters(), None) is not None:
            raise ValueError(
                "RecipeMixin: nnU-Net's optimiser is made of the network alone; numbers that are learned would stay as they are."
            )
        width = loss.bound().width
        if width not in (None, heads):
            raise ValueError(
                f"RecipeMixin: the recipe is for {width} classes, and the data set has {heads}, the background among them."
            )
        names = {label: name for name, label in this.dataset_json["labels"].items() if isinstance(label, int)}
        ordered = [names.get(label) for label in range(heads)]
        check_names("RecipeMixin", found, None if None in ordered else ordered, "dataset.json")
        return found

    def _counts(self) -> sy.Counts:
        from nnunetv2.paths import nnUNet_raw

        this: Any = self
        folder = None if not nnUNet_raw.is_set() else f"{nnUNet_raw}/{this.plans_manager.dataset_name}"
        if folder is None:
            raise ValueError(
                "RecipeMixin: the recipe is counted from nnUNet_raw, which is not set; set it, or pass a Recipe, counted elsewhere."
            )
        return sy.count(folder)


class WithMap:
    """A transform of batchgeneratorsv2: the weights of a patch become a second channel of its segmentation, which moves along.

    ignored  the label whose pixels the map takes for background, or None
    spacing  of the patch's axes, or None: the map's own
    """

    def __init__(self, weights: MaskWeights, ignored: int | None, spacing: Any = None):
        self.weights, self.ignored = weights, ignored
        self.spacing = None if spacing is None else [float(step) for step in spacing]

    def __call__(self, **sample: Any) -> dict[str, Any]:
        labels = sample["segmentation"][:1]
        mask = np.asarray(labels).copy()
        mask[mask < 0] = 0
        if self.ignored is not None:
            mask[mask == self.ignored] = 0
        weights = torch.from_numpy(self.weights("segmentation", mask, channel=0, spacing=self.spacing))
        return {**sample, "segmentation": torch.cat([labels.float(), weights.float()])}


class _Pixels(nn.Module):
    """In the place of RobustCrossEntropyLoss: float labels [B, *space] or [B, 1, *space]."""

    def __init__(self, loss: sy.CrossEntropy):
        super().__init__()
        self.loss = loss
        self.pixels: Tensor | None = None  # the weights of this call

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        labels = (target[:, 0] if target.dim() == logits.dim() else target).long()
        z = None
        if (
            logits.requires_grad and across.ranks() > 1
        ):  # whose patches may be of different number, ignored or weighed differently
            z = sy.global_mass(labels, self.loss, weight=self.pixels, averaged=True)
        return self.loss(logits, labels, weight=self.pixels, normalizer=z)


class _Mapped(nn.Module):
    """Their loss of one level; a second channel of the target is the pixels' weights, for the cross-entropy alone."""

    def __init__(self, inner: Any):
        super().__init__()
        self.inner = inner

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        if target.shape[1] == 1:
            return self.inner(logits, target)
        self.inner.ce.pixels = target[:, 1].to(torch.promote_types(logits.dtype, torch.float32))
        try:
            return self.inner(logits, target[:, :1])
        finally:
            self.inner.ce.pixels = None


def _function(recipe: Any) -> bool:
    return callable(recipe) and not isinstance(recipe, (sy.Recipe, nn.Module)) and not hasattr(recipe, "observe")
