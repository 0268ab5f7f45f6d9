"""The band along edges, and the local map, computed another way."""

import numpy as np
import pytest
import torch
from tests.spatial.cells import MASKS, SMALL, brute

from steelyard import spatial

pytestmark = [
    pytest.mark.usefixtures("backend"),
    pytest.mark.filterwarnings("ignore:border. objects touch"),  # many of these masks are crowds
]


@pytest.mark.parametrize(("name", "spacing"), SMALL)
def test_the_band_is_what_is_near_another_label(name, spacing):
    mask = MASKS[name]
    steps = spacing or (1.0,) * mask.ndim
    near = np.zeros(mask.shape, bool)
    for label in np.unique(mask):
        near |= (mask == label) & (brute(mask != label, steps) <= 1.5)
    np.testing.assert_array_equal(spatial.contour(mask, width=1.5, spacing=spacing), np.where(near, 6, 1))


@pytest.mark.parametrize(("name", "width"), [("many", 15), ("volume", 7)])
def test_the_local_map_is_torchs_average_pool(name, width):
    g = torch.from_numpy((MASKS[name] > 0).astype(np.float64))
    pool = torch.nn.functional.avg_pool2d if g.dim() == 2 else torch.nn.functional.avg_pool3d
    expected = 1 + 5 * (pool(g[None, None], 2 * width + 1, 1, width)[0, 0] - g).abs()
    np.testing.assert_allclose(spatial.contour(MASKS[name], kind="local", width=width, w0=5), expected, atol=1e-6)
