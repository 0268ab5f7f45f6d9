"""Where the CPU time of a whole `steelyard tune` goes: one thread, a sample of the stack for every few milliseconds of it.

The system's profiling timer interrupts the command. A sample weighs the CPU time since the last one, so that a long call into
compiled code, at whose end it is taken, counts in full. A part of the table is named by the files that stand in the stack; the
innermost one counts, and what is imported on the way is an import.
"""

import signal
import sys
import time
from collections import defaultdict
from types import FrameType
from typing import Any

EVERY = 0.004  # seconds of CPU time
TOP = 25  # functions that are named
HEAD = "CPU seconds by part"
# the first of them that a frame's module begins with; frames are asked from the innermost one on
PARTS = {
    "steelyard.tuning.models.hessian": "Hessians",
    "steelyard.tuning.models": "fits, other than Hessians",
    "steelyard.tuning.resampling": "rows drawn for resampling",
    "steelyard.tuning.sampled": "rows drawn for resampling",
    "steelyard.tuning.store": "the database",
    "steelyard.tuning.verdict.bootstrap": "bootstrap, with the metrics of its draws",
    "steelyard.tuning.evaluator": "bootstrap, with the metrics of its draws",
    "steelyard.tuning.validation": "choosing settings and cuts",
    "steelyard.tuning.pictures": "page and pictures",
    "steelyard.report": "page and pictures",
    "steelyard.tuning.data": "reading the table",
    "steelyard.data": "reading the table",
}


def main(command: list[str]) -> None:
    """Run `steelyard COMMAND...` in this process and print the table."""
    taken: dict[str, dict[str, float]] = {"parts": defaultdict(float), "functions": defaultdict(float)}
    last = [0.0]

    def sample(signum: int, frame: FrameType | None) -> None:
        now = time.process_time()
        weight, last[0] = now - last[0], now
        part, function = _place(frame)
        taken["parts"][part] += weight
        taken["functions"][function] += weight

    signal.signal(signal.SIGPROF, sample)
    signal.setitimer(signal.ITIMER_PROF, EVERY, EVERY)
    try:
        _run(command)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        _print(taken)


def _run(command: list[str]) -> None:
    import torch

    from steelyard.tuning import engine
    from steelyard.tuning.validation import crossfit

    torch.set_num_threads(1)

    # the timer is heard by the first thread alone
    def here(function: Any, items: Any, stop: Any) -> Any:
        """engine.local without threads."""
        for item in items:
            if stop():
                return
            yield item, function(item)

    engine.local = here
    crossfit.spread = map
    from steelyard.cli import main as cli

    sys.argv = ["steelyard", *command]
    try:
        cli()
    except SystemExit as end:
        if end.code:
            raise


def _place(frame: FrameType | None) -> tuple[str, str]:
    """The part, and the innermost function of ours with its file."""
    part, function, importing = None, "elsewhere", False
    while frame is not None:
        name = str(frame.f_globals.get("__name__", ""))
        importing = importing or name == "importlib._bootstrap"
        if name.startswith("steelyard"):
            if function == "elsewhere":
                function = f"{frame.f_code.co_qualname}  {name}"
            part = part or next((told for start, told in PARTS.items() if name.startswith(start)), None)
        frame = frame.f_back
    if importing:
        return "imports", "(imports)"
    return part or "everything else", function


def _print(taken: dict[str, dict[str, float]]) -> None:
    whole = sum(taken["parts"].values())
    print(f"\n{HEAD}: {whole:.1f}")
    for title, spent in (
        ("", taken["parts"]),
        ("in these functions, and in what is not ours that they called", taken["functions"]),
    ):
        print(f"\n{title}" if title else "")
        for name in sorted(spent, key=lambda n: -spent[n])[:TOP]:
            print(f"{spent[name]:7.1f} s {spent[name] / whole:5.0%}  {name}")


if __name__ == "__main__":
    main(sys.argv[1:])
