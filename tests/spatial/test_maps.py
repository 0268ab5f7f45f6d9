"""Every map is what its docstring says, computed another way; and all of them keep the same manners."""

import warnings

import numpy as np
import pytest
import torch
from scipy import ndimage
from scipy.spatial.distance import cdist
from tests.spatial.cells import CASES, MASKS, discs

import steelyard as sy
from steelyard import spatial
from steelyard.spatial import transforms

pytestmark = pytest.mark.filterwarnings("ignore:border. objects touch")  # many of these masks are crowds

# every map with a w0, as a function of a mask
MAPS = {
    "border": spatial.border,
    "truncated": lambda m, **o: spatial.distance(m, kind="truncated", beta=9, **o),
    "inverted": lambda m, **o: spatial.distance(m, kind="inverted", **o),
    "band": lambda m, **o: spatial.contour(m, kind="band", width=2, **o),
    "local": lambda m, **o: spatial.contour(m, kind="local", width=3, **o),
    "dilate": lambda m, **o: spatial.dilate(m, outer=3, inner=1, **o),
    "lesion": spatial.lesion,
}


@pytest.fixture(params=MAPS, ids=str)
def kind(request):
    return request.param


def brute(there, spacing):
    """From every pixel to the nearest that is `there`, pair by pair."""
    at = np.argwhere(np.ones(there.shape, bool)) * np.array(spacing)
    if not there.any():
        return np.full(there.shape, np.inf)
    return cdist(at, np.argwhere(there) * np.array(spacing)).min(axis=1).reshape(there.shape)


@pytest.fixture(params=["native", "scipy"], autouse=True)
def backend(request, monkeypatch):
    """The C++ core, and what stands in for it."""
    if request.param == "scipy":
        monkeypatch.setattr(transforms, "_native", None)
    else:
        request.getfixturevalue("native_core")


SMALL = [(name, spacing) for name, spacing in CASES if MASKS[name].size < 1000 and MASKS[name].size]


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


@pytest.mark.parametrize(("name", "spacing"), SMALL)
def test_the_band_is_what_is_near_another_label(name, spacing):
    mask = MASKS[name]
    steps = spacing or (1.0,) * mask.ndim
    near = np.zeros(mask.shape, bool)
    for label in np.unique(mask):
        near |= (mask == label) & (brute(mask != label, steps) <= 1.5)
    np.testing.assert_array_equal(spatial.contour(mask, width=1.5, spacing=spacing), np.where(near, 6, 1))


@pytest.mark.parametrize(("name", "spacing"), SMALL)
def test_every_label_is_as_far_as_the_nearest_other(name, spacing):
    mask = MASKS[name]
    steps = spacing or (1.0,) * mask.ndim
    expected = np.full(mask.shape, np.inf)
    for label in np.unique(mask):
        expected[mask == label] = brute(mask != label, steps)[mask == label]
    np.testing.assert_allclose(transforms.to_another(mask, steps), expected, rtol=1e-14)


def test_dilation_is_scipys_with_a_ball():
    objects = discs(5, seed=7) > 0
    grid = np.indices((7, 7)) - 3
    ball = (grid**2).sum(axis=0) <= 9
    ring = ndimage.binary_dilation(objects, ball) & ~ndimage.binary_erosion(objects, ball, border_value=1)
    np.testing.assert_array_equal(spatial.dilate(objects, outer=3, inner=3) > 1, ring)


@pytest.mark.parametrize(("name", "width"), [("many", 15), ("volume", 7)])
def test_the_local_map_is_torchs_average_pool(name, width):
    g = torch.from_numpy((MASKS[name] > 0).astype(np.float64))
    pool = torch.nn.functional.avg_pool2d if g.dim() == 2 else torch.nn.functional.avg_pool3d
    expected = 1 + 5 * (pool(g[None, None], 2 * width + 1, 1, width)[0, 0] - g).abs()
    np.testing.assert_allclose(spatial.contour(MASKS[name], kind="local", width=width, w0=5), expected, atol=1e-6)


def test_every_lesion_weighs_the_same():
    instances = discs(8, seed=6)
    found = spatial.lesion(instances, w0=2)
    sums = [found[instances == k].sum() for k in np.unique(instances[instances > 0])]
    assert len(sums) > 5
    np.testing.assert_allclose(sums, sums[0], rtol=1e-5)
    assert found[instances > 0].mean() == pytest.approx(2)
    assert (found[instances == 0] == 1).all()
    assert (spatial.lesion(instances, power=0) == 1).all()


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


@pytest.mark.parametrize("share", [0.0, 0.3, 0.95])
def test_the_share_is_what_was_asked_for(kind, share):
    masks = np.stack([discs(5, seed=8), discs(30, seed=9), MASKS["many"]])
    floor, whole = (MAPS[kind](masks, batch=True, **o).astype(np.float64) for o in ({"w0": 0.0}, {"share": share}))
    assert (whole - floor).sum() / whole.sum() == pytest.approx(share, abs=1e-6)
    added = MAPS[kind](masks, batch=True, w0=1.0) - floor
    ratio = (whole - floor)[added > 1e-3] / added[added > 1e-3]
    np.testing.assert_allclose(ratio, ratio.mean() if share else 0, rtol=1e-3)  # one w0 for all of the batch


def test_with_a_share_of_nothing_the_floor_stays(kind):
    for name in ("none", "empty"):
        assert np.array_equal(MAPS[kind](MASKS[name], share=0.5), MAPS[kind](MASKS[name], w0=0.0))


def test_a_batch_is_its_images_and_torch_is_numpy(kind):
    masks = np.stack([discs(5, seed=8), discs(0), MASKS["many"]])
    found = MAPS[kind](masks, batch=True, w0=2.0)
    for one, mask in zip(found, masks, strict=True):
        assert np.array_equal(one, MAPS[kind](mask, w0=2.0))
    for dtype in (torch.int64, torch.int32, torch.uint8):
        tensor = MAPS[kind](torch.from_numpy(masks).to(dtype), batch=True, w0=2.0)
        assert tensor.dtype == torch.float32
        assert np.array_equal(tensor.numpy(), found)
    before = masks.copy()
    MAPS[kind](masks, batch=True)
    assert np.array_equal(masks, before)


def test_what_is_ignored_weighs_nothing_and_is_no_object(kind):
    mask = discs(5, seed=8)
    void = mask.copy()
    void[:10] = 255
    found = MAPS[kind](void, ignore=255, share=0.3)
    assert (found[:10] == 0).all()
    assert (found[10:] != MAPS[kind](void, share=0.3)[10:]).any()
    plain = np.where(void == 255, 0, void)
    assert np.array_equal(MAPS[kind](void, ignore=255, w0=1.0)[10:], MAPS[kind](plain, w0=1.0)[10:])
    floor = MAPS[kind](void, ignore=255, w0=0.0)
    assert (found - floor).sum() / found.sum() == pytest.approx(0.3, abs=1e-5)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"w0": -1}, "w0 must be a number from 0, got -1"),
        ({"share": 1.0}, r"share must be in \[0, 1\)"),
        ({"base": float("nan")}, "base must be a number from 0, got nan"),
    ],
)
def test_numbers_out_of_range_are_named(kind, options, words):
    with pytest.raises(ValueError, match=words):
        MAPS[kind](MASKS["two"], **options)


@pytest.mark.parametrize(
    ("mask", "options", "words"),
    [
        (np.zeros((2, 2)), {}, "labels, so integers or booleans; got float64"),
        ([[0, 1]], {}, "a numpy array or a torch tensor, got list"),
        (np.zeros(4, int), {}, r"a 2-D image or a 3-D volume of labels, got shape \[4\]"),
        (np.zeros((1, 2, 3, 4), int), {}, "Pass batch=True if the first axis counts images"),
        (np.array([[0, -100]]), {}, r"got -100. Void pixels\? pass ignore=-100"),
        (np.zeros((2, 2), int), {"batch": True}, "a batch of a 2-D image or a 3-D volume"),
    ],
)
def test_masks_that_are_none_are_named(kind, mask, options, words):
    with pytest.raises(ValueError, match=words):
        MAPS[kind](mask, **options)


def test_other_arguments_are_named_too():
    mask = MASKS["two"]
    for call, words in (
        (lambda: spatial.distance(mask, kind="far"), "kind must be one of truncated, inverted, growing, got 'far'"),
        (lambda: spatial.contour(mask, kind="x"), "kind must be one of band, local, got 'x'"),
        (lambda: spatial.border(mask, sigma=0), "sigma must be a number above 0, got 0"),
        (lambda: spatial.border(mask, spacing=(1, 2, 3)), "spacing must be 2 positive numbers"),
        (lambda: spatial.border(mask, spacing=(1, 0)), "spacing must be 2 positive numbers"),
        (lambda: spatial.border(mask, base=0, share=0.5), "the rest of the image needs some weight, but base is 0"),
        (lambda: spatial.objects(mask, connectivity=3), "connectivity must be from 1 to 2, got 3"),
        (lambda: spatial.shares(np.ones((2, 2)), mask), "must have the same shape"),
    ):
        with pytest.raises(ValueError, match=words):
            call()


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


def test_a_map_is_the_weight_of_a_call():
    mask = torch.from_numpy(np.stack([discs(5, seed=8), MASKS["many"]]))
    z, y = torch.randn(2, 2, 96, 96), (mask > 0).long()
    w = spatial.border(mask, share=0.3, batch=True)
    each = torch.nn.functional.cross_entropy(z, y, reduction="none")
    torch.testing.assert_close(sy.CrossEntropy()(z, y, weight=w), (each * w).mean(), rtol=1e-5, atol=0)
