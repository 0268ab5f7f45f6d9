"""A Map is its function with the options in; over a data set one w0 is that of one big batch."""

import pickle

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tests.spatial.cells import MASKS, discs

from steelyard import spatial
from steelyard.spatial import Map, calibrate
from steelyard.spatial.map import MAPS, takes

pytestmark = pytest.mark.filterwarnings("ignore:border. objects touch")  # many of these masks are crowds


# of every map: options that are not its defaults
OTHERS = {
    "border": [{"sigma": 3}, {"w0": 2, "base": 0.5}],
    "distance": [{"beta": 9}, {"kind": "inverted", "share": 0.2}],
    "contour": [{"width": 2}, {"kind": "local", "width": 3}],
    "dilate": [{"outer": 2, "inner": 1}],
    "lesion": [{"power": 0.5}, {"share": 0.6}],
}
CASES = [(name, options) for name in MAPS for options in ({}, *OTHERS[name])]
SET = [discs(5, seed=8), discs(0), MASKS["many"], discs(30, size=60, seed=9)]


@pytest.mark.parametrize(("name", "options"), CASES)
def test_a_map_is_its_function(name, options):
    map, function = Map(name, **options), getattr(spatial, name)
    for mask in SET:
        assert np.array_equal(map(mask), function(mask, **options))
    stack = np.stack([SET[0], SET[2]])
    assert np.array_equal(map(stack, batch=True), function(stack, batch=True, **options))
    tensor = torch.from_numpy(SET[2])
    assert torch.equal(map(tensor), function(tensor, **options))
    assert pickle.loads(pickle.dumps(map)) == map == eval(repr(map), {"Map": Map})


@pytest.mark.parametrize("name", MAPS)
def test_with_objects_it_finds_them_and_void_stays_void(name):
    mask = (discs(20, seed=3) > 0).astype(np.uint8)
    map = Map(name, objects=True)
    assert np.array_equal(map(mask), Map(name)(spatial.objects(mask)))
    void = mask.copy()
    void[:10] = 3  # a number that a component has, too
    found = map.replace(ignore=3)(torch.from_numpy(void))
    assert (found[:10] == 0).all()
    mask[:10] = 0
    assert np.array_equal(found[10:], map(mask)[10:])


def test_numbers_of_any_kind_are_one_map():
    assert Map("border", sigma=np.float32(4), ignore=np.uint8(255)) == Map("border", sigma=4, ignore=255)
    assert Map("border", spacing=[1, 2]) == Map("border", spacing=np.array([1.0, 2.0]))


@pytest.mark.parametrize(
    ("name", "options", "error", "words"),
    [
        ("bordr", {}, ValueError, "there is no map 'bordr'. Did you mean 'border'?"),
        ("border", {"sgima": 3}, TypeError, "border takes no 'sgima'. Did you mean 'sigma'?"),
        ("lesion", {"spacing": (1, 1)}, TypeError, "lesion takes no 'spacing'"),
        ("border", {"sigma": 0}, ValueError, "sigma must be a number above 0"),
        ("border", {"sigma": "4"}, ValueError, "sigma must be a number, got '4'"),
        ("border", {"share": 1}, ValueError, "share must be in [0, 1)"),
        ("border", {"w0": -1}, ValueError, "w0 must be a number from 0"),
        ("distance", {"kind": "far"}, ValueError, "kind must be one of"),
        ("contour", {"ignore": 0.5}, ValueError, "ignore must be a whole number"),
        ("dilate", {"spacing": (1,)}, ValueError, "spacing must be 2 or 3 positive numbers"),
        ("border", {"objects": True, "connectivity": 9}, ValueError, "connectivity must be from 1 to 2"),
    ],
)
def test_what_is_wrong_is_named_before_there_is_a_mask(name, options, error, words):
    with pytest.raises(error) as caught:
        Map(name, **options)
    assert words in str(caught.value)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.95])
@pytest.mark.parametrize("name", MAPS)
def test_over_a_set_the_w0_is_that_of_one_big_batch_to_the_bit(name, share):
    same_size = np.stack([SET[0], SET[1], SET[2]])
    fitted = calibrate(iter(same_size), Map(name, share=0.5), share=share)
    assert fitted.options["share"] is None
    assert np.array_equal(fitted(same_size, batch=True), Map(name, share=share)(same_size, batch=True))


@given(st.lists(st.integers(0, 9), min_size=1, max_size=4), st.sampled_from(sorted(MAPS)), st.floats(0, 0.99))
def test_the_shape_carries_its_share_of_all_masks_together(seeds, name, share):
    masks = [discs(6, size=12 + s, seed=s, radius=(1, 4)) for s in seeds]
    fitted = calibrate(masks, Map(name), share=share)
    floor = sum(fitted.replace(w0=0)(m).astype(np.float64).sum() for m in masks)
    whole = sum(fitted(m).astype(np.float64).sum() for m in masks)
    bare = all((Map(name, w0=1)(m) == Map(name, w0=0)(m)).all() for m in masks)
    assert (whole - floor) / whole == pytest.approx(0 if bare else share, abs=1e-5)


def test_what_is_ignored_does_not_count_in_the_set():
    void = SET[0].copy()
    void[:20] = 200
    fitted = calibrate([void, SET[2]], Map("border", ignore=200), share=0.4)
    batch = np.stack([void, SET[2]])
    assert np.array_equal(fitted(batch, batch=True), spatial.border(batch, batch=True, ignore=200, share=0.4))


def test_a_set_that_is_none_is_named():
    with pytest.raises(ValueError, match="there are no masks"):
        calibrate([], Map("border"), share=0.3)
    with pytest.raises(ValueError, match=r"share must be in \[0, 1\)"):
        calibrate(SET, Map("border"), share=1.0)
    with pytest.raises(ValueError, match="base is 0"):
        calibrate(SET, Map("border", base=0), share=0.3)


def test_every_option_of_the_functions_is_one_of_the_map():
    for name in MAPS:
        assert {*takes(name)} >= {"w0", "base", "share", "ignore", "objects", "connectivity"}
