"""Files: plot/ranked.py."""

import numpy as np
import pytest

from steelyard.plot.panel import Axis, Line, Panel, brief, from_zero, named, percent, powers
from steelyard.plot.ranked import told


@pytest.mark.parametrize(("low", "high"), [(1e-4, 1.0), (0.3, 0.9), (2.0, 9e6), (0.02, 30.0)])
def test_ticks_of_a_logarithmic_axis_are_few_and_inside(low, high):
    ticks = powers(low, high)
    assert 1 <= len(ticks) <= 9
    assert all(low <= t <= high for t in ticks)
    assert list(ticks) == sorted(ticks)


@pytest.mark.parametrize("top", [0.5, 1, 7, 50, 999, 1e5, 1e9])
def test_ticks_from_zero_start_at_it(top):
    ticks = from_zero(top)
    assert ticks[0] == 0
    assert len(ticks) <= 8
    assert max(ticks) <= top


def test_numbers_are_written_out():
    assert [brief(v) for v in (0, 0.0316, 2.5, 10240, 1e-9)] == ["0", "0.0316", "2.5", "10,240", "1e-09"]
    assert percent(0.1234567) == "12.3 %"


def test_a_legend_has_each_name_once_and_no_nameless():
    lines = (Line("a", "best", [0], [0]), Line("", "best", [0], [0]), Line("a", "plain", [0], [0]))
    assert list(named(lines)) == ["a"]


def test_a_panel_grows_with_the_names_on_it():
    few, many = (Panel(Axis(), Axis(names=tuple(map(str, range(n)))), ()).size[1] for n in (3, 30))
    assert many == 10 * few


def test_of_a_ranking_the_first_the_middle_and_the_last_are_told():
    numbers = np.array([3.0, 9.0, 1.0, 5.0])
    words = told(list("abcd"), numbers, np.argsort(-numbers), ["3", "9", "1", "5"])
    assert [w.said[0] for w in words] == ["b: 9", "a: 3", "c: 1"]
    assert [w.x[0] for w in words] == [1, 3, 4]
