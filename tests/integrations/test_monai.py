"""WeightMapd: channels, MetaTensors and their spacing, what is refused."""

import numpy as np
import pytest
import torch
from tests.spatial.cells import APART, discs

from steelyard.spatial import Map

pytest.importorskip("monai")
from monai.data import MetaTensor
from monai.transforms import Compose, Flipd, RandCropByPosNegLabeld, Spacingd

from steelyard.integrations.monai import WeightMapd

MASK, BORDER = APART["many"], Map("border", share=0.3)


def test_a_label_read_as_floats_is_a_label():
    found = WeightMapd("label", BORDER)({"label": torch.from_numpy(MASK.astype(np.float32))[None]})
    assert np.array_equal(found["weight"][0], BORDER(MASK))
    array = WeightMapd("label", BORDER)({"label": MASK[None].astype(np.float32)})["weight"]
    assert isinstance(array, np.ndarray)
    assert np.array_equal(array[0], BORDER(MASK))


def test_a_meta_tensor_gives_one_that_later_transforms_move_along():
    affine = torch.diag(torch.tensor([2.0, 3.0, 1.0, 1.0]))
    data = {"label": MetaTensor(torch.from_numpy(MASK)[None], affine=affine)}
    before = data["label"].clone()
    found = Compose([WeightMapd("label", BORDER), Flipd(["label", "weight"], 0)])(data)
    assert isinstance(found["weight"], MetaTensor)
    assert torch.equal(found["weight"].affine, found["label"].affine)
    assert np.array_equal(found["weight"].array[0], BORDER(MASK)[::-1])
    assert torch.equal(data["label"], before)
    assert "weight" not in data
    crop = RandCropByPosNegLabeld(["label", "weight"], "label", (16, 16), num_samples=2)
    for part in Compose([WeightMapd("label", BORDER), crop])(data):
        assert part["weight"].shape == part["label"].shape == (1, 16, 16)


def test_pixdim_is_the_spacing_of_each_label():
    for mask, steps in ((MASK, (2.0, 0.5)), (APART["volume"], (3.0, 1.0, 0.5))):
        affine = torch.diag(torch.tensor([*steps, *(1.0,) * (4 - len(steps))]))
        label = MetaTensor(torch.from_numpy(mask)[None], affine=affine)
        found = WeightMapd("label", BORDER, pixdim=True)({"label": label})["weight"]
        assert np.array_equal(found.array[0], BORDER.replace(spacing=steps)(mask))
    with pytest.raises(ValueError, match="takes the spacing of a MetaTensor, but 'label' is a ndarray"):
        WeightMapd("label", BORDER, pixdim=True)({"label": MASK[None]})


@pytest.mark.filterwarnings("ignore:border. objects touch")  # at half the resolution they do
def test_pending_resampling_is_done_before_the_map():
    label = MetaTensor(torch.from_numpy(MASK)[None].float(), affine=torch.eye(4))
    steps = [Spacingd(["label"], pixdim=(2.0, 2.0), mode="nearest"), WeightMapd("label", BORDER)]
    found = Compose(steps, lazy=True)({"label": label})
    assert found["label"].shape != label.shape
    assert found["weight"].shape == found["label"].shape
    assert np.array_equal(found["weight"].array[0], BORDER(found["label"].array[0].round().astype(np.int64)))


def test_several_keys_have_several_weights_and_missing_ones_may_be_allowed():
    data = {"a": MASK[None], "b": discs(3, seed=1)[None]}
    found = WeightMapd(["a", "b"], BORDER, ["wa", "wb"])(data)
    assert np.array_equal(found["wb"][0], BORDER(data["b"][0]))
    assert "wb" not in WeightMapd(["a", "b"], BORDER, ["wa", "wb"], allow_missing_keys=True)({"a": data["a"]})
    with pytest.raises(ValueError, match="2 keys need as many weight_keys, got 1"):
        WeightMapd(["a", "b"], BORDER)
    with pytest.raises(KeyError):
        WeightMapd("c", BORDER)(data)


@pytest.mark.parametrize(
    ("label", "words"),
    [
        (np.zeros((3, 8, 8), int), "'label' has shape .3, 8, 8., 3 channels"),
        (np.full((1, 8, 8), 0.5), "numbers that are no labels, such as 0.5; interpolate masks by nearest neighbour"),
        (np.full((1, 8, 8), np.nan), "such as nan"),
        (np.zeros((1, 8), int), r"2-D image or a 3-D volume of labels, got shape \[8\]"),
    ],
)
def test_labels_that_are_none_are_named(label, words):
    with pytest.raises(ValueError, match=words):
        WeightMapd("label", BORDER)({"label": label})
