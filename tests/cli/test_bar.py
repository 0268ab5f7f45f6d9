"""What the bar says while a study runs."""

from types import SimpleNamespace

import pytest

from steelyard.cli import signals
from steelyard.cli.bar import STOPPING, Bar, Pace, bar


def test_the_time_left_counts_only_fits_that_were_made():
    clock = SimpleNamespace(now=0.0)
    pace = Pace(lambda: clock.now)
    pace.update(600, 1000)  # these were there
    assert pace.left is None
    clock.now = 10.0
    pace.update(700, 1000)
    assert pace.left == pytest.approx(30.0)
    assert str(pace) == "about 0:30 left"
    pace.update(700, 38000)
    assert str(pace) == "about 1:02:10 left"


def test_a_signal_shows_in_the_bar_and_so_does_what_comes_after_the_fits(monkeypatch):
    seen = []
    one = Bar(SimpleNamespace(update=lambda task, **how: seen.append(how)), 0)
    one.fits(3, 10)
    assert (one.says(), seen[-1]) == ("fitting", {"completed": 3, "total": 10})
    one.stage("bootstrap")
    assert (one.says(), one.left(), seen[-1]) == ("bootstrap", "", {"total": None})
    monkeypatch.setattr(signals, "heard", lambda: True)
    assert one.says() == f"{STOPPING} (bootstrap)"


def test_without_a_terminal_nothing_is_written(capfd):
    with bar() as one:
        one.fits(1, 2)
        one.stage("page")
    assert capfd.readouterr() == ("", "")
