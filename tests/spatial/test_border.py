"""The U-Net map is its definition, computed the slow way."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage
from tests.examples_of import examples
from tests.spatial.cells import CASES, MASKS, discs

from steelyard import spatial
from steelyard.spatial import transforms
from steelyard.spatial.border import touching
from steelyard.spatial.transforms import to_both, to_nearest

pytestmark = pytest.mark.filterwarnings("ignore:border. objects touch")  # many of these masks are crowds


def agree(instances, spacing):
    """To the bit; where spacing is no whole number the two may take another of two equal ways, and round it otherwise."""
    d1, d2 = naive(instances, spacing)
    both = np.where(instances > 0, np.inf, d1 + d2)
    for distances, expected in ((to_nearest(instances > 0, spacing), d1), (to_both(instances, spacing), both)):
        if all(s == int(s) for s in spacing):
            assert np.array_equal(distances, expected)
        else:
            np.testing.assert_allclose(distances, expected, rtol=4e-16)


def naive(instances, spacing):
    """(d1, d2): one distance transform for every object, then a sort."""
    names = np.unique(instances[instances > 0])
    far = np.full(instances.shape, np.inf)
    each = [ndimage.distance_transform_edt(instances != k, sampling=spacing) for k in names]
    ordered = np.sort([*each, far, far], axis=0)
    return ordered[0], ordered[1]


@pytest.mark.parametrize(("name", "spacing"), CASES)
def test_it_is_the_definition(backend, name, spacing):
    instances = MASKS[name]
    steps = spacing or (1.0,) * instances.ndim
    agree(instances, steps)
    d1, d2 = naive(instances, steps)
    phi = np.where(instances > 0, 0.0, np.exp(-((d1 + d2) ** 2) / (2 * 4.0**2)))
    found = touching(instances, steps, 4.0)
    assert np.array_equal(found, phi) if spacing is None else np.allclose(found, phi, rtol=1e-14, atol=0)
    found = spatial.border(instances, w0=7, sigma=4, base=0.5, spacing=spacing)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, (0.5 + 7 * phi).astype(np.float32))


@settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    arrays(
        np.int64, st.tuples(st.integers(1, 9), st.integers(1, 12)), elements=st.sampled_from([0, 0, 0, 1, 2, 9, 10**12])
    )
)
def test_any_mask(backend, instances):
    for spacing in ((1.0, 1.0), (0.3, 2.0), (3.0, 2.0)):
        agree(instances, spacing)


@settings(max_examples=examples(40), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(arrays(np.int64, st.tuples(*[st.integers(1, 5)] * 3), elements=st.integers(-20, 14).map(lambda k: max(k, 0))))
def test_any_volume(backend, instances):
    for spacing in ((1.0, 1.0, 1.0), (0.3, 2.0, 1.1)):
        agree(instances, spacing)


def test_five_hundred_objects(backend):
    instances = discs(700, size=128, seed=5, radius=(0, 3))
    assert len(np.unique(instances)) > 500
    agree(instances, (1.0, 1.0))


@pytest.fixture(params=transforms._native.sets() if transforms._native else [])
def instruction_set(request):
    native = transforms._native
    before = native.current()
    native.choose(request.param)
    yield request.param
    native.choose(before)


@st.composite
def sparse(draw):
    """Few pixels on a wide image, so that answers are far away; or a texture."""
    shape = draw(st.sampled_from([(3, 130), (70, 37), (40, 290), (1, 33), (5, 6, 40), (33, 4, 17)]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    share, labels = draw(st.sampled_from([0.002, 0.02, 0.3, 1.0])), draw(st.integers(1, 12))
    return np.where(rng.random(shape) < share, rng.integers(0, labels + 1, shape), 0)


@settings(max_examples=examples(150), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sparse(), st.sampled_from([1.0, 2.0, 0.3]))
def test_what_is_passed_over_is_not_missed(instruction_set, instances, step):
    spacing = (1.0,) * (instances.ndim - 1) + (step,)
    agree(instances, spacing)


@pytest.mark.parametrize(("name", "spacing"), CASES)
def test_every_instruction_set_is_the_definition(instruction_set, name, spacing):
    agree(MASKS[name], spacing or (1.0,) * MASKS[name].ndim)


@pytest.mark.parametrize("far", [2040, 4090, 4200, 70000])
def test_distances_beyond_what_float_knows(instruction_set, far):
    """The square of 4096 is the last that float holds with all numbers below it."""
    instances = np.zeros((2, far), np.int64)
    instances[0, 0], instances[1, -1] = 1, 2
    there = np.arange(far, dtype=np.float64)
    one, other = np.sqrt([there**2, there**2 + 1]), np.sqrt([(far - 1 - there) ** 2 + 1, (far - 1 - there) ** 2])
    assert np.array_equal(to_nearest(instances > 0, (1.0, 1.0)), np.minimum(one, other))
    assert np.array_equal(to_both(instances, (1.0, 1.0)), np.where(instances > 0, np.inf, one + other))


def test_labels_beyond_what_float_knows(instruction_set):
    large = np.array([[2**24 - 1, 0, 2**24, 2**24 + 1, 0, 0, 2**24 - 2]])
    for instances in (large, large + 5, large * 2**30, np.where(large, large - 2**24 + 3, 0)):
        agree(instances, (1.0, 1.0))
        assert transforms.to_another(instances, (1.0, 1.0)).tolist() == [[1, 1, 1, 1, 1, 1, 1]]


@pytest.mark.usefixtures("native_core")
@pytest.mark.parametrize(("name", "spacing"), [("many", None), ("many", (0.3, 1.1)), ("volume", None)])
def test_threads_change_no_bit(name, spacing):
    labels = np.ascontiguousarray(MASKS[name], np.int32)
    results = []
    for threads in (1, 2, 5):
        found = np.empty((3, *labels.shape))
        steps = spacing or [1.0] * labels.ndim
        addresses = [array.ctypes.data for array in (labels, *found)]
        transforms._native.nearest(*addresses, list(labels.shape), list(steps), threads)
        results.append(found)
    assert all(np.array_equal(results[0], other) for other in results[1:])


def test_windows_that_are_too_small_grow(monkeypatch):
    tried, transform = [], transforms.to_nearest

    def watched(there, spacing):
        tried.append(there.shape)
        return transform(there, spacing)

    monkeypatch.setattr(transforms, "to_nearest", watched)
    monkeypatch.setattr(transforms, "_native", None)
    instances, counts = MASKS["many"], []
    for margin in (transforms.MARGIN, 0.01):
        monkeypatch.setattr(transforms, "MARGIN", margin)
        tried.clear()
        expected = np.where(instances > 0, np.inf, np.add(*naive(instances, (1.0, 1.0))))
        assert np.array_equal(to_both(instances, (1.0, 1.0)), expected)
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
