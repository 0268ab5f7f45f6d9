"""Lightning: optimiser steps of a recipe that are those of one batch on one device, over accumulated micro-batches and ranks.

L.Trainer(accumulate_grad_batches=4, callbacks=[RecipeCallback(target=1)])
"""

# Types are checked where the framework is not installed.
# pyright: basic, reportMissingImports=false

import contextlib
from typing import Any

import lightning
from torch import Tensor

import steelyard as sy

CLOSE = 1e-4  # relative, between the loss of training_step and the recipe's: autocast rounds
SHOWN = 20  # classes whose weights are logged


class RecipeCallback(lightning.Callback):
    """Divides by what a whole optimiser step holds; tells rules how far training is; logs the weights.

    target  where the labels are in a batch: batch[target], or a function of the batch, shaped as for the loss
    loss    the attribute of the module that holds the steelyard loss

    Lightning divides each micro-batch's loss by accumulate_grad_batches, which is right only where all hold the same number, or mass, of
    labels; here the gradients are brought to what one batch would give, before they are clipped. Ranks are averaged by DDP; Z is made for
    that. Rules stand still within a step, and learn once at its end. With accumulate_grad_batches=1 training_step may add other terms to the
    loss; with more it has to return the steelyard loss alone, which is checked at the first step.

    ValueError for manual optimisation, a module without such a loss, other terms under accumulation, and validation within a step.
    """

    def __init__(self, target: Any = 1, *, loss: str = "loss"):
        self.labels_of: Any = target if callable(target) else lambda batch: batch[target]
        self.loss = loss
        self._step: contextlib.ExitStack | None = None
        self._targets: list[Tensor] = []
        self._first = 1.0
        self._done = self._checked = False
        self._seen: Tensor | None = None

    def on_fit_start(self, trainer: Any, pl_module: Any) -> None:
        loss = self._loss_of(pl_module)
        if not pl_module.automatic_optimization:
            raise ValueError(
                "RecipeCallback: the module optimises by hand; write `with sy.accumulate(loss, targets):` around your step."
            )
        if trainer.accumulate_grad_batches > 1 and not hasattr(loss, "recipe"):
            raise ValueError(
                f"RecipeCallback: under accumulation the loss must be CrossEntropy or BinaryCrossEntropy, got {type(loss).__name__}: the terms"
                " of a Sum divide by different numbers. Take larger batches, or optimise by hand inside sy.accumulate."
            )
        self._close()

    def on_train_epoch_start(self, trainer: Any, pl_module: Any) -> None:
        recipe = getattr(self._loss_of(pl_module), "recipe", None)
        with contextlib.suppress(ValueError):  # not per label
            if recipe is not None and recipe.weight is not None and len(recipe.label_weights()) <= SHOWN:
                weights = recipe.label_weights().tolist()
                known = recipe.classes is not None and len(recipe.classes) == len(weights)
                names: Any = recipe.classes if known else range(len(weights))
                pl_module.log_dict({f"weight/{n}": w for n, w in zip(names, weights, strict=True)})

    def on_train_batch_start(self, trainer: Any, pl_module: Any, batch: Any, batch_idx: int) -> None:
        loss, target = self._loss_of(pl_module), self.labels_of(batch)
        if self._step is None:
            loss.advance(epoch=trainer.current_epoch, step=trainer.global_step)
            self._step, self._targets, self._done = contextlib.ExitStack(), [], False
            self._step.enter_context(sy.accumulate(loss, target, averaged=trainer.world_size > 1))
            if trainer.accumulate_grad_batches > 1:
                self._first = float(sy.global_mass(target, loss))
                if not self._checked:
                    handle = loss.register_forward_hook(
                        lambda module, inputs, output: setattr(self, "_seen", output.detach())
                    )
                    self._step.callback(handle.remove)
        self._targets.append(target)

    def on_before_backward(self, trainer: Any, pl_module: Any, loss: Tensor) -> None:
        many = trainer.accumulate_grad_batches
        if many == 1 or self._checked or self._step is None:
            return
        ours, theirs = self._seen, float(loss.detach()) * many
        if ours is None or abs(theirs - float(ours)) > CLOSE * max(abs(theirs), abs(float(ours))):
            raise ValueError(
                f"RecipeCallback: training_step returned {theirs:.6g}, but the steelyard loss of this batch is"
                f" {'not called' if ours is None else format(float(ours), '.6g')}. Under accumulation it has to return that loss alone: other"
                " terms would be divided by the recipe's Z. Use accumulate_grad_batches=1, or optimise by hand inside sy.accumulate."
            )

    def on_before_optimizer_step(self, trainer: Any, pl_module: Any, optimizer: Any) -> None:
        self._done = self._checked = True
        many = trainer.accumulate_grad_batches
        if many == 1 or self._step is None:
            return
        z = float(sy.global_mass(self._targets, self._loss_of(pl_module)))
        factor = many * self._first / z if z else 0.0
        for group in optimizer.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    parameter.grad.mul_(factor)

    def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        if self._done:
            self._close()

    def on_validation_start(self, trainer: Any, pl_module: Any) -> None:
        if self._step is not None:
            raise ValueError(
                "RecipeCallback: validation within an optimiser step; let val_check_interval be a multiple of accumulate_grad_batches."
            )

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:
        self._close()

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        step, self._step = self._step, None
        if step is not None:
            with contextlib.suppress(type(exception)):
                step.__exit__(type(exception), exception, exception.__traceback__)

    def _close(self) -> None:
        step, self._step, self._done, self._seen, self._targets = self._step, None, False, None, []
        if step is not None:
            step.close()

    def _loss_of(self, module: Any) -> Any:
        loss = getattr(module, self.loss, None)
        if not hasattr(loss, "advance"):
            raise ValueError(
                f"RecipeCallback: {type(module).__name__}.{self.loss} is {type(loss).__name__} and no steelyard loss; name its attribute with loss=."
            )
        return loss
