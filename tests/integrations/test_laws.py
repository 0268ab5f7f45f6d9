"""What holds for the transform of every framework. Files: integrations/mask_weights.py."""

import pickle

import numpy as np
import pytest
import torch
from tests.integrations.frames import FRAMES, Samples
from tests.spatial.cells import discs

from steelyard.spatial import Cache, Map, separate

MASKS = [separate(discs(12, size=48, seed=k)) for k in range(6)]
MAPS = [Map("border", sigma=4, share=0.3), Map("distance", beta=9), Map("lesion", objects=True)]


@pytest.fixture(params=FRAMES)
def frame(request):
    pytest.importorskip(request.param)
    return FRAMES[request.param]


@pytest.mark.parametrize("map", MAPS, ids=repr)
def test_the_weight_is_the_map_of_the_mask(frame, map):
    for mask in MASKS:
        same, weight = frame(map)(mask)
        assert weight.dtype == np.float32
        np.testing.assert_array_equal(weight, map(mask))
        np.testing.assert_array_equal(same, mask)


def test_after_a_flip_it_is_the_map_of_the_flipped_mask(frame):
    for mask in MASKS:
        moved, weight = frame(MAPS[0], flip=True)(mask)
        np.testing.assert_array_equal(moved, mask[:, ::-1])
        np.testing.assert_array_equal(weight, MAPS[0](np.ascontiguousarray(moved)))


def test_it_pickles(frame, tmp_path):
    again = pickle.loads(pickle.dumps(frame(MAPS[0], cache=tmp_path)))
    np.testing.assert_array_equal(again(MASKS[0])[1], MAPS[0](MASKS[0]))


@pytest.mark.parametrize("start", ["fork", pytest.param("spawn", marks=pytest.mark.slow)])
def test_workers_make_the_same_weights_and_share_a_cache(frame, tmp_path, start):
    samples = Samples(frame(MAPS[0], cache=tmp_path), MASKS)
    loader = torch.utils.data.DataLoader(
        samples, batch_size=2, num_workers=2, multiprocessing_context=start, persistent_workers=True
    )
    for _ in range(2):
        found = torch.cat(list(loader)).numpy()
        np.testing.assert_array_equal(found, np.stack([MAPS[0](m) for m in MASKS]))
    assert len(Cache(tmp_path)) == len(MASKS)


def test_a_mask_that_comes_again_is_not_computed_again(frame, tmp_path, monkeypatch):
    made = frame(MAPS[0], cache=tmp_path)
    first = made(MASKS[0])[1]
    monkeypatch.setattr(Map, "parts", None)
    np.testing.assert_array_equal(made(MASKS[0])[1], first)


def test_what_is_no_map_is_named(frame):
    with pytest.raises(TypeError, match=r"map must be a steelyard.spatial.Map, as Map\('border', share=0.3\), got str"):
        frame("border")
