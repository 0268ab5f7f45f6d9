"""A training of a few steps with Lightning, on one rank or several: `torchrun lightning_runs.py FILE NORM` saves rank 0's parameters."""

import logging
import os
import sys
import warnings

import lightning as L
import torch

import steelyard as sy
from steelyard.integrations.lightning import RecipeCallback

logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
ROWS = 32


class Net(L.LightningModule):
    def __init__(self, recipe, extra=0.0):
        super().__init__()
        self.save_hyperparameters()
        torch.manual_seed(0)
        self.layer = torch.nn.Linear(4, 3).double()
        self.loss = sy.CrossEntropy(recipe)
        self.extra = extra

    def training_step(self, batch, index):
        return self.loss(self.layer(batch[0]), batch[1]) + self.extra * self.layer.weight.square().sum()

    def validation_step(self, batch, index):
        self.log("val", self.loss(self.layer(batch[0]), batch[1]), sync_dist=True)

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.5)


def rows():
    random = torch.Generator().manual_seed(0)
    labels = torch.multinomial(torch.tensor([0.6, 0.3, 0.1]), ROWS, replacement=True, generator=random)
    labels[::5] = -100
    labels[:6:2] = -100  # micro-batches hold different numbers of labels
    return torch.utils.data.TensorDataset(torch.randn(ROWS, 4, dtype=torch.float64, generator=random), labels)


def recipe_of(norm):
    return sy.Recipe(weight=[1.0, 4.0, 20.0], norm=norm)


def train(module, batch, accumulate, callback=True, epochs=1, validate=False, ranks=1, rank=0, resume=None, **options):
    data = rows()
    turns = torch.utils.data.DistributedSampler(data, ranks, rank, shuffle=False)
    loader = torch.utils.data.DataLoader(data, batch_size=batch, sampler=turns)
    trainer = L.Trainer(
        max_epochs=epochs,
        accumulate_grad_batches=accumulate,
        accelerator="cpu",
        callbacks=[RecipeCallback(target=1)] if callback is True else list(callback or ()),
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        **{"devices": 1, "enable_checkpointing": False, **options},
    )
    trainer.fit(module, loader, *([loader] if validate else []), ckpt_path=resume)
    return torch.cat([p.detach().flatten() for p in module.layer.parameters()]), trainer


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    path, norm, batch = sys.argv[1:]
    found, trainer = train(
        Net(recipe_of(norm)),
        int(batch),
        2,
        ranks=2,
        rank=int(os.environ["RANK"]),
        devices=2,
        strategy="ddp",
        use_distributed_sampler=False,
    )
    if trainer.is_global_zero:
        torch.save(found, path)
