"""When a study stops early."""

import signal
import subprocess
import sys
import time

import pytest

from steelyard.tuning.stop import PATIENCE, Stop, seconds


@pytest.mark.parametrize(
    ("text", "value"),
    [("90", 90), ("90s", 90), ("10m", 600), ("1h30m", 5400), ("0.5h", 1800), (" 2 m ", 120), ("1d", 86400)],
)
def test_a_budget_is_a_time(text, value):
    assert seconds(text) == value


@pytest.mark.parametrize("text", ["", "m", "ten", "-5m", "0", "0m", "5x", "1 30", "1.5.2m"])
def test_what_is_no_time_is_refused_with_examples(text):
    with pytest.raises(ValueError, match=r"such as 90s, 10m or 1h30m|more than no time"):
        seconds(text)


def test_without_a_budget_nothing_stops():
    stop = Stop()
    assert not stop()
    assert stop.why is None


def test_a_spent_budget_stops_and_says_so():
    stop = Stop(0.01)
    assert stop.until < time.monotonic() + 0.01  # some is left for what comes after the fits
    time.sleep(0.02)
    assert stop()
    assert stop.why == "budget"


def test_statistics_have_a_part_of_the_budget_and_after_a_signal_seconds(interruptible):
    assert not Stop().hurry()
    assert not Stop(100).hurry()
    spent = Stop(0.01)
    time.sleep(0.02)
    assert spent.hurry()
    stop = Stop()
    with stop.listening():
        signal.raise_signal(signal.SIGTERM)
    assert not stop.hurry()
    assert 0 < stop.answer_until - time.monotonic() <= PATIENCE
    short = Stop(1)
    with short.listening():
        signal.raise_signal(signal.SIGTERM)
    assert short.answer_until < time.monotonic() + 1


def test_what_does_not_fit_into_the_time_is_not_started_and_ends_it():
    stop = Stop(100)
    assert stop.room(1)
    assert not stop()
    assert not stop.room(101)
    assert (stop(), stop.why) == (True, "budget")
    assert Stop().room(1e9)


@pytest.fixture
def interruptible():
    """A shell starts background jobs with Ctrl-C ignored; here it is Python's own."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    ended = signal.signal(signal.SIGTERM, signal.SIG_DFL)  # Ray leaves a handler of its own
    yield
    signal.signal(signal.SIGINT, before)
    signal.signal(signal.SIGTERM, ended)


def test_ctrl_c_asks_to_stop_and_a_second_one_insists(interruptible):
    stop = Stop()
    with stop.listening():
        signal.raise_signal(signal.SIGINT)
        assert stop.why == "interrupted"
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_sigterm_asks_as_well_and_a_second_one_ends_the_process():
    program = (
        "import signal; from steelyard.tuning.stop import Stop; stop = Stop()\n"
        "with stop.listening():\n"
        "    signal.raise_signal(signal.SIGTERM); print(stop.why, flush=True); signal.raise_signal(signal.SIGTERM); print('still here')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout.split()) == (-signal.SIGTERM, ["terminated"])


def test_a_handler_of_the_programs_own_is_called_each_time(interruptible):
    heard = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: heard.append(number))
    try:
        stop = Stop()
        with stop.listening():
            signal.raise_signal(signal.SIGTERM)
            signal.raise_signal(signal.SIGTERM)
        assert (stop.why, heard) == ("terminated", [signal.SIGTERM] * 2)
    finally:
        signal.signal(signal.SIGTERM, before)


def test_fits_end_early_enough_for_what_comes_after_them():
    stop = Stop(100)
    first = stop.until
    stop.needs(10)
    assert stop.until == first  # less than what is left anyway
    stop.needs(60)
    assert stop.until == pytest.approx(stop.end - 60)
    stop.needs(50)
    assert stop.until == pytest.approx(stop.end - 60)
    free = Stop()
    free.needs(60)
    assert not free()
