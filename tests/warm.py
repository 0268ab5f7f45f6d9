"""Commands as children of one process that has imported everything: a start costs some milliseconds instead of two or three seconds.

    process = start("tune", "t.csv", "--label", "y", stdout=subprocess.PIPE)

What runs is what `python -m steelyard` runs, in a process of its own: it has its own arguments, environment, folder, limits and streams, hears
signals, and ends as it ends. What it does not prove is that the imports themselves work there, and how an interpreter starts: tests of that
start Python. The process that is forked has imported the modules below and done nothing else: it has one thread.
"""

import atexit
import contextlib
import functools
import gc
import importlib
import io
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import IO, Any

MODULES = (
    "torch", "pandas", "pyarrow.csv", "pyarrow.compute", "scipy.optimize", "scipy.stats", "sklearn.preprocessing", "sklearn.model_selection",
    "imblearn.over_sampling", "lightgbm", "psycopg", "altair", "jinja2", "optuna", "steelyard.cli.app", "steelyard.cli.tune",
    "steelyard.cli.report", "steelyard.report", "steelyard.report.pictures", "steelyard.tuning.study",
)  # fmt: skip
PIPE, DEVNULL = subprocess.PIPE, subprocess.DEVNULL
Limit = tuple[int, int]  # a kind of the module `resource`, and the most of it


class Command:
    """A running command, as subprocess.Popen has it. `peak` is the most memory it held, in bytes, once it has ended."""

    def __init__(self, asked: dict[str, Any], given: list[int], ours: list[IO[bytes] | None]) -> None:
        self.stdin, self.stdout, self.stderr = ours
        self.returncode: int | None = None
        self.peak = 0
        self._line = socket.socket(socket.AF_UNIX)
        self._line.connect(_server())
        text = json.dumps(asked).encode()
        socket.send_fds(self._line, [len(text).to_bytes(8, "little")], given)
        self._line.sendall(text)
        self._said = self._line.makefile("r")
        self.pid = int(self._said.readline())

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def poll(self) -> int | None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            if not select.select([self._line], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("steelyard", timeout or 0)
            status, self.peak = map(int, self._said.readline().split())
            self.returncode = os.waitstatus_to_exitcode(status)
            self._said.close()
            self._line.close()
        return self.returncode

    def communicate(self, timeout: float | None = None) -> tuple[bytes | None, bytes | None]:
        """(stdout, stderr), once both have ended. What takes longer is killed."""
        until = None if timeout is None else time.monotonic() + timeout
        if self.stdin is not None:
            self.stdin.close()
        pipes = [pipe for pipe in (self.stdout, self.stderr) if pipe is not None]
        said: dict[IO[bytes], bytes] = {}
        readers = [threading.Thread(target=lambda p=pipe: said.__setitem__(p, p.read())) for pipe in pipes]
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join(None if until is None else max(0.0, until - time.monotonic()))
        try:
            self.wait(None if until is None else max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.kill()
            self.wait(60)
            raise
        finally:
            for reader in readers:
                reader.join()
            for pipe in pipes:
                pipe.close()
        out, err = (said.get(pipe) if pipe is not None else None for pipe in (self.stdout, self.stderr))
        return out, err


def start(
    *arguments: Any,
    program: str = "",
    stdin: Any = None,
    stdout: Any = None,
    stderr: Any = None,
    closed: tuple[int, ...] = (),
    environment: dict[str, str] | None = None,
    cwd: Path | None = None,
    limits: tuple[Limit, ...] = (),
    ignored: tuple[int, ...] = (),
    session: bool = False,
) -> Command:
    """`steelyard` with these arguments, or `python -c program`.

    stdin, stdout, stderr  None (the caller's), PIPE, DEVNULL, or an open file
    closed                 numbers of streams that are closed, as by `>&-`
    limits, ignored        set before it starts, as by `ulimit` and `trap ''`
    session                it leads a session, and so a group, of its own
    """
    given, ours, made = [], [], []
    for number, stream in enumerate((stdin, stdout, stderr)):
        mine: IO[bytes] | None = None
        if stream is None:
            given.append(os.open(os.devnull, os.O_RDONLY) if number == 0 else os.dup(number))
        elif stream == DEVNULL:
            given.append(os.open(os.devnull, os.O_RDONLY if number == 0 else os.O_WRONLY))
        elif stream == PIPE:
            read, write = os.pipe()
            given.append(read if number == 0 else write)
            mine = open(write, "wb") if number == 0 else open(read, "rb")  # noqa: SIM115
        else:
            given.append(os.dup(stream if isinstance(stream, int) else stream.fileno()))
        ours.append(mine)
    made = list(given)
    asked = {
        "arguments": [*map(str, arguments)],
        "program": program,
        "closed": closed,
        "environment": dict(os.environ) if environment is None else environment,
        "cwd": str(cwd or Path.cwd()),
        "limits": limits,
        "ignored": ignored,
        "session": session,
    }
    try:
        return Command(asked, given, ours)
    finally:
        for one in made:
            os.close(one)


def run(*arguments: Any, timeout: float = 300, **options: Any) -> subprocess.CompletedProcess:
    """To its end, as subprocess.run(capture_output=True, text=True) has it."""
    process = start(*arguments, **{"stdout": PIPE, "stderr": PIPE, **options})
    out, err = process.communicate(timeout)
    assert process.returncode is not None
    return subprocess.CompletedProcess(
        [*map(str, arguments)], process.returncode, (out or b"").decode(), (err or b"").decode()
    )


@functools.cache
def _server() -> str:
    """Where it listens; one for all tests of this process, and it ends with it."""
    place = tempfile.TemporaryDirectory(prefix="steelyard-warm-")
    path = os.path.join(place.name, "socket")
    # Arrow's jemalloc would keep a thread to give memory back
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "JE_ARROW_MALLOC_CONF": "background_thread:false"}
    process = subprocess.Popen(
        [sys.executable, __file__, path], stdin=PIPE, stdout=PIPE, env=environment, start_new_session=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n", "the process to be forked did not start"
    process.stdout.close()

    def end() -> None:
        process.stdin.close()
        process.wait(60)
        place.cleanup()

    atexit.register(end)
    return path


# -- the other side ----------------------------------------------------------------------------------------------------


def serve(path: str) -> None:
    for name in MODULES:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    assert len(os.listdir("/proc/self/task")) == 1, "an import started a thread, which no fork has"
    gc.collect()
    gc.freeze()  # else the children's collections copy every page
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(64)
    os.write(1, b"ready\n")
    running: dict[
        int, tuple[int, socket.socket]
    ] = {}  # by a descriptor of the process, which is ready when that has ended
    while True:
        ready = select.select([listener, 0, *running], [], [])[0]
        for ended in running.keys() & set(ready):
            child, line = running.pop(ended)
            os.close(ended)
            _, status, used = os.wait4(child, 0)
            with contextlib.suppress(OSError):  # nobody waits for it
                line.sendall(f"{status} {used.ru_maxrss * 1024}\n".encode())
            line.close()
        if listener in ready:
            line, _ = listener.accept()
            child = fork(line, listener, running)
            running[os.pidfd_open(child)] = child, line
            line.sendall(f"{child}\n".encode())
        if 0 in ready:  # whoever started this has ended
            return


def fork(line: socket.socket, listener: socket.socket, running: dict[int, tuple[int, socket.socket]]) -> int:
    """The number of a new process, which becomes what is asked for."""
    size, given, _, _ = socket.recv_fds(line, 8, 3)
    text, left = b"", int.from_bytes(size, "little")
    while len(text) < left:
        text += line.recv(left - len(text))
    child = os.fork()
    if not child:
        for one in (line, listener, *(other for _, other in running.values())):
            one.close()
        for one in running:
            os.close(one)
        become(json.loads(text), given)
    for one in given:
        os.close(one)
    return child


def become(asked: dict[str, Any], given: list[int]) -> None:
    """The command, in this process, with the streams that a new interpreter makes."""
    code = 1
    try:
        if asked["session"]:
            os.setsid()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for number in asked["ignored"]:
            signal.signal(number, signal.SIG_IGN)
        for number, stream in enumerate(given):
            os.dup2(stream, number)
            os.close(stream)
        os.environ.clear()
        os.environ.update(asked["environment"])
        os.chdir(asked["cwd"])
        unbuffered = bool(os.environ.get("PYTHONUNBUFFERED"))
        for number, name in enumerate(("stdin", "stdout", "stderr")):
            stream = None
            if number in asked["closed"]:
                os.close(number)
            elif number == 0:
                stream = open(0, encoding="utf-8", errors=sys.stdin.errors, closefd=False)  # noqa: SIM115
            else:
                buffer: Any = open(number, "wb", 0 if unbuffered else -1, closefd=False)  # noqa: SIM115
                errors = getattr(sys, name).errors  # as this interpreter found its locale
                live = not unbuffered and (number == 2 or os.isatty(number))
                stream = io.TextIOWrapper(buffer, "utf-8", errors, line_buffering=live, write_through=unbuffered)
            setattr(sys, name, stream)
            setattr(sys, f"__{name}__", stream)
        for kind, most in asked["limits"]:
            import resource

            resource.setrlimit(kind, (most, most))
        if asked["program"]:
            sys.argv = ["-c", *asked["arguments"]]
            exec(compile(asked["program"], "<string>", "exec"), {"__name__": "__main__"})
            code = 0
        else:
            import steelyard.__main__
            from steelyard.cli import program

            sys.argv = [steelyard.__main__.__file__, *asked["arguments"]]
            program()  # which ends this process
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1 if end.code else 0
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError, AttributeError):
                stream.flush()
        os._exit(code)


if __name__ == "__main__":
    serve(sys.argv[1])
