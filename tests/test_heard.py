"""Who hears a signal: the process that listens, and none that is forked from it."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from steelyard import heard

LISTENERS = {
    "alone": "from steelyard.heard import listening\nlistener = listening(lambda number, frame, before: print('heard', flush=True))",
    "a study": "from steelyard.tuning.stop import Stop\nlistener = Stop().listening()",
    "a command": "from steelyard.cli.signals import handled\nlistener = handled()",
    "a study in a command": (
        "import contextlib\nfrom steelyard.cli.signals import handled, patient\nfrom steelyard.tuning.stop import Stop\n"
        "@contextlib.contextmanager\n"
        "def both():\n    with handled(), patient(), Stop().listening():\n        yield\nlistener = both()"
    ),
}
FORKED = """
import multiprocessing, os, signal, time
SETUP
def work(ready):
    ready.put(os.getpid())
    time.sleep(60)
if __name__ == "__main__":
    many = multiprocessing.get_context("fork")
    with listener:
        ready = many.Queue()
        for number in (signal.SIGTERM,):
            child = many.Process(target=work, args=(ready,))
            child.start()
            os.kill(ready.get(), number)
            child.join(10)
            print(child.exitcode, flush=True)
            child.kill()
        with many.Pool(2) as pool:
            print(pool.map(abs, [-1, -2]), flush=True)
    print("ended")
"""


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="this system has no fork")
@pytest.mark.parametrize("setup", LISTENERS)
def test_a_forked_child_hears_what_it_did_before(setup):
    """A pool ends its workers by SIGTERM, and waits for them: a handler that swallows it never comes back."""
    program = FORKED.replace("SETUP", LISTENERS[setup])
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["-15", "[1, 2]", "ended"]
    assert "stopping" not in done.stderr


AT_BIRTH = """
import os, signal, time
from steelyard import heard
born = []
with heard.listening(lambda *_: None):
    for _ in range(50):
        child = os.fork()
        if not child:
            time.sleep(3)
            os._exit(0)
        os.kill(child, signal.SIGTERM)
        born.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
print(sorted(set(born)))
"""


def test_a_signal_that_meets_a_child_at_its_birth_is_not_lost():
    """Sent before the child has its handlers back: a pool that ends at once does that, and waits. In a process of its own, which
    is small, so that a fork is quick."""
    done = subprocess.run([sys.executable, "-c", AT_BIRTH], capture_output=True, text=True, timeout=120)
    assert done.stdout == "[-15]\n", done.stderr


def test_what_a_thread_had_blocked_it_has_blocked_after_a_fork():
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    try:
        with heard.listening(lambda *_: None):
            child = os.fork()
            blocked = signal.pthread_sigmask(signal.SIG_BLOCK, []) & {signal.SIGUSR1, *heard.SIGNALS}
            if not child:
                os._exit(blocked == {signal.SIGUSR1})
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1
            assert blocked == {signal.SIGUSR1}
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGUSR1])


def test_the_process_that_listens_hears_and_gets_its_handlers_back():
    numbers = []
    before = {number: signal.getsignal(number) for number in heard.SIGNALS}
    with heard.listening(lambda number, frame, handler: numbers.append((number, handler))):
        for number in heard.SIGNALS:
            signal.raise_signal(number)
    assert numbers == list(before.items())
    assert {number: signal.getsignal(number) for number in heard.SIGNALS} == before


def test_another_thread_is_let_alone():
    before = signal.getsignal(signal.SIGTERM)
    seen = []

    def listen():
        with heard.listening(lambda *_: None):
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=listen)
    thread.start()
    thread.join()
    assert seen == [before]


def test_a_child_of_a_child_and_one_that_leaves_the_block_hear_what_they_did_before():
    """Leaving the block in the child must not bring back a handler of the parent's."""
    with heard.listening(lambda *_: None):
        outer = signal.getsignal(signal.SIGINT)
        try:
            with heard.listening(lambda *_: None):
                child = os.fork()
                if not child:
                    raise RuntimeError
        except RuntimeError:
            grandchild = os.fork()
            if not grandchild:
                os._exit(signal.getsignal(signal.SIGINT) is outer)
            os._exit(
                os.waitstatus_to_exitcode(os.waitpid(grandchild, 0)[1]) or signal.getsignal(signal.SIGINT) is outer
            )
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert signal.getsignal(signal.SIGINT) is outer


def test_an_ignored_signal_stays_ignored_in_the_child():
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with heard.listening(lambda *_: None):
            child = os.fork()
            if not child:
                signal.raise_signal(signal.SIGTERM)
                time.sleep(0.05)
                os._exit(7)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    finally:
        signal.signal(signal.SIGTERM, before)
