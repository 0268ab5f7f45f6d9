"""Ctrl-C and SIGTERM: in good order the first time, at once the second."""

import signal
import subprocess
import sys
import threading

import pytest

from steelyard.cli import signals

WAITING = """
import signal, sys, time
from steelyard.cli import signals
with signals.handled():
    try:
        BODY
    except (KeyboardInterrupt, SystemExit) as end:
        print(type(end).__name__, flush=True)
        time.sleep(60)
"""


def ended(body: str, *sent: int) -> tuple[int, str, str]:
    """The exit code and the output of a program that is sent these signals, each once it is ready for it."""
    program = WAITING.replace("BODY", body.replace("\n", "\n        "))
    pipe = subprocess.PIPE
    process = subprocess.Popen([sys.executable, "-c", program], stdout=pipe, stderr=pipe, text=True)
    lines = []
    for number in sent:
        lines.append(process.stdout.readline())
        process.send_signal(number)
    out, err = process.communicate(timeout=60)
    return process.returncode, "".join([*lines, out]), err


@pytest.mark.parametrize("second", signals.SIGNALS)
@pytest.mark.parametrize(("first", "raised"), [(signal.SIGINT, "KeyboardInterrupt"), (signal.SIGTERM, "SystemExit")])
def test_the_first_ends_in_order_and_the_second_at_once(first, raised, second):
    code, out, _ = ended("print('ready', flush=True)\ntime.sleep(60)", first, second)
    assert (code, out.split()) == (128 + second, ["ready", raised])


@pytest.mark.parametrize("number", signals.SIGNALS)
def test_where_a_study_listens_the_first_is_said_and_left_to_it(number):
    body = "with signals.patient():\n    print('ready', flush=True)\n    time.sleep(2)\n    print('went on', flush=True)\n    time.sleep(60)"
    code, out, err = ended(body, number, number)
    assert (code, out.split("\n")[:2]) == (128 + number, ["ready", "went on"])
    assert "stopping: what is done will be reported" in err


def test_the_handlers_before_come_back():
    before = [signal.getsignal(number) for number in signals.SIGNALS]
    with signals.handled():
        assert [signal.getsignal(number) for number in signals.SIGNALS] != before
    assert [signal.getsignal(number) for number in signals.SIGNALS] == before
    thread = threading.Thread(target=lambda: signals.handled().__enter__())  # hears none, and is let alone
    thread.start()
    thread.join()
    assert [signal.getsignal(number) for number in signals.SIGNALS] == before


@pytest.mark.parametrize(("arguments", "code"), [(["--version"], 0), (["--no-such"], 2)])
def test_a_program_does_what_was_left_for_its_end_and_says_its_code(arguments, code):
    script = "import atexit; atexit.register(print, 'at the end'); from steelyard.cli import program; program()"
    done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == code
    assert done.stdout.splitlines()[-1] == "at the end"
