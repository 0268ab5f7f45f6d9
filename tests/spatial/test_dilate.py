"""The ring is scipy's dilation and erosion. That it is one of distances is in test_distance.py."""

import numpy as np
import pytest
from scipy import ndimage
from tests.spatial.cells import discs

from steelyard import spatial

pytestmark = [
    pytest.mark.usefixtures("backend"),
    pytest.mark.filterwarnings("ignore:border. objects touch"),  # many of these masks are crowds
]


def test_dilation_is_scipys_with_a_ball():
    objects = discs(5, seed=7) > 0
    grid = np.indices((7, 7)) - 3
    ball = (grid**2).sum(axis=0) <= 9
    ring = ndimage.binary_dilation(objects, ball) & ~ndimage.binary_erosion(objects, ball, border_value=1)
    np.testing.assert_array_equal(spatial.dilate(objects, outer=3, inner=3) > 1, ring)
