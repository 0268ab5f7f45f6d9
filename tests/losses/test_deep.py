"""The loss of every level, weighed; targets follow by nearest neighbour."""

import pytest
import torch
from torch.nn import functional as F

import steelyard as sy
from steelyard.losses.deep import nearest

GENERATOR = torch.Generator().manual_seed(0)
LEVELS = [torch.randn(2, 3, s, s + 4, generator=GENERATOR, dtype=torch.float64) for s in (16, 8, 4)]
LABELS = torch.randint(-1, 3, (2, 16, 20), generator=GENERATOR)
WEIGHTS = (4 / 7, 2 / 7, 1 / 7)


def made(**options):
    recipe = sy.mix(sy.fixed(weight=[1.0, 2.0, 5.0]), sy.focal(gamma=1.0))
    ce = sy.CrossEntropy(recipe, ignore_index=-1, **options)
    return sy.Sum(ce=ce, size=(0.1, sy.Region(lambda p, t: (p * t).mean(), ignore_index=-1)))


def test_it_is_the_weighted_sum_of_the_levels():
    loss = made()
    small = [F.interpolate(LABELS[:, None].float(), z.shape[2:], mode="nearest-exact")[:, 0].long() for z in LEVELS]
    expected = sum(w * loss(z, y) for w, z, y in zip(WEIGHTS, LEVELS, small, strict=True))
    deep = sy.DeepSupervision(loss, WEIGHTS)
    torch.testing.assert_close(deep(LEVELS, LABELS), expected)
    torch.testing.assert_close(deep(LEVELS, small), expected)
    torch.testing.assert_close(
        deep(LEVELS, [y[:, None].float() for y in small]), expected
    )  # as nnU-Net hands them over
    torch.testing.assert_close(deep(LEVELS[0], LABELS), loss(LEVELS[0], LABELS))
    torch.testing.assert_close(sy.DeepSupervision(loss, (1, 0, 0))(LEVELS, LABELS), loss(LEVELS[0], LABELS))


def test_a_map_of_weights_follows_the_levels():
    loss = sy.CrossEntropy(ignore_index=-1)
    w = torch.rand(2, 16, 20, generator=GENERATOR, dtype=torch.float64)
    parts = [loss(z, nearest(LABELS, z), weight=nearest(w, z)) for z in LEVELS]
    found = sy.DeepSupervision(loss, WEIGHTS)(LEVELS, LABELS, weight=w)
    torch.testing.assert_close(found, sum(a * p for a, p in zip(WEIGHTS, parts, strict=True)))
    by_item = torch.tensor([1.0, 0.0])
    parts = [loss(z[:1], nearest(LABELS, z)[:1]) for z in LEVELS]
    found = sy.DeepSupervision(loss, WEIGHTS)(LEVELS, LABELS, weight=by_item)
    torch.testing.assert_close(found, sum(a * p for a, p in zip(WEIGHTS, parts, strict=True)))


def test_micro_batches_add_up_with_a_normalizer_per_level():
    loss = sy.CrossEntropy(sy.fixed(weight=[1.0, 2.0, 5.0], norm="mass"), ignore_index=-1)
    deep = sy.DeepSupervision(loss, WEIGHTS)
    z = [sy.global_mass([nearest(LABELS[i : i + 1], level) for i in range(2)], loss) for level in LEVELS]
    parts = [deep([level[i : i + 1] for level in LEVELS], LABELS[i : i + 1], normalizer=z) for i in range(2)]
    torch.testing.assert_close(sum(parts), deep(LEVELS, LABELS))
    with pytest.raises(ValueError, match="normalizer must be a list"):
        deep(LEVELS, LABELS, normalizer=3.0)
    with sy.accumulate(deep, LABELS), pytest.raises(ValueError, match="knows the pixels of full resolution only"):
        deep(LEVELS, LABELS)


def test_what_does_not_fit_is_named():
    with pytest.raises(ValueError, match="3 weights but 2 logits"):
        sy.DeepSupervision(made(), WEIGHTS)(LEVELS[:2], LABELS)
    with pytest.raises(ValueError, match="finite numbers, one per level"):
        sy.DeepSupervision(made(), [])
    with pytest.raises(TypeError, match="takes a callable"):
        sy.DeepSupervision(sy.focal(), WEIGHTS)
