"""WeightMap in a Compose: channels, tensors, what is moved along, what is refused."""

import numpy as np
import pytest
import torch
from tests.spatial.cells import APART

from steelyard.spatial import Map

pytest.importorskip("albumentations")
import albumentations as A
from albumentations.pytorch import ToTensorV2

from steelyard.integrations.albumentations import WeightMap

MASK, BORDER = APART["many"].astype(np.int32), Map("border", share=0.3)
IMAGE = np.zeros((*MASK.shape, 3), np.uint8)


def test_a_channel_axis_stays():
    found = A.Compose([WeightMap(BORDER)])(image=IMAGE, mask=MASK[..., None])
    assert np.array_equal(found["weight"], BORDER(MASK)[..., None])


def test_after_the_conversion_to_tensors_it_is_a_tensor():
    found = A.Compose([ToTensorV2(), WeightMap(BORDER)])(image=IMAGE, mask=MASK)
    assert isinstance(found["weight"], torch.Tensor)
    assert np.array_equal(found["weight"], BORDER(MASK))


def test_with_a_target_the_weight_moves_and_converts_along():
    steps = [WeightMap(BORDER), A.HorizontalFlip(p=1.0), ToTensorV2()]
    found = A.Compose(steps, additional_targets={"weight": "mask"})(image=IMAGE, mask=MASK)
    assert isinstance(found["weight"], torch.Tensor)
    assert np.array_equal(found["weight"], BORDER(MASK)[:, ::-1])


def test_a_random_crop_has_the_map_of_the_crop():
    pipeline = A.Compose([A.RandomCrop(32, 40), WeightMap(BORDER, weight_key="w")], seed=1)
    shapes = []
    for _ in range(5):
        found = pipeline(image=IMAGE, mask=MASK)
        assert np.array_equal(found["w"], BORDER(found["mask"]))
        shapes.append(found["w"].shape)
    assert set(shapes) == {(32, 40)}


def test_volumes():
    mask = APART["volume"].astype(np.int32)
    found = A.Compose([WeightMap(BORDER, "mask3d")])(volume=np.zeros(mask.shape, np.uint8), mask3d=mask)
    assert np.array_equal(found["weight"], BORDER(mask))


def test_what_is_refused_is_named():
    with pytest.raises(KeyError, match="the sample has no 'mask'"):
        WeightMap(BORDER)(image=IMAGE)
    with pytest.raises(ValueError, match=r"'mask' has shape \[96, 96, 3\], 3 channels"):
        WeightMap(BORDER)(image=IMAGE, mask=np.zeros((96, 96, 3), np.uint8))
    with pytest.raises(ValueError, match="interpolate masks by nearest neighbour"):
        WeightMap(BORDER)(image=IMAGE, mask=np.full((4, 4), 0.25, np.float32))


def test_it_prints_what_it_does():
    assert "map=border(share=0.3)" in repr(A.Compose([WeightMap(BORDER)]))
