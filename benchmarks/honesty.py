"""python -m benchmarks honesty: how often the tuner, as it is, declares a winner, where there is one and where there is none.

Every study is one call of `steelyard.tune` with its defaults on a fresh table; only the number of bootstrap draws is smaller
by default (400 for 1,000), to save time. Answers are kept, one JSON line each, so that a run can be stopped and
taken up again, and nothing is lost where it is killed; results/honesty.json is made from all that are there. A row of an earlier
run (other tables, another metric, another model) stays, with the commit, the CPU and the packages that it was measured with.
"""

import argparse
import hashlib
import json
import multiprocessing
import os
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import steelyard

from . import measure
from .generators import GENERATORS
from .rates import summary, table
from .verdicts import Question, answer, metrics_of

TIMED = 50  # every so many repeats share nothing and are timed


def main(arguments: Sequence[str] | None = None) -> None:
    options = _parser().parse_args(arguments)
    names = options.generators.split(",") if options.generators else list(GENERATORS)
    if unknown := [n for n in names if n not in GENERATORS]:
        raise SystemExit(f"honesty: unknown generators {', '.join(unknown)}. Known: {', '.join(GENERATORS)}.")
    wanted = options.metrics.split(",") if options.metrics else None
    cache = Cache(Path(options.cache), f"{options.model}-{options.bootstrap}-{code()}")
    if not options.only_summary:
        questions = list(plan(names, wanted, options, cache))
        print(f"{len(questions)} studies to do; answers in {cache.path}", flush=True)
        for done, records in enumerate(answers(questions, options.processes), 1):
            cache.add(records)
            if done % 20 == 0 or done == len(questions):
                print(f"{done} of {len(questions)}", flush=True)
    about = {
        "model": options.model,
        "bootstrap": options.bootstrap,
        "commit": commit() or options.commit,
        "code": code(),
        "cpu": measure.cpu(),
        "packages": _packages(),
    }
    rows = [about | summary(found) for found in cache.groups(names, wanted)]
    print(publish("honesty", rows))
    print(table(rows))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks honesty", description=__doc__)
    parser.add_argument("--generators", default="", help=f"of {', '.join(GENERATORS)}; all unless given")
    parser.add_argument("--metrics", default="", help="of the metrics; all that fit unless given")
    parser.add_argument("--repeats", type=int, default=200, help="tables of each generator")
    parser.add_argument(
        "--truth", type=int, default=60, help="the first so many also fit on all rows and look at 200,000 unseen ones"
    )
    parser.add_argument("--bootstrap", type=int, default=400, help="draws of each study; tune's own default is 1000")
    parser.add_argument("--model", default="linear")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--cache", default=os.path.join(tempfile.gettempdir(), "steelyard-honesty"))
    parser.add_argument("--commit", help="what to write down as the commit where git does not know")
    parser.add_argument(
        "--only-summary", action="store_true", help="no studies; results from the answers that are there"
    )
    return parser


class Cache:
    """Answers as JSON lines in one file; a line that was cut off by an interruption is left out."""

    def __init__(self, folder: Path, name: str):
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / f"{name}.jsonl"
        self.records: dict[tuple[str, str, int], dict[str, Any]] = {}
        lines = self.path.read_text("utf-8").splitlines() if self.path.exists() else []
        for line in lines:
            try:
                record = json.loads(line)
            except json.JSONDecodeError:
                continue
            self.records[self._key(record)] = record
        if lines:  # so that the next line does not join a cut one
            self.path.write_text("".join(json.dumps(r) + "\n" for r in self.records.values()), "utf-8")

    def add(self, records: Iterable[dict[str, Any]]) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            for record in records:
                self.records[self._key(record)] = record
                file.write(json.dumps(record) + "\n")

    def missing(self, generator: str, repeat: int, metrics: Sequence[str]) -> tuple[str, ...]:
        return tuple(m for m in metrics if (generator, m, repeat) not in self.records)

    def groups(self, names: Sequence[str], wanted: Sequence[str] | None) -> Iterator[list[dict[str, Any]]]:
        """The records of each generator and metric, in the order of the repeats."""
        found = defaultdict(list)
        for key in sorted(self.records):
            found[key[:2]].append(self.records[key])
        for name in names:
            yield from (found[name, m] for m in metrics_of(name, wanted) if (name, m) in found)

    @staticmethod
    def _key(record: dict[str, Any]) -> tuple[str, str, int]:
        return record["generator"], record["metric"], record["repeat"]


def plan(
    names: Sequence[str], wanted: Sequence[str] | None, options: argparse.Namespace, cache: Cache
) -> Iterator[Question]:
    """What is not answered yet: all generators side by side, so that an early look shows something of each."""
    for repeat in range(options.repeats):
        for name in names:
            if metrics := cache.missing(name, repeat, metrics_of(name, wanted)):
                truth, alone = repeat < options.truth, repeat % TIMED == 0
                yield Question(name, repeat, metrics, options.model, options.bootstrap, truth, alone)


def answers(questions: Sequence[Question], processes: int) -> Iterator[list[dict[str, Any]]]:
    """As they finish."""
    if processes == 1:
        yield from map(answer, questions)
        return
    with ProcessPoolExecutor(processes, initializer=_settle, initargs=(multiprocessing.Value("i", 0),)) as pool:
        futures = [pool.submit(answer, q) for q in questions]
        try:
            for future in as_completed(futures):
                yield future.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _settle(taken: Any) -> None:
    """A core for each process where there are enough: its threads then do not get into another's way."""
    with taken.get_lock():
        mine, taken.value = taken.value, taken.value + 1
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[mine % len(cores)]})


def code() -> str:
    """A fingerprint of the package and of these tables: answers of other code are not mixed in."""
    home, here = Path(steelyard.__file__).parent, Path(__file__).parent
    skipped = {"cli", "report", "templates", "integrations"}
    files = [p for p in sorted(home.rglob("*.py")) if not skipped & set(p.relative_to(home).parts)]
    told = hashlib.sha256()
    for path in (*files, here / "generators.py", here / "verdicts.py"):
        told.update(path.read_bytes())
    return told.hexdigest()[:12]


def commit() -> str | None:
    """The commit that the package was imported from, "+" if it was changed since; None outside a checkout."""
    home = Path(steelyard.__file__).parent
    told = [
        subprocess.run(["git", "-C", str(home), *words], capture_output=True, text=True, check=False)
        for words in (["rev-parse", "HEAD"], ["status", "--porcelain", "--", "."])
    ]
    if any(t.returncode for t in told):
        return None
    return told[0].stdout.strip() + ("+" if told[1].stdout.strip() else "")


def publish(name: str, rows: list[dict[str, Any]]) -> Path:
    """results/NAME.json as measure.write makes it, with the rows of the file that is there which these do not replace: those of
    other questions, and of the same one where they rest on more tables."""
    path = measure.RESULTS / f"{name}.json"
    earlier = json.loads(path.read_text("utf-8"))["rows"] if path.exists() else []
    new = {_what(row): row for row in rows}
    kept = [r for r in earlier if _what(r) not in new or _stays(r, new[_what(r)])]
    return measure.write(name, kept + rows, machine="see each row", versions="see each row")


def _stays(earlier: dict[str, Any], row: dict[str, Any]) -> bool:
    """An earlier run of the same question that rests on more tables, or looked at the truth where this one did not."""
    richer = earlier["studies"] > row["studies"] or (bool(earlier.get("truth")) and not row.get("truth"))
    return richer and earlier.get("code") != row.get("code")


def _what(row: dict[str, Any]) -> tuple[str, ...]:
    return row["model"], row["generator"], row["metric"]


def _packages() -> dict[str, str]:
    from importlib.metadata import version

    return {name: version(name) for name in ("numpy", "scipy", "scikit-learn", "torch")}
