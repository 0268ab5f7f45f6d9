"""From every label to the nearest other, pair by pair; more of the transforms is in test_border.py."""

import numpy as np
import pytest
from tests.spatial.cells import MASKS, SMALL, brute

from steelyard.spatial import transforms

pytestmark = [
    pytest.mark.usefixtures("backend"),
    pytest.mark.filterwarnings("ignore:border. objects touch"),  # many of these masks are crowds
]


@pytest.mark.parametrize(("name", "spacing"), SMALL)
def test_every_label_is_as_far_as_the_nearest_other(name, spacing):
    mask = MASKS[name]
    steps = spacing or (1.0,) * mask.ndim
    expected = np.full(mask.shape, np.inf)
    for label in np.unique(mask):
        expected[mask == label] = brute(mask != label, steps)[mask == label]
    np.testing.assert_allclose(transforms.to_another(mask, steps), expected, rtol=1e-14)
