"""A recipe and weight maps in nnU-Net's own training: three iterations on generated volumes, in a process of its own."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from steelyard.integrations.mask_weights import MaskWeights
from steelyard.integrations.nnunet import WithMap
from steelyard.spatial import Map

PROGRAM = Path(__file__).parent / "nnunet_runs.py"
ROOT = PROGRAM.parents[2]


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    if importlib.util.find_spec("nnunetv2") is None:
        pytest.skip("nnunetv2 is not installed")
    folder = tmp_path_factory.mktemp("nnunet")
    path = os.pathsep.join([str(ROOT), str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(PROGRAM), str(folder)],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=850,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads((folder / "found.json").read_text())


@pytest.mark.slow
def test_a_neutral_recipe_is_nnunets_own_loss(found):
    assert found["levels"] >= 2
    assert found["neutral"][1] == pytest.approx(found["neutral"][0], rel=1e-6)


@pytest.mark.slow
def test_the_recipe_is_counted_from_the_data_set_and_stands_in_the_plans(found):
    assert found["classes"] == ["background", "organ", "lesion"]
    assert found["counted"]
    assert found["in plans"]
    assert found["in checkpoint"]


@pytest.mark.slow
def test_weights_and_maps_act_on_the_cross_entropy_of_every_level_alone(found):
    assert found["weighed"][0] == pytest.approx(found["weighed"][1], rel=1e-5)


@pytest.mark.slow
def test_maps_come_with_training_patches(found):
    assert all(shape[1] == 2 for shape in found["channels"])
    low, high = found["map"]
    assert 0 < low < high
    assert found["validation channels"] == 1


@pytest.mark.slow
def test_it_trains(found):
    assert len(found["steps"]) == 3
    assert all(-1 < loss < 20 for loss in found["steps"])
    assert found["learn numbers"]
    assert found["for 5 classes"]


def test_a_map_takes_the_labels_of_a_patch_and_its_spacing():
    """Of nnU-Net's own nothing is needed: ignored and missing (-1) labels are background to the map, and stay in the labels."""
    labels = torch.zeros(1, 16, 16, dtype=torch.int16)
    labels[:, 2:6, 2:6], labels[:, 2:6, 9:13], labels[:, 12:], labels[:, :, :1] = 1, 2, 3, -1
    plain = np.where((labels[0] == 3) | (labels[0] < 0), 0, labels[0]).astype(np.int64)
    border = Map("border", sigma=2.0)
    for spacing, expected in ((None, border(plain)), ((1.0, 3.0), border.replace(spacing=(1.0, 3.0))(plain))):
        made = WithMap(MaskWeights.of("recipe_trainer", border, None), 3, spacing)(image=1, segmentation=labels)
        assert made["image"] == 1
        assert torch.equal(made["segmentation"][0], labels[0].float())
        assert np.allclose(made["segmentation"][1], expected)
