"""Distances to objects and edges, pair by pair; what each kind makes of them, and where growing weights lie."""

import warnings

import numpy as np
import pytest
from tests.spatial.cells import MASKS, SMALL, brute

from steelyard import spatial

pytestmark = [
    pytest.mark.usefixtures("backend"),
    pytest.mark.filterwarnings("ignore:border. objects touch"),  # many of these masks are crowds
]


@pytest.mark.parametrize(("name", "spacing"), SMALL)
def test_distances(name, spacing):
    mask = MASKS[name]
    steps = spacing or (1.0,) * mask.ndim
    objects = mask > 0
    out, into = brute(objects, steps), brute(~objects, steps)
    found = spatial.distance(mask, beta=4, w0=3, base=2, spacing=spacing)
    expected = np.where(objects, 2, 3 * np.maximum(0, 1 - out / 4)) if objects.any() else np.full(mask.shape, 2.0)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    found = spatial.distance(mask, kind="inverted", w0=3, base=2, spacing=spacing)
    both = objects.any() and not objects.all()
    d = np.where(objects, into, out)
    np.testing.assert_allclose(found, 2 + 3 * (1 - d / d.max()) if both else np.full(mask.shape, 2.0), rtol=1e-6)
    found = spatial.signed_distance(mask, spacing=spacing)
    expected = np.where(objects, -(into - min(steps)), out) if both else np.zeros(mask.shape)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-12)
    for outer, inner in ((2.0, 0.0), (1.5, 3.0)):
        ring = (~objects & (out <= outer)) | (objects & (into <= inner))
        found = spatial.dilate(mask, outer=outer, inner=inner, w0=3, base=2, spacing=spacing)
        np.testing.assert_array_equal(found, np.where(ring, 5, 2))


def test_growing_weights_say_where_they_lie():
    """The first text's w0 + phi: three discs of 3 % of an image, and nearly all of the weight far from them."""
    mask = np.zeros((256, 256), np.int64)
    grid = np.indices(mask.shape)
    for k, centre in enumerate([(60, 60), (70, 100), (110, 70)], 1):
        mask[((grid - np.reshape(centre, (2, 1, 1))) ** 2).sum(axis=0) <= 15**2] = k
    with pytest.warns(
        UserWarning, match=r"puts 9\d\.\d % of the weight more than 20 from every object and 0\.\d % on objects"
    ):
        literal = spatial.distance(mask, kind="growing")
    told = spatial.shares(literal, mask)
    assert told["far"][0] > 0.95
    assert told["objects"][0] < 0.01
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        told = spatial.shares(spatial.distance(mask, beta=20), mask)
    assert told["far"][0] == 0
    assert sum(w for w, _ in told.values()) == pytest.approx(1)
