"""Hugging Face's Trainer under a recipe, exact over accumulated micro-batches and ranks.

RecipeTrainer(model, arguments, train_dataset=data, recipe_loss=sy.CrossEntropy(recipe)).train()
"""

# Types are checked where the framework is not installed.
# pyright: basic, reportMissingImports=false

import contextlib
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import Trainer, TrainerCallback

import steelyard as sy

KEPT = "recipe_loss"  # the name in the model of a loss that learns
SHOWN = 20  # classes whose weights are logged


class RecipeMixin:
    """Put it before a Trainer: class Mine(RecipeMixin, Trainer). `RecipeTrainer` is that of Trainer itself.

    recipe_loss  sy.CrossEntropy, sy.BinaryCrossEntropy, or a Sum of them, of the model's logits: sequence classification [B, C], tokens
                 [B, T, C], causal language models [B, T, V] (shifted as Trainer shifts), several labels [B, K] or one logit [B, 1] with
                 BinaryCrossEntropy

    Every optimiser step divides by what all of its micro-batches and ranks hold together, under every norm, so that it is the step of one
    batch on one device. `loss.advance` is told epoch and step; weights per label stand in the log. A loss with parameters or a rule
    becomes part of the model, under the name recipe_loss, so that it is moved, optimised, checkpointed and resumed with it; from_pretrained
    then speaks of keys that it does not know.

    ValueError for DataParallel, for learned numbers on several ranks, which nothing would keep alike, and for a loss of other programs.
    """

    def __init__(self, *args: Any, recipe_loss: Any, **kwargs: Any):
        if "compute_loss_func" in kwargs:
            raise ValueError("RecipeTrainer: recipe_loss= is the loss; leave compute_loss_func= out.")
        if not hasattr(recipe_loss, "advance"):
            raise ValueError(
                f"RecipeTrainer: {type(recipe_loss).__name__} is no steelyard loss; pass sy.CrossEntropy(recipe), sy.BinaryCrossEntropy(recipe),"
                " or a sy.Sum that holds one."
            )
        self.recipe_loss, self._step = recipe_loss, None
        parent: Any = super()
        parent.__init__(*args, compute_loss_func=self._loss_of, **kwargs)
        trainer: Any = self
        if trainer.args.n_gpu > 1:
            raise ValueError(
                "RecipeTrainer: several GPUs in one process (DataParallel) are not supported; start it with torchrun."
            )
        learned = any(p.requires_grad for p in recipe_loss.parameters())
        if learned and trainer.args.world_size > 1:
            raise ValueError(
                "RecipeTrainer: numbers that are learned outside the model's forward pass would differ from rank to rank."
            )
        if learned or any(getattr(m, "rule", None) is not None for m in recipe_loss.modules()):
            trainer.model.add_module(KEPT, recipe_loss)
        else:
            recipe_loss.to(trainer.args.device)
        trainer.add_callback(_StepEnd(self))

    def get_batch_samples(self, epoch_iterator: Any, num_batches: int, device: Any) -> Any:
        self._end()
        parent: Any = super()
        samples, items = parent.get_batch_samples(epoch_iterator, num_batches, device)
        labels = [self._labels_of(batch) for batch in samples if "labels" in batch]
        if labels:
            trainer: Any = self
            self.recipe_loss.train()
            self.recipe_loss.advance(epoch=int(trainer.state.epoch or 0), step=trainer.state.global_step)
            self._step = contextlib.ExitStack()
            self._step.enter_context(sy.accumulate(self.recipe_loss, labels, averaged=self._averaged))
        return samples, items

    def log(self, logs: dict[str, float], *args: Any, **kwargs: Any) -> None:
        parent: Any = super()
        parent.log({**logs, **self._weights()} if "loss" in logs else logs, *args, **kwargs)

    def predict_proba(self, dataset: Any) -> np.ndarray:
        """Probabilities with the recipe undone, shaped like the logits of `predict`; BinaryCrossEntropy: of "is". ValueError for a Sum."""
        trainer: Any = self
        z = trainer.predict(dataset).predictions
        z = np.asarray(z[0] if isinstance(z, tuple) else z)
        flat = z.reshape(-1, z.shape[-1])
        recipe = getattr(self.recipe_loss, "recipe", None)
        if recipe is None:
            raise ValueError(
                "RecipeTrainer: a Sum has no posterior; undo the term that trained the probabilities, sy.posterior(logits, term)."
            )
        return sy.posterior(
            flat[:, 0] if flat.shape[1] == 1 else flat, recipe, link=str(self.recipe_loss.link)
        ).reshape(z.shape)

    @property
    def _averaged(self) -> bool:
        """Whether ranks are averaged and nobody makes up for it: Trainer does, where it averages tokens across devices."""
        trainer: Any = self
        return not trainer.args.average_tokens_across_devices

    def _loss_of(self, outputs: Any, labels: Tensor | None, num_items_in_batch: Any = None) -> Tensor:
        logits = outputs["logits"] if isinstance(outputs, dict) else outputs[0]
        if labels is None:
            raise ValueError(
                "RecipeTrainer: the batch has no labels; name them with label_names= of the arguments, or in the collator."
            )
        z, y = _pair(logits, labels, self._shifts)
        if self._step is not None:
            return self.recipe_loss(z, y)
        self.recipe_loss.eval()
        with sy.accumulate(self.recipe_loss, y, averaged=self._averaged):  # evaluation: Trainer scales as in training
            return self.recipe_loss(z, y)

    @property
    def _shifts(self) -> bool:
        return bool(getattr(self, "_loss_shifts_labels", False))

    def _labels_of(self, batch: Any) -> Tensor:
        labels = batch["labels"]
        return labels[..., 1:].reshape(-1) if self._shifts else _flat_labels(labels)

    def _weights(self) -> dict[str, float]:
        recipe = getattr(self.recipe_loss, "recipe", None)
        if recipe is None or recipe.weight is None:
            return {}
        try:
            weights = recipe.label_weights().tolist()
        except ValueError:  # not per label
            return {}
        names = (
            recipe.classes
            if recipe.classes is not None and len(recipe.classes) == len(weights)
            else range(len(weights))
        )
        return {f"weight/{n}": w for n, w in zip(names, weights, strict=True)} if len(weights) <= SHOWN else {}

    def _end(self) -> None:
        if self._step is not None:
            step, self._step = self._step, None
            step.close()


class RecipeTrainer(RecipeMixin, Trainer):
    __doc__ = RecipeMixin.__doc__


class _StepEnd(TrainerCallback):
    """What rules learned of the micro-batches of a step takes effect after it."""

    def __init__(self, trainer: RecipeMixin):
        self.trainer = trainer

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.trainer._end()

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.trainer._end()


def _pair(logits: Tensor, labels: Tensor, shifts: bool) -> tuple[Tensor, Tensor]:
    """Logits [N, C] (or [N] of one logit) and their labels."""
    if shifts:
        return logits[..., :-1, :].reshape(-1, logits.shape[-1]), labels[..., 1:].reshape(-1)
    if labels.shape == logits.shape and labels.dim() > 1:
        return logits, labels
    if logits.shape[-1] == 1:
        return logits.reshape(-1), labels.reshape(-1)
    return logits.reshape(-1, logits.shape[-1]), labels.reshape(-1)


def _flat_labels(labels: Any) -> Tensor:
    labels = torch.as_tensor(labels)
    return labels if labels.is_floating_point() else labels.reshape(-1) if labels.dim() != 2 else labels
