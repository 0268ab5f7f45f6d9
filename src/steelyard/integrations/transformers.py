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
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

import steelyard as sy

from .classes import check_names
from .output_layer import check_last, left_out

CAUSAL = {
    name
    for names in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES.values()
    for name in ([names] if isinstance(names, str) else names)
}
KEPT = "recipe_loss"  # the name in the model of a loss that learns
SHOWN = 20  # classes whose weights are logged


class RecipeMixin:
    """Put it before a Trainer: class Mine(RecipeMixin, Trainer). `RecipeTrainer` is that of Trainer itself.

    recipe_loss    sy.CrossEntropy, sy.BinaryCrossEntropy, or a Sum of them, of the model's logits: sequence classification [B, C], tokens
                   [B, T, C], causal language models [B, T, V] (whose labels are shifted), several labels [B, K] or one logit [B, 1] with
                   BinaryCrossEntropy. sy.LinearCrossEntropy for models whose last layer is an nn.Linear that get_output_embeddings names:
                   its logits are never all there, but where evaluation asks for predictions
    recipe_weight  the name in a batch of weights shaped like the labels (of tokens, shifted with them); 0 is ignored. The model does not see it
    recipe_shift   whether the labels are the tokens themselves, each of which the one before it is to say; None: as the model's class is
                   known to transformers as a causal language model

    Every optimiser step divides by what all of its micro-batches and ranks hold together, under every norm, so that it is the step of one
    batch on one device. `loss.advance` is told epoch and step; weights per label stand in the log. A loss with parameters or a rule
    becomes part of the model, under the name recipe_loss, so that it is moved, optimised, checkpointed and resumed with it; from_pretrained
    then speaks of keys that it does not know.

    ValueError for DataParallel, for a recipe whose classes have other names than id2label of the model's config, for learned numbers on several ranks, which nothing would keep alike, for a loss of other programs, and
    under LinearCrossEntropy for a model whose logits are more than its last layer gives.
    """

    def __init__(
        self,
        *args: Any,
        recipe_loss: Any,
        recipe_weight: str | None = None,
        recipe_shift: bool | None = None,
        **kwargs: Any,
    ):
        if "compute_loss_func" in kwargs:
            raise ValueError("RecipeTrainer: recipe_loss= is the loss; leave compute_loss_func= out.")
        if not hasattr(recipe_loss, "advance"):
            raise ValueError(
                f"RecipeTrainer: {type(recipe_loss).__name__} is no steelyard loss; pass sy.CrossEntropy(recipe), sy.BinaryCrossEntropy(recipe),"
                " or a sy.Sum that holds one."
            )
        self.recipe_loss, self.recipe_weight, self._step = recipe_loss, recipe_weight, None
        self.recipe_shift = recipe_shift
        self._weight: Tensor | None = None
        self._layer: Any = None  # the last one, while it is left out
        self._checked, self._wants_logits = False, True
        if not self._fused and any(isinstance(m, sy.LinearCrossEntropy) for m in recipe_loss.modules()):
            raise ValueError(
                "RecipeTrainer: LinearCrossEntropy stands alone here; inside a Sum use sy.CrossEntropy(recipe)."
            )
        parent: Any = super()
        parent.__init__(*args, compute_loss_func=self._loss_of, **kwargs)
        trainer: Any = self
        if trainer.args.n_gpu > 1:
            raise ValueError(
                "RecipeTrainer: several GPUs in one process (DataParallel) are not supported; start it with torchrun."
            )
        if self._fused and trainer.args.torch_compile:
            raise ValueError(
                "RecipeTrainer: LinearCrossEntropy with torch_compile=True is not supported; use sy.CrossEntropy(recipe)."
            )
        self._check_names()
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
            weights = (
                [self._weights_of(batch) for batch in samples if "labels" in batch] if self.recipe_weight else None
            )
            self.recipe_loss.train()
            self.recipe_loss.advance(epoch=int(trainer.state.epoch or 0), step=trainer.state.global_step)
            self._step = contextlib.ExitStack()
            self._step.enter_context(sy.accumulate(self.recipe_loss, labels, weight=weights, averaged=self._averaged))
        return samples, items

    def compute_loss(self, model: Any, inputs: Any, return_outputs: bool = False, *args: Any, **kwargs: Any) -> Any:
        parent: Any = super()
        if self.recipe_weight is not None and "labels" in inputs:
            self._weight = self._weights_of(inputs)
            inputs = {k: v for k, v in inputs.items() if k != self.recipe_weight}
        if not self._fused:
            return parent.compute_loss(model, inputs, return_outputs, *args, **kwargs)
        self._layer = self._last_layer(model, inputs)
        try:
            with left_out(self._layer):
                loss, outputs = parent.compute_loss(model, inputs, True, *args, **kwargs)
            if return_outputs and self._wants_logits:
                outputs["logits"] = self._layer(outputs["logits"].to(self._layer.weight.dtype))
        finally:
            self._layer = None
        return (loss, outputs) if return_outputs else loss

    def prediction_step(self, model: Any, inputs: Any, prediction_loss_only: bool, *args: Any, **kwargs: Any) -> Any:
        self._wants_logits = not prediction_loss_only
        parent: Any = super()
        return parent.prediction_step(model, inputs, prediction_loss_only, *args, **kwargs)

    def _set_signature_columns_if_needed(self) -> None:
        parent: Any = super()
        parent._set_signature_columns_if_needed()
        columns = self._signature_columns  # type: ignore[attr-defined]
        if self.recipe_weight is not None and self.recipe_weight not in columns:
            columns.append(self.recipe_weight)  # which Trainer would drop: the model does not know it

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
        weight, self._weight = self._weight, None
        if weight is not None:
            weight = weight.reshape(y.shape)
        if self._step is not None:
            return self._value(z, y, weight)
        self.recipe_loss.eval()
        with sy.accumulate(
            self.recipe_loss, y, weight=weight, averaged=self._averaged
        ):  # evaluation: Trainer scales as in training
            return self._value(z, y, weight)

    def _value(self, z: Tensor, y: Tensor, weight: Tensor | None) -> Tensor:
        more = {} if weight is None else {"weight": weight}
        if self._layer is None:
            return self.recipe_loss(z, y, **more)
        return self.recipe_loss(z, self._layer.weight, y, linear_bias=self._layer.bias, **more)

    @property
    def _fused(self) -> bool:
        return isinstance(self.recipe_loss, sy.LinearCrossEntropy)

    def _last_layer(self, model: Any, inputs: Any) -> Any:
        trainer: Any = self
        bare = trainer.accelerator.unwrap_model(model)
        layer = bare.get_output_embeddings() if hasattr(bare, "get_output_embeddings") else None
        if not self._checked:
            many = len(inputs["labels"])
            row = {
                k: v[:1] if isinstance(v, Tensor) and v.dim() and len(v) == many else v
                for k, v in inputs.items()
                if k != "labels"
            }
            check_last("RecipeTrainer", bare, layer, lambda: bare(**row)["logits"])
            self._checked = True
        return layer

    @property
    def _shifts(self) -> bool:
        """Whether labels are those of the next token. Trainer's own attribute does not know models whose loss type is told by no name,
        GPT-2 among them."""
        if self.recipe_shift is not None:
            return self.recipe_shift
        trainer: Any = self
        bare = trainer.accelerator.unwrap_model(trainer.model)
        bare = bare.get_base_model() if hasattr(bare, "get_base_model") else bare  # of adapters
        encodes = bool(getattr(getattr(bare, "config", None), "is_encoder_decoder", False))
        return bool(getattr(self, "_loss_shifts_labels", False)) or (type(bare).__name__ in CAUSAL and not encodes)

    def _check_names(self) -> None:
        trainer: Any = self
        known = getattr(getattr(trainer.model, "config", None), "id2label", None) or {}
        names = [known.get(i) for i in range(len(known))]
        if None in names or all(str(name) == f"LABEL_{i}" for i, name in enumerate(names)):
            return
        for module in self.recipe_loss.modules():
            check_names("RecipeTrainer", getattr(module, "recipe", None), names, "model.config.id2label")

    def _labels_of(self, batch: Any) -> Tensor:
        labels = batch["labels"]
        return labels[..., 1:].reshape(-1) if self._shifts else _flat_labels(labels)

    def _weights_of(self, batch: Any) -> Tensor:
        if self.recipe_weight not in batch:
            raise ValueError(
                f"RecipeTrainer: the batch has no {self.recipe_weight!r}, only {', '.join(batch)}; its collator has to bring what recipe_weight= names."
            )
        weight = torch.as_tensor(batch[self.recipe_weight])
        return weight[..., 1:].reshape(-1) if self._shifts else weight.reshape(_flat_labels(batch["labels"]).shape)

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
