"""Components are what can be walked."""

import numpy as np
import pytest

from steelyard import spatial

pytestmark = [
    pytest.mark.usefixtures("backend"),
    pytest.mark.filterwarnings("ignore:border. objects touch"),  # many of these masks are crowds
]


@pytest.mark.parametrize("connectivity", [1, 2])
def test_objects_are_what_can_be_walked(connectivity):
    rng = np.random.default_rng(0)
    mask = rng.integers(0, 3, (12, 14))
    found = spatial.objects(mask, connectivity=connectivity)
    assert np.array_equal(found > 0, mask > 0)
    assert np.array_equal(np.unique(found), np.arange(found.max() + 1))
    last = 0
    for number in found[found > 0]:  # in the order of their first pixels
        assert number <= last + 1
        last = max(last, number)
    for a in np.argwhere(mask > 0):
        for b in np.argwhere(mask > 0):
            steps = np.abs(a - b)
            if steps.max() == 1 and steps.sum() <= connectivity and mask[tuple(a)] == mask[tuple(b)]:
                assert found[tuple(a)] == found[tuple(b)]
            if mask[tuple(a)] != mask[tuple(b)]:
                assert found[tuple(a)] != found[tuple(b)]
