"""Pictures of shapes: objects as they are numbered, some that touch and some that do not, brighter than what is around them."""

import numpy as np
from benchmarks.shapes import picture, pictures

import steelyard as sy


def test_the_same_seed_draws_the_same_pictures_and_another_others():
    one, again, other = pictures(0, 2), pictures(0, 2), pictures(1, 2)
    assert (one[1].grey == again[1].grey).all()
    assert (one[1].instances != other[1].instances).any()


def test_every_object_is_in_one_piece_or_cut_by_one_that_lies_on_it():
    for p in pictures(2, 20):
        names = np.unique(p.instances)[1:]
        pieces = [int(sy.spatial.objects(p.instances == k).max()) for k in names]
        assert 2 <= len(names) <= 5
        assert np.mean(np.array(pieces) == 1) > 0.7


def test_touching_is_by_the_share_that_was_asked_for():
    def touching(share):
        rng = np.random.default_rng(3)
        drawn = [picture(rng, touching=share).instances for _ in range(30)]
        return np.mean([sy.spatial.objects(d > 0).max() < len(np.unique(d)) - 1 for d in drawn])

    assert touching(0.0) == 0
    assert touching(0.9) > 0.9


def test_objects_are_brighter_than_the_background_but_a_cut_does_not_find_them():
    drawn = pictures(4, 20)
    grey, mask = np.stack([p.grey for p in drawn]), np.stack([p.instances for p in drawn]) > 0
    assert grey[mask].mean() > 3 * abs(grey[~mask].mean())
    best = max(2 * (m := (grey > t) & mask).sum() / ((grey > t).sum() + mask.sum()) for t in np.linspace(0.1, 0.8, 15))
    assert m.any()
    assert best < 0.85  # nets reach 0.9
