"""The order of fits, and what of a study that was stopped is whole."""

import numpy as np
import pytest

from steelyard.tuning import order
from steelyard.tuning.arms import Arm, plain, usual
from steelyard.tuning.baselines import inverse_frequency


def test_every_arm_has_one_turn_and_kinds_take_them_by_turns():
    arms = [*usual(), Arm("SMOTE", inverse_frequency, resample="SMOTE")]
    turns = order.turns(arms)
    assert sorted(turns) == list(range(len(arms)))
    assert (turns[0], turns[-1]) == (0, len(arms) - 1)
    kinds = [arms[j].name.split("(")[0] for j in turns[1:5]]
    assert len(set(kinds)) == 4
    assert order.turns([plain()]) == [0]


@pytest.mark.parametrize("n", range(1, 9))
def test_a_coarse_grid_holds_the_default_and_half_of_the_others(n):
    settings = tuple(10.0**k for k in range(n))
    for default in settings:
        few = order.coarse(settings, default)
        assert default in few
        assert n // 2 <= len(few) <= n // 2 + 1


def stopped(*sets, arms=4, settings=3, repetitions=2, folds=5):
    """Nothing done but these (arm, setting, repetition)."""
    done = np.zeros((arms, settings, repetitions, folds), dtype=bool)
    for at in sets:
        done[at] = True
    return done


NONE, LAST = np.zeros(4, dtype=bool), np.arange(4) == 3


def test_whole_repetitions_count_and_nothing_beside_them():
    done = np.ones((4, 3, 2, 5), dtype=bool)
    assert order.whole(done, NONE) == ([0, 1, 2, 3], [0, 1, 2], [0, 1])
    done[2, 1, 1, 4] = False
    assert order.whole(done, NONE) == ([0, 1, 2, 3], [0, 1, 2], [0])


def test_below_a_repetition_all_that_is_compared_has_the_same_settings():
    done = stopped((0, slice(None), 0), (1, slice(None), 0), (2, 1, 0))
    assert order.whole(done, NONE) == ([0, 1, 2], [1], [0])
    done[2, 2, 0] = True
    assert order.whole(done, NONE) == ([0, 1, 2], [1, 2], [0])
    done[3, 1, 0] = True  # shown beside: it does not cost the others a setting
    assert order.whole(done, LAST) == ([0, 1, 2], [1, 2], [0])
    done[3, 2, 0] = True
    assert order.whole(done, LAST) == ([0, 1, 2, 3], [1, 2], [0])


def test_plain_stands_alone_and_without_it_there_is_nothing():
    assert order.whole(stopped((0, 1, 1)), NONE) == ([0], [1], [1])
    assert order.whole(stopped((1, 1, 0), (2, 1, 0)), NONE) is None
    done = stopped((0, 1, 0))
    done[0, 1, 0, 3] = False
    assert order.whole(done, NONE) is None


def test_what_is_kept_is_whole_and_as_much_as_there_is():
    random = np.random.default_rng(0)
    for _ in range(200):
        done = random.random((4, 3, 2, 2)) < random.choice([0.6, 0.8, 0.95])
        kept = order.whole(done, LAST)
        if kept is None:
            assert not done[0].all(axis=-1).any()
            continue
        arms, settings, repetitions = kept
        assert arms[0] == 0
        assert done[np.ix_(arms, settings, repetitions)].all()
        assert settings
        assert repetitions
