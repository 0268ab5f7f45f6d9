"""Objects that touch: border says so, separate cuts a gap."""

import warnings

import numpy as np
import pytest
import torch

from steelyard import explain, spatial
from steelyard.spatial.separate import touch


def test_a_gap_of_one_pixel_is_taken_from_the_larger():
    cells = np.zeros((6, 9), int)
    cells[1:5, 1:5], cells[2:4, 5:7] = 3, 1  # 16 and 4 pixels, edge to edge
    cut = spatial.separate(cells)
    expected = cells.copy()
    expected[2:4, 4] = 0
    assert cut.tolist() == expected.tolist()
    assert not touch(cut)
    assert spatial.separate(cut).tolist() == cut.tolist()


def test_corners_touch_where_they_are_asked_for():
    cells = np.array([[1, 1, 0], [1, 1, 0], [0, 0, 2]])
    assert spatial.separate(cells).tolist() == cells.tolist()
    assert spatial.separate(cells, connectivity=2).tolist() == [[1, 1, 0], [1, 0, 0], [0, 0, 2]]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("shape", [(24, 31), (7, 9, 8)])
def test_any_crowd_is_parted(seed, shape):
    rng = np.random.default_rng(seed)
    centres = rng.random((6, len(shape))) * shape
    at = np.stack(np.indices(shape), -1)
    cells = np.argmin(np.linalg.norm(at[..., None, :] - centres, axis=-1), -1) + 1  # every pixel belongs to one
    cells[rng.random(shape) < 0.05] = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cut = spatial.separate(cells)
    assert np.all((cut == cells) | (cut == 0))
    assert set(np.unique(cut)) == set(np.unique(cells))
    if not any((cut == n).sum() == (cells == n).sum() for n in np.unique(cells)[1:]):
        assert not touch(cut)


def test_void_stays_and_separates_nothing():
    cells = np.array([[1, 1, 255, 2, 2, 3]])
    assert spatial.separate(cells, ignore=255).tolist() == [[1, 1, 255, 2, 0, 3]]


def test_an_object_that_would_vanish_stays_with_a_warning():
    with pytest.warns(UserWarning, match="1 objects, such as 2, touch others with every pixel; they stay"):
        assert spatial.separate(np.array([[1, 2, 0, 3, 3]])).tolist() == [[1, 2, 0, 3, 3]]


def test_tensors_and_batches():
    cells = torch.tensor([[[1, 1, 2]], [[4, 0, 4]]])
    cut = spatial.separate(cells, batch=True)
    assert isinstance(cut, torch.Tensor)
    assert cut.tolist() == [[[1, 0, 2]], [[4, 0, 4]]]
    with pytest.raises(ValueError, match="separate: connectivity must be from 1 to 2, got 3"):
        spatial.separate(cells[0], connectivity=3)


TOUCHING, APART = np.array([[1, 1, 2, 2, 0, 3]]), np.array([[1, 1, 0, 2, 0, 3]])


def test_border_says_that_objects_touch():
    for make in (spatial.border, spatial.Map("border")):
        with pytest.warns(UserWarning, match=r"border: objects touch .* spatial\.separate\(instances\) cuts"):
            make(TOUCHING)
        make(APART)  # any warning is an error
        make(spatial.separate(TOUCHING))
    spatial.Map("lesion")(TOUCHING)  # which needs no gap


def test_explain_says_in_how_many_masks():
    warned = explain(spatial.Map("border"), [TOUCHING, APART]).warnings
    assert any("objects touch in 1 of 2 masks" in w and "spatial.separate" in w for w in warned)
    assert not explain(spatial.Map("border"), [APART]).warnings
