"""What is said of a map is what its pixels say. Files: spatial/regions.py."""

import numpy as np
import pytest
from tests.spatial.cells import MASKS, discs

import steelyard as sy
from steelyard import spatial
from steelyard.spatial import Map
from steelyard.spatial.map import MAPS

pytestmark = pytest.mark.filterwarnings("ignore:border. objects touch")  # many of these masks are crowds
SET = [discs(5, seed=8), discs(0), MASKS["many"], discs(30, size=60, seed=9)]


def test_explain_tells_the_shares_that_shares_tells():
    for name in MAPS:
        map, mask = Map(name, share=0.4), MASKS["many"]
        told = sy.explain(map, mask)
        read = spatial.shares(map(mask), mask)
        for region in told.regions:
            assert (region.weight, region.pixels) == pytest.approx(read[region.name], abs=1e-6)
        assert told.share == pytest.approx(0.4)
        assert told.mean_weight == pytest.approx(map(mask).mean(), rel=1e-5)
        assert told.to_dict()["masks"] == 1


def test_explain_of_many_is_that_of_their_pixels_together():
    map = Map("contour", share=0.4)
    told = sy.explain(map, iter(SET))
    weight = np.concatenate([map(m).ravel() for m in SET])
    pixels = np.concatenate([m.ravel() for m in SET])
    assert told.regions[0].weight == pytest.approx(weight[pixels > 0].sum() / weight.sum(), rel=1e-5)
    assert (told.masks, told.bare) == (4, 1)
    assert told.w0[0] < told.w0[1]
    assert "on 4 masks" in str(told)


def test_weight_far_from_every_object_is_warned_of_where_the_map_puts_it_there():
    mask = np.zeros((256, 256), np.int64)
    mask[60:80, 60:80], mask[60:80, 82:100] = 1, 2
    told = sy.explain(Map("distance", kind="growing"), mask)
    assert "of the weight lies more than 20 from every object" in told.warnings[0]
    assert told.regions[2].weight > 0.9
    for name in MAPS:  # most pixels are far, but no map draws weight there
        assert not sy.explain(Map(name), mask).warnings
    assert not sy.explain(Map("distance", kind="growing"), np.zeros((9, 9), int)).warnings


def test_notes_say_where_nothing_is_added_and_what_the_mean_weight_is():
    told = sy.explain(Map("border"), [discs(1), discs(0), MASKS["two"]])
    assert "nothing is added in 2 of 3 masks: it needs two objects in a mask. A semantic mask" in told.notes[0]
    assert not any("objects=True" in n for n in sy.explain(Map("border", objects=True), discs(0)).notes)
    assert any("the mean weight is 1.429" in n for n in sy.explain(Map("border", share=0.3), MASKS["many"]).notes)
    with pytest.raises(ValueError, match="there are no masks"):
        sy.explain(Map("border"), [])
