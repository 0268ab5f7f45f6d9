"""Lightning: optimiser steps of a recipe that are those of one batch on one device, over accumulated micro-batches and ranks.

L.Trainer(accumulate_grad_batches=4, callbacks=[RecipeCallback(target=1)])
"""

# Types are checked where the framework is not installed.
# pyright: basic, reportMissingImports=false

import contextlib
from typing import Any

import lightning
import torch
from torch import Tensor
from torch.utils.data import BatchSampler, DataLoader, DistributedSampler, RandomSampler, SequentialSampler

import steelyard as sy

from .classes import recipe_of

CLOSE = 1e-4  # relative, between the loss of training_step and the recipe's: autocast rounds
SHOWN = 20  # classes whose weights are logged


class RecipeCallback(lightning.Callback):
    """Divides by what a whole optimiser step holds; tells rules how far training is; logs the weights.

    target     where the labels are in a batch: batch[target], or a function of the batch, shaped as for the loss
    loss       the attribute of the module that holds the steelyard loss
    strategy   an ingredient by name or as a function of Counts, or a list of them: before training the labels of the training set are counted,
               once and on every rank alike, and the module's loss becomes one of the recipe (`counts_`, `recipe_`). Its numbers of the
               checkpoint stand, where one is resumed. None: the loss stays as the module made it
    classes    names of the classes in the order of the logits, where the training set may not hold them all; see `sy.count`
    shares     log the share that each class has of an epoch's summed loss, by label (several labels: by class), as share/NAME. Costs
               the loss a second time
    posterior  what `predict_step` returns is logits, class axis 1: `predict` gives their probabilities, the recipe undone

    Lightning divides each micro-batch's loss by accumulate_grad_batches, which is right only where all hold the same number, or mass, of
    labels; here the gradients are brought to what one batch would give, before they are clipped. Ranks are averaged by DDP; Z is made for
    that. Rules stand still within a step, and learn once at its end. With accumulate_grad_batches=1 training_step may add other terms to the
    loss; with more it has to return the steelyard loss alone, which is checked at the first step.

    ValueError for manual optimisation, a module without such a loss, other terms under accumulation, validation within a step, a sampler
    that does not draw every row alike under strategy=, and predictions that are no tensor under posterior=True.
    """

    def __init__(
        self,
        target: Any = 1,
        *,
        loss: str = "loss",
        strategy: Any = None,
        classes: Any = None,
        shares: bool = False,
        posterior: bool = False,
    ):
        self.labels_of: Any = target if callable(target) else lambda batch: batch[target]
        self.loss = loss
        self.strategy, self.classes, self.shares, self.posterior = strategy, classes, shares, posterior
        self._summed: Tensor | None = None
        self._hook: Any = None
        self._own_predict: Any = None
        self._step: contextlib.ExitStack | None = None
        self._targets: list[Tensor] = []
        self._first = 1.0
        self._done = self._checked = False
        self._seen: Tensor | None = None

    def setup(self, trainer: Any, pl_module: Any, stage: str) -> None:
        if stage != "fit" or self.strategy is None or hasattr(self, "counts_"):
            return
        loss = self._loss_of(pl_module)
        if not hasattr(loss, "recipe") or getattr(loss, "rule", None) is not None:
            raise ValueError(
                f"RecipeCallback: strategy= makes the recipe of a loss, and {type(loss).__name__} has a rule or terms of its own; leave strategy= out."
            )
        loader = (
            trainer.fit_loop._data_source.dataloader()
        )  # not on the trainer yet; a checkpoint is read right after this
        with torch.random.fork_rng(devices=[]):  # the order of rows in training is that without counting
            batches = ({"labels": self.labels_of(batch)} for batch in _plain(loader))
            self.counts_ = sy.count(
                batches, key="labels", classes=self.classes, ignore=loss.ignore_index, kind=loss.link.kind
            )
        self.recipe_ = recipe_of("RecipeCallback", self.strategy, self.counts_)
        options = {name: getattr(loss, name) for name in ("ignore_index", "class_dim", "consume_logits")}
        setattr(pl_module, self.loss, type(loss)(self.recipe_, **options).to(pl_module.device))

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

        self._summed = None
        if self.shares and self._hook is None:
            self._hook = self._loss_of(pl_module).register_forward_hook(self._share, with_kwargs=True)

    def _share(self, loss: Any, inputs: Any, options: Any, output: Any) -> None:
        if not loss.training:
            return
        logits, target = inputs
        with torch.no_grad():
            each = loss.terms(logits.detach(), target, weight=options.get("weight")).loss.double()
            K = logits.shape[loss.class_dim]
            if loss.link.exclusive and target.is_floating_point():
                raise ValueError(
                    "RecipeCallback: shares=True takes labels; with probabilities a row is of no one class."
                )
            if loss.link.exclusive:
                valid = target != loss.ignore_index
                sums = each.new_zeros(K).index_add(0, target[valid].long(), each[valid])
            else:
                sums = each.movedim(loss.class_dim, -1).reshape(-1, K).sum(0)
        self._summed = sums if self._summed is None else self._summed + sums

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        if not self.shares or self._summed is None:
            return
        summed = trainer.strategy.reduce(self._summed, reduce_op="sum")
        recipe = self._loss_of(pl_module).recipe
        many = len(summed)
        names: Any = recipe.classes if recipe.classes is not None and len(recipe.classes) == many else range(many)
        share = (summed / summed.sum().clamp(min=1e-300)).tolist()
        if many <= SHOWN:
            pl_module.log_dict({f"share/{n}": s for n, s in zip(names, share, strict=True)})

    def on_predict_start(self, trainer: Any, pl_module: Any) -> None:
        if not self.posterior:
            return
        loss, own = self._loss_of(pl_module), pl_module.predict_step
        self._own_predict = pl_module.__dict__.get("predict_step")

        def undone(*args: Any, **kwargs: Any) -> Any:
            z = own(*args, **kwargs)
            if not isinstance(z, Tensor):
                raise ValueError(
                    f"RecipeCallback: predict_step returned {type(z).__name__}; posterior=True undoes a tensor of logits. Call"
                    " sy.posterior(logits, self.loss) inside predict_step, and leave posterior= out."
                )
            return sy.posterior(z, loss)

        pl_module.predict_step = undone

    def on_predict_end(self, trainer: Any, pl_module: Any) -> None:
        if "predict_step" in pl_module.__dict__ and self.posterior:
            del pl_module.predict_step
            if self._own_predict is not None:
                pl_module.predict_step, self._own_predict = self._own_predict, None

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
        self._unhook()

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        self._unhook()
        self.on_predict_end(trainer, pl_module)
        step, self._step = self._step, None
        if step is not None:
            with contextlib.suppress(type(exception)):
                step.__exit__(type(exception), exception, exception.__traceback__)

    def _unhook(self) -> None:
        hook, self._hook = self._hook, None
        if hook is not None:
            hook.remove()

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


def _plain(loader: Any) -> Any:
    """Every row of the training set once, on every rank. ValueError where a sampler of its own decides which rows are seen."""
    if not isinstance(loader, DataLoader):
        return loader
    if isinstance(loader.dataset, torch.utils.data.IterableDataset):
        return loader
    alike = isinstance(loader.sampler, (SequentialSampler, RandomSampler, DistributedSampler))
    if not alike or type(loader.batch_sampler) not in (BatchSampler, type(None)):
        raise ValueError(
            f"RecipeCallback: {type(loader.sampler).__name__} decides which rows are seen, so counts of the training set are not those of the"
            " batches. Count what it draws yourself and give the module its loss; leave strategy= out."
        )
    return DataLoader(
        loader.dataset, batch_size=loader.batch_size, collate_fn=loader.collate_fn, num_workers=loader.num_workers
    )
