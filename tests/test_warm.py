"""A forked command is a command: arguments, environment, folder, streams, limits, signals and codes are those of a process of its own."""

import os
import signal
import subprocess
import sys
import time

import pytest
from tests import warm

resource = pytest.importorskip("resource")

TOLD = """
import json, os, resource, signal, sys
said = {
    "arguments": sys.argv[1:], "folder": os.getcwd(), "environment": os.environ.get("STEELYARD_TOLD"), "read": sys.stdin.read(),
    "encodings": [s.encoding for s in (sys.stdin, sys.stdout, sys.stderr)], "errors": [s.errors for s in (sys.stdout, sys.stderr)],
    "buffered": [(s.line_buffering, s.write_through) for s in (sys.stdout, sys.stderr)],
    "files": resource.getrlimit(resource.RLIMIT_NOFILE)[0], "int": str(signal.getsignal(signal.SIGINT)),
    "pipe": str(signal.getsignal(signal.SIGPIPE)), "child": str(signal.getsignal(signal.SIGCHLD)), "open": len(os.listdir("/proc/self/fd")),
}
print(json.dumps(said))
sys.exit(7)
"""


def _limited() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a shell that runs the tests in the background has it ignored


def test_a_program_is_told_what_a_new_interpreter_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("STEELYARD_TOLD", "é")
    for unbuffered in ("1", ""):
        monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
        new = subprocess.run(
            [sys.executable, "-c", TOLD, "a", "ü"],
            cwd=tmp_path,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            text=True,
            preexec_fn=_limited,
        )
        forked = warm.run("a", "ü", program=TOLD, cwd=tmp_path, limits=((resource.RLIMIT_NOFILE, 100),))
        assert (forked.returncode, forked.stdout, forked.stderr) == (7, new.stdout, new.stderr)


def test_commands_end_as_commands_do(tmp_path):
    for arguments, code in ((["--version"], 0), (["count", tmp_path / "none.csv", "--label", "y"], 2)):
        new = subprocess.run([sys.executable, "-m", "steelyard", *map(str, arguments)], capture_output=True, text=True)
        forked = warm.run(*arguments)
        assert (forked.returncode, forked.stdout, forked.stderr) == (code, new.stdout, new.stderr)


def test_an_error_is_a_traceback_and_code_1():
    done = warm.run(program="import sys\nprint('é')\nraise KeyError('x')")
    assert (done.returncode, done.stdout) == (1, "é\n")
    assert done.stderr.endswith("KeyError: 'x'\n")


def test_signals_reach_it_and_it_may_be_killed():
    for number, code in ((signal.SIGTERM, -signal.SIGTERM), (signal.SIGKILL, -signal.SIGKILL), (signal.SIGINT, 1)):
        process = warm.start(program="print('up', flush=True); import time; time.sleep(60)", stdout=-1, stderr=-1)
        assert process.stdout.readline() == b"up\n"
        assert process.poll() is None
        process.send_signal(number)
        _, err = process.communicate(timeout=30)
        assert process.returncode == code
        assert (b"KeyboardInterrupt" in err) == (number == signal.SIGINT)
    process = warm.start(program="print('up', flush=True); import time; time.sleep(60)", stdout=-1, session=True)
    assert process.stdout.readline() == b"up\n"
    assert os.getpgid(process.pid) == process.pid
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=30)
    assert process.returncode == -signal.SIGKILL


def test_a_stream_may_be_closed_or_full():
    closed = "import os, sys; assert sys.stdout is None\ntry: os.fstat(1)\nexcept OSError: sys.exit(9)"
    assert warm.run(program=closed, stdout=None, closed=(1,)).returncode == 9
    with open("/dev/full", "wb") as full:
        assert warm.run("--version", stdout=full).returncode == 2


def test_what_takes_too_long_is_ended():
    process = warm.start(program="import time; time.sleep(60)", stdout=-1)
    began = time.monotonic()
    with pytest.raises(subprocess.TimeoutExpired):
        process.communicate(timeout=0.2)
    assert process.returncode == -signal.SIGKILL
    assert time.monotonic() - began < 30
