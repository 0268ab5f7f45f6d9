"""The source archive, and from it the wheels of this machine: compiled ones, and one of plain Python.

    python tools/wheels.py [--out dist] [--python PATH ...] [--pure-only]

The wheels are built from the archive, not from the checkout, so what the archive lacks is missed here. A Python of 3.11 makes a wheel
of its own; one of 3.12 or newer makes the wheel of the stable ABI that serves every later one. `--python` names further interpreters.
On Linux `auditwheel` says, and writes into the name, which systems a wheel runs on; a wheel that it finds fault with is an error.
The wheels of a release come from cibuildwheel (CONTRIBUTING.md), which builds for older systems than this one.
"""

import argparse
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ASK = "import sys; print(sys.implementation.name, *sys.version_info[:2])"


def call(*command: str | Path, **settings: str) -> None:
    done = subprocess.run([str(c) for c in command], cwd=ROOT, env={**os.environ, **settings})
    if done.returncode:
        raise SystemExit(
            f"wheels: {' '.join(map(str, command))} ended with code {done.returncode}; its message is above."
        )


def pip(python: Path) -> list[str | Path]:
    """pip for an interpreter that need not have one."""
    inside = subprocess.run([sys.executable, "-c", "import pip"], capture_output=True).returncode == 0
    return [sys.executable, "-m", "pip", "--python", python] if inside else [python, "-m", "pip"]


def tags(python: Path) -> str:
    """How the wheel of an interpreter is named: cp311-cp311, or cp312-abi3 for 3.12 and newer."""
    told = subprocess.run([python, "-c", ASK], capture_output=True, text=True)
    if told.returncode:
        raise SystemExit(f"wheels: {python} is no Python that runs; name another with --python.")
    name, major, minor = told.stdout.split()
    if name != "cpython" or (int(major), int(minor)) < (3, 11):
        raise SystemExit(f"wheels: {python} is {name} {major}.{minor}; steelyard needs CPython 3.11 or newer.")
    return "cp312-abi3" if int(minor) >= 12 else f"cp{major}{minor}-cp{major}{minor}"


def archive(out: Path) -> Path:
    call(sys.executable, "-m", "build", "--sdist", "--outdir", out, ROOT)
    return newest(out, "*.tar.gz")


def newest(folder: Path, pattern: str) -> Path:
    found = sorted(folder.glob(pattern), key=lambda path: path.stat().st_mtime)
    if not found:
        raise SystemExit(f"wheels: nothing named {pattern} was made in {folder}.")
    return found[-1]


def pure(source: Path, out: Path) -> Path:
    """The wheel for whoever has no compiler: everything works, by torch's own operations."""
    call(
        *pip(Path(sys.executable)), "wheel", "-q", "--no-cache-dir", "--no-deps", "-w", out, source, STEELYARD_PURE="1"
    )
    return newest(out, "*-py3-none-any.whl")


def compiled(source: Path, python: Path, out: Path) -> Path:
    """One compiled wheel, an error where the compiler fails; on Linux it bears the oldest system that it runs on."""
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder)
        call(*pip(python), "wheel", "-q", "--no-cache-dir", "--no-deps", "-w", raw, source, STEELYARD_NATIVE="1")
        wheel = newest(raw, "*.whl")
        if tags(python) not in wheel.name:
            raise SystemExit(f"wheels: {python} made {wheel.name}, not a wheel of {tags(python)}.")
        if platform.system() != "Linux":
            return Path(shutil.copy(wheel, out))
        for old in out.glob(f"*-{tags(python)}-*.whl"):
            old.unlink()
        call(sys.executable, "-m", "auditwheel", "repair", "-w", out, wheel)
    return newest(out, f"*-{tags(python)}-*.whl")


def audited(wheel: Path) -> str:
    """The platform of a repaired wheel, which must name no library that it does not bring."""
    told = subprocess.run([sys.executable, "-m", "auditwheel", "show", wheel], capture_output=True, text=True)
    text = " ".join(told.stdout.split())
    found = re.search(r'consistent with the following platform tag: "(manylinux\w+|musllinux\w+)"', text)
    if told.returncode or not found:
        raise SystemExit(f"wheels: auditwheel finds fault with {wheel.name}: {text}")
    return found[1]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "dist")
    parser.add_argument("--python", type=Path, nargs="*", default=[], help="further interpreters")
    parser.add_argument("--pure-only", action="store_true", help="no compiled wheel")
    options = parser.parse_args()
    out = options.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    source = archive(out)
    print(f"wheels: {source.name}", flush=True)
    print(f"wheels: {pure(source, out).name}", flush=True)
    wanted = {} if options.pure_only else {tags(python): python for python in [*options.python, Path(sys.executable)]}
    for tag, python in wanted.items():
        wheel = compiled(source, python, out)
        print(f"wheels: {wheel.name}", flush=True)
        if platform.system() == "Linux":
            print(f"wheels: {tag}: auditwheel finds {audited(wheel)}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
