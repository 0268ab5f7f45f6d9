"""python -m benchmarks claims [N ...] [--small] [--again]: run claims, keep each unit as it ends, and write results/claims/NAME.json.

A run that was stopped is taken up where it was; what an older program found is not. One thread, so that seconds are those of one core.
"""

import argparse
import ast
import dataclasses
import hashlib
import json
import platform
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from steelyard import marks
from steelyard.files import write_text_atomically

from .. import measure
from ..honesty import commit
from . import CLAIMS, claim
from .claim import Absent, Claim, Conclusion, overall

RESULTS = measure.RESULTS / "claims"
PACKAGES = ("torch", "numpy", "scipy", "scikit-learn")


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks claims", description=__doc__)
    parser.add_argument(
        "which", nargs="*", help=f"numbers from 1 to {len(CLAIMS)}, or names: {', '.join(CLAIMS)}; all unless given"
    )
    parser.add_argument("--small", action="store_true", help="a tiny size that takes seconds; nothing is written")
    parser.add_argument("--again", action="store_true", help="forget what is there")
    parser.add_argument(
        "--backwards", action="store_true", help="from the last part of each on, beside a run that goes forward"
    )
    options = parser.parse_args(arguments)
    names = [found(w, parser) for w in options.which] or list(CLAIMS)
    torch.set_num_threads(1)
    for name in names:
        one = claim(name)
        if options.small:
            show(one, one.conclude({unit: one.run(unit, True) for unit in one.units(True)}))
        else:
            show(one, run(one, RESULTS / f"{name}.json", again=options.again, backwards=options.backwards))


def found(which: str, parser: argparse.ArgumentParser) -> str:
    if which.isdecimal() and 1 <= int(which) <= len(CLAIMS):
        which = CLAIMS[int(which) - 1]
    if which not in CLAIMS:
        parser.error(
            f"there is no claim {which!r}; give a number from 1 to {len(CLAIMS)} or one of {', '.join(CLAIMS)}."
        )
    return which


def run(one: Claim, path: Path, *, again: bool = False, backwards: bool = False) -> Conclusion:
    """Units that are not in the file yet, then the file with all of them; its findings are there once every unit is.

    backwards  from the last unit on: two runs share a claim so, as each looks before a unit whether it is there by now
    """
    digest = code(one)
    if again:
        path.unlink(missing_ok=True)
    skipped: list[str] = []
    order = list(one.units(False))
    for unit in reversed(order) if backwards else order:
        if unit in kept(path, digest):
            continue
        start = time.process_time()
        try:
            found = one.run(unit, False)
        except Absent as reason:
            print(f"  {unit} skipped: {reason}", flush=True)
            skipped.append(str(reason))
            continue
        seconds = round(time.process_time() - start, 2)
        write(
            path,
            one,
            digest,
            kept(path, digest) | {unit: {"seconds": seconds, "found": found}},
            Conclusion([]),
            skipped,
        )
        print(f"  {one.name}: {unit}, {seconds:.1f} CPU seconds", flush=True)
    records = kept(path, digest)
    records = {unit: records[unit] for unit in order if unit in records}
    if not records or len(records) + len(skipped) < len(order):
        return Conclusion([])
    conclusion = one.conclude({unit: r["found"] for unit, r in records.items()})
    write(path, one, digest, records, conclusion, skipped)
    return conclusion


def kept(path: Path, digest: str) -> dict[str, dict[str, Any]]:
    """{unit: record} of the file, where this program made them."""
    old = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return old["units"] if old.get("code") == digest else {}


def write(
    path: Path,
    one: Claim,
    digest: str,
    records: dict[str, dict[str, Any]],
    conclusion: Conclusion,
    skipped: list[str],
) -> None:
    new = not path.exists() or set(records) != set(kept(path, digest))
    made = {
        "claim": one.name,
        "code": digest,
        "about": _about() if new else json.loads(path.read_text("utf-8"))["about"],
        "seeds": one.seeds,
        "seconds": round(sum(r["seconds"] for r in records.values()), 1),
        "skipped": skipped,
        **dataclasses.asdict(conclusion),
        "units": records,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text_atomically(path, json.dumps(made, indent=1) + "\n", marks.NONE, overwrite=True)


def _about() -> dict[str, Any]:
    return {
        "commit": commit(),
        "device": f"CPU, one thread of {measure.cpu()}",
        "system": platform.system(),
        "versions": {"python": platform.python_version()} | {name: version(name) for name in PACKAGES},
    }


def code(one: Claim) -> str:
    """Of what makes the units of this claim, in its file and those beside it that it imports: a unit of another program is run anew. Words
    and conclusions may change without that."""
    made = hashlib.sha256()
    names = [one.name]
    for name in names:
        tree = ast.parse((Path(__file__).parent / f"{name}.py").read_text("utf-8"))
        names += [
            n.module
            for n in ast.walk(tree)
            if isinstance(n, ast.ImportFrom) and n.level == 1 and n.module and n.module not in (*names, "claim")
        ]
        made.update("".join(ast.dump(node) for node in tree.body if not _is_told(node)).encode())
    return made.hexdigest()[:16]


def _is_told(node: ast.stmt) -> bool:
    """Whether a statement of a program's file only says which units there are, or what came of them."""
    if isinstance(node, ast.Assign):
        return [ast.unparse(t) for t in node.targets] in (["CLAIM"], ["SEEDS"])
    return isinstance(node, ast.Expr) or (isinstance(node, ast.FunctionDef) and node.name in ("units", "conclude"))


def show(one: Claim, conclusion: Conclusion) -> None:
    print(f"{one.title}: {overall(conclusion.findings)}")
    for f in conclusion.findings:
        told = "no interval" if f.interval is None else f"{f.interval[0]:.4g} to {f.interval[1]:.4g}"
        print(f"  {f.what}: {f.estimate:.4g} ({told}; {f.of}); claimed {f.claimed}: {f.outcome}")
