"""Recipes and losses in Hydra's configurations, without `_convert_`."""

import pytest
import torch

import steelyard as sy

pytest.importorskip("hydra")
from hydra.utils import instantiate
from omegaconf import OmegaConf

COUNTS = {"_target_": "steelyard.Counts", "per_class": {"well": 900, "ill": 100}}
PARTS = [
    {"_target_": "steelyard.effective_number", "counts": COUNTS, "beta": 0.99},
    {"_target_": "steelyard.logit_adjustment", "counts": COUNTS},
    {"_target_": "steelyard.asymmetric", "clip": 0.0},
    {"_target_": "steelyard.smooth", "_args_": [0.1]},
]


def test_mix_takes_a_list_of_recipes():
    counts = sy.Counts({"well": 900, "ill": 100})
    expected = sy.mix(
        sy.effective_number(counts, beta=0.99), sy.logit_adjustment(counts), sy.asymmetric(clip=0.0), sy.smooth(0.1)
    )
    assert instantiate(OmegaConf.create({"_target_": "steelyard.mix", "_args_": PARTS})) == expected


def test_losses_and_sums_are_made_from_a_configuration():
    ce = {
        "_target_": "steelyard.CrossEntropy",
        "recipe": {"_target_": "steelyard.mix", "_args_": PARTS},
        "ignore_index": 255,
    }
    other = {"_target_": "torch.nn.CrossEntropyLoss"}
    made = instantiate(OmegaConf.create({"_target_": "steelyard.Sum", "ce": ce, "other": [0.5, other]}))
    logits, labels = torch.randn(4, 2), torch.tensor([0, 1, 1, 0])
    first = instantiate(OmegaConf.create(ce))(logits, labels)
    torch.testing.assert_close(made(logits, labels), first + 0.5 * torch.nn.CrossEntropyLoss()(logits, labels))
    deep = {"_target_": "steelyard.DeepSupervision", "loss": ce, "weights": [0.75, 0.25]}
    assert instantiate(OmegaConf.create(deep)).weights == (0.75, 0.25)
