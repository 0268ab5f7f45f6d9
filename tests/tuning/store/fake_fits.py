"""A program that fits fake parts of a study and says in a log what it did; test_store.py starts it.

work URL FOLDER PARTS   two processes fit them
kill URL FOLDER TIMES   processes, two at a time now and then, are killed (-9) at random moments while they fit
"""

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

import numpy as np

import steelyard.tuning.store.database  # noqa: F401  # once, before the forks
from steelyard.tuning import engine
from steelyard.tuning.store import share
from steelyard.tuning.store.database import Database

TASK = {"format": 1, "rows": 7}
KEYS = (("plain", 1.0), ("inverse", 0.5))
SIZE = 2000


def log(folder: Path, *words: object) -> None:
    """One line in one write: it is there, whole, even if the process is killed right after."""
    file = os.open(folder / "log", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, (" ".join(map(str, words)) + "\n").encode())
    os.close(file)


def written(folder: Path) -> list[str]:
    return (folder / "log").read_text().splitlines() if (folder / "log").exists() else []


def wait_for(folder: Path, before: int, fits: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if sum(line.startswith("fit") for line in written(folder)[before:]) >= fits:
            return
        time.sleep(0.005)


def name(part: tuple[int, int]) -> str:
    return json.dumps(part, separators=(",", ":"))


def work(url: str, folder: Path, parts: list[tuple[int, int]], seconds: float) -> None:
    def fit(item):
        part, keys = item
        log(folder, "fit", name(part), os.getpid())
        time.sleep(seconds)
        return {key: {"scores": np.full(SIZE, part[1], np.float32)} for key in keys}

    share.PAUSE = 0.02
    with Database(url, TASK) as store:
        for part, found, new in share.share(store, [(part, KEYS) for part in parts], fit, engine.local, lambda: False):
            assert len(found) == len(KEYS)
            if new:
                log(folder, "saved", name(part))
            log(folder, "have", name(part))


def fork(url: str, folder: Path, parts: list[tuple[int, int]], seconds: float) -> int:
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work(url, folder, parts, seconds)
            code = 0
        finally:
            os._exit(code)
    return pid


def finished(url: str, parts: list[tuple[int, int]]) -> set[str]:
    with Database(url, TASK) as store:
        found = {part: store.load(part, KEYS) for part in parts}
        for part, fits in found.items():
            assert len(fits) in (0, len(KEYS)), "a part is saved whole or not at all"
            assert all((fit["scores"] == part[1]).all() for fit in fits.values())
        return {name(part) for part, fits in found.items() if fits}


def kill(url: str, folder: Path, times: int) -> None:
    random.seed(7)
    parts = [(0, f) for f in range(100_000)]
    mine = 0
    done: set[str] = set()
    while mine < times:
        window = parts[: len(done) + 20]  # more than are fitted before the kill
        pids = []
        before = len(written(folder))
        for _ in range(min(times - mine, random.choice([1, 1, 2]))):
            pids.append(fork(url, folder, window, 0.002))
        wait_for(folder, before, fits=random.randint(0, 8))
        time.sleep(random.uniform(0.0, 0.04))
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        lines = [line.split() for line in written(folder)[before:]]
        for part in {words[1] for words in lines if words[0] == "fit"} & done:
            log(folder, "repeated", part)
        now = finished(url, window)
        for part in (done | {words[1] for words in lines if words[0] == "saved"}) - now:
            log(folder, "lost", part)
        done = now
        for _ in pids:
            log(folder, "killed", mine)
            mine += 1


if __name__ == "__main__":
    task, url, folder, count = sys.argv[1], sys.argv[2], Path(sys.argv[3]), int(sys.argv[4])
    if task == "work":
        pids = [fork(url, folder, [(0, f) for f in range(count)], 0.05) for _ in range(2)]
        sys.exit(max(os.waitpid(pid, 0)[1] for pid in pids))
    else:
        kill(url, folder, count)
