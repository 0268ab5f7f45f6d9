"""WeightMap in v2.Compose: tuples, dicts, targets, what moves along, what is refused."""

import numpy as np
import pytest
import torch
from tests.integrations import torchvision_on_cpu  # noqa: F401
from tests.spatial.cells import APART

from steelyard.spatial import Map

pytest.importorskip("torchvision")
from torchvision import tv_tensors
from torchvision.transforms import v2

from steelyard.integrations.torchvision import WeightMap

BORDER = Map("border", share=0.3)
MASK = tv_tensors.Mask(torch.from_numpy(APART["many"]))
IMAGE = tv_tensors.Image(torch.zeros(3, *MASK.shape))
WEIGHT = BORDER(APART["many"])
MAKE = WeightMap(BORDER)


def test_every_form_of_a_sample_keeps_its_form():
    assert np.array_equal(MAKE(IMAGE, MASK)[2], WEIGHT)
    image, mask, weight = MAKE((IMAGE, MASK))
    assert image is IMAGE
    assert mask is MASK
    assert np.array_equal(weight, WEIGHT)
    found = MAKE({"image": IMAGE, "mask": MASK, "id": 7})
    assert set(found) == {"image", "mask", "id", "weight"}
    assert np.array_equal(found["weight"], WEIGHT)
    image, target = MAKE(IMAGE, {"mask": MASK, "boxes": 1})
    assert np.array_equal(target["weight"], WEIGHT)
    assert np.array_equal(WeightMap(BORDER, "m", "w")([IMAGE, {"m": MASK}])[1]["w"], WEIGHT)
    assert MAKE(IMAGE, MASK[None].as_subclass(tv_tensors.Mask))[2].shape == (1, *MASK.shape)


def test_the_weight_is_a_mask_that_moves_along():
    later = v2.Compose([MAKE, v2.RandomHorizontalFlip(p=1.0), v2.RandomCrop(40), v2.ToDtype(torch.float32)])
    torch.manual_seed(0)
    _, mask, weight = later(IMAGE, MASK)
    assert weight.shape == mask.shape == (40, 40)
    assert weight.dtype == torch.float32
    assert set(weight.unique().tolist()) <= set(np.unique(WEIGHT).tolist())
    places = {
        (i, j) for i in range(57) for j in range(57) if np.array_equal(weight, WEIGHT[:, ::-1][i : i + 40, j : j + 40])
    }
    assert len(places) == 1


def test_what_is_refused_is_named():
    for sample, words in (
        ((IMAGE, torch.zeros(4, 4)), "got a tuple of Image, Tensor. tv_tensors.Mask"),
        ({"image": IMAGE}, "got a dict of 'image'"),
        ((MASK, MASK), "the sample must hold one mask"),
        ((IMAGE, tv_tensors.Mask(torch.zeros(5, 4, 4, dtype=torch.uint8))), "numbers them"),
        ((IMAGE, tv_tensors.Mask(torch.full((4, 4), 0.5))), "no labels, such as 0.5"),
    ):
        with pytest.raises(ValueError, match=words):
            MAKE(sample)


def test_the_advice_for_one_mask_per_object_works():
    masks = torch.stack([k == MASK for k in MASK.unique() if k]).to(torch.uint8)
    numbered = (masks * torch.arange(1, len(masks) + 1)[:, None, None]).amax(0)
    assert np.array_equal(MAKE(IMAGE, tv_tensors.Mask(numbered))[2], WEIGHT)


def test_it_prints_what_it_does():
    assert repr(MAKE) == "WeightMap(Map('border', share=0.3), 'mask' -> 'weight')"
