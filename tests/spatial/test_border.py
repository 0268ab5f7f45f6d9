"""The U-Net map is its definition, computed the slow way."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage
from tests.spatial.cells import CASES, MASKS, discs

from steelyard import spatial
from steelyard.spatial import nearest
from steelyard.spatial.border import touching
from steelyard.spatial.nearest import two_nearest


def naive(instances, spacing):
    """(d1, d2): one distance transform for every object, then a sort."""
    names = np.unique(instances[instances > 0])
    far = np.full(instances.shape, np.inf)
    each = [ndimage.distance_transform_edt(instances != k, sampling=spacing) for k in names]
    ordered = np.sort([*each, far, far], axis=0)
    return ordered[0], ordered[1]


@pytest.mark.parametrize(("name", "spacing"), CASES)
def test_it_is_the_definition_to_the_bit(name, spacing):
    instances = MASKS[name]
    steps = spacing or (1.0,) * instances.ndim
    for found, expected in zip(two_nearest(instances, steps), naive(instances, steps), strict=True):
        assert np.array_equal(found, expected)
    d1, d2 = naive(instances, steps)
    phi = np.where(instances > 0, 0.0, np.exp(-((d1 + d2) ** 2) / (2 * 4.0**2)))
    assert np.array_equal(touching(instances, steps, 4.0), phi)
    found = spatial.border(instances, w0=7, sigma=4, base=0.5, spacing=spacing)
    assert found.dtype == np.float32
    assert np.array_equal(found, (0.5 + 7 * phi).astype(np.float32))


@settings(max_examples=60, deadline=None)
@given(arrays(np.int64, st.tuples(st.integers(1, 9), st.integers(1, 12)), elements=st.integers(0, 4)))
def test_any_mask(instances):
    for spacing in ((1.0, 1.0), (0.3, 2.0)):
        for found, expected in zip(two_nearest(instances, spacing), naive(instances, spacing), strict=True):
            assert np.array_equal(found, expected)


def test_five_hundred_objects():
    instances = discs(600, size=256, seed=5, radius=(1, 5))
    assert len(np.unique(instances)) > 500
    for found, expected in zip(two_nearest(instances, (1.0, 1.0)), naive(instances, (1.0, 1.0)), strict=True):
        assert np.array_equal(found, expected)


def test_windows_that_are_too_small_grow(monkeypatch):
    tried, transform = [], nearest.to_nearest

    def watched(there, spacing):
        tried.append(there.shape)
        return transform(there, spacing)

    monkeypatch.setattr(nearest, "to_nearest", watched)
    instances, counts = MASKS["many"], []
    for margin in (nearest.MARGIN, 0.01):
        monkeypatch.setattr(nearest, "MARGIN", margin)
        tried.clear()
        for found, expected in zip(two_nearest(instances, (1.0, 1.0)), naive(instances, (1.0, 1.0)), strict=True):
            assert np.array_equal(found, expected)
        counts.append(len(tried))
    assert counts[0] == len(np.unique(instances)) - 1 < counts[1]


def test_fewer_than_two_objects_have_no_border():
    for name in ("none", "one", "all object", "one pixel", "empty"):
        assert (spatial.border(MASKS[name], base=2.0) == 2.0).all()


def test_between_two_cells_it_is_heaviest():
    cells = np.zeros((21, 30), np.int64)
    cells[5:16, 2:13], cells[5:16, 15:26] = 1, 2
    found = spatial.border(cells, w0=10, sigma=5)
    gap = found[10, 13]
    assert gap == found.max() == pytest.approx(1 + 10 * np.exp(-((1 + 2) ** 2) / 50))
    assert found[0, 0] < 1.5
    assert (found[cells > 0] == 1).all()
