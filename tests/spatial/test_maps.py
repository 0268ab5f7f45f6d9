"""All maps keep the same manners. What each of them is has a test of its own.

Files: spatial/images.py, spatial/share.py.
"""

import numpy as np
import pytest
import torch
from tests.spatial.cells import MASKS, discs

import steelyard as sy
from steelyard import spatial

pytestmark = [
    pytest.mark.usefixtures("backend"),
    pytest.mark.filterwarnings("ignore:border. objects touch"),  # many of these masks are crowds
]


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


def test_a_map_is_the_weight_of_a_call():
    mask = torch.from_numpy(np.stack([discs(5, seed=8), MASKS["many"]]))
    z, y = torch.randn(2, 2, 96, 96), (mask > 0).long()
    w = spatial.border(mask, share=0.3, batch=True)
    each = torch.nn.functional.cross_entropy(z, y, reduction="none")
    torch.testing.assert_close(sy.CrossEntropy()(z, y, weight=w), (each * w).mean(), rtol=1e-5, atol=0)
