"""Every object weighs the same."""

import numpy as np
import pytest
from tests.spatial.cells import discs

from steelyard import spatial

pytestmark = [
    pytest.mark.usefixtures("backend"),
    pytest.mark.filterwarnings("ignore:border. objects touch"),  # many of these masks are crowds
]


def test_every_lesion_weighs_the_same():
    instances = discs(8, seed=6)
    found = spatial.lesion(instances, w0=2)
    sums = [found[instances == k].sum() for k in np.unique(instances[instances > 0])]
    assert len(sums) > 5
    np.testing.assert_allclose(sums, sums[0], rtol=1e-5)
    assert found[instances > 0].mean() == pytest.approx(2)
    assert (found[instances == 0] == 1).all()
    assert (spatial.lesion(instances, power=0) == 1).all()
