"""Every wheel of a folder in an empty environment: installed, and asked what must work right after `pip install steelyard`.

    python tools/smoke.py [--dist dist] [--python PATH ...] [--without-torch PATH ...]

An interpreter gets its compiled wheel if there is one, and the one of this program the pure wheel too. The environment holds the
wheel and what it needs, numpy and torch; a compiler is out of reach, extras are missing, the network is barred (smoke_program.py).
`--without-torch` names interpreters for which torch is not to be had here as a build for CPU: there the package is installed with
numpy alone, and only the import and the compiled core are tried; the last line says so.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from wheels import pip, tags

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = Path(__file__).with_name("smoke_program.py")
LIMITS = ["-c", str(ROOT / "constraints.txt")]


def tried(wheel: Path, python: Path, *, torch: bool) -> None:
    """Install a wheel into an empty environment and run the program there."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "env"
        subprocess.run([python, "-m", "venv", "--without-pip", home], check=True)
        inside = home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        install = [*pip(inside), "install", "-q", "--only-binary", ":all:", *LIMITS]
        what = [[wheel]] if torch else [["numpy"], ["--no-deps", wheel]]
        for each in what:
            if subprocess.run([str(c) for c in [*install, *each]]).returncode:
                raise SystemExit(f"smoke: {wheel.name} could not be installed for {python}; pip's message is above.")
        options = [*(["--pure"] if "-none-any" in wheel.name else []), *([] if torch else ["--without-torch"])]
        # an empty folder as the path: no compiler, and no command of the machine
        (empty := Path(folder) / "empty").mkdir()
        environment = {"PATH": str(empty), "HOME": str(empty), "SYSTEMROOT": os.environ.get("SYSTEMROOT", "")}
        done = subprocess.run([inside, "-I", PROGRAM, *options], cwd=empty, env=environment)
        if done.returncode:
            raise SystemExit(f"smoke: {wheel.name} does not work under {python}; the line above says what.")


def matching(dist: Path, python: Path) -> list[Path]:
    """The compiled wheel of an interpreter, and for the one that runs this program the pure one."""
    found = sorted(dist.glob(f"*-{tags(python)}-*.whl"))
    if python == Path(sys.executable):
        found += sorted(dist.glob("*-py3-none-any.whl"))
    if not found:
        raise SystemExit(f"smoke: {dist} has no wheel for {python}; python3 run.py wheels --python {python} builds it.")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dist", type=Path, default=ROOT / "dist")
    parser.add_argument("--python", type=Path, nargs="*", default=[], help="further interpreters, with torch")
    parser.add_argument("--without-torch", type=Path, nargs="*", default=[], help="further interpreters, without torch")
    options = parser.parse_args()
    here = [*options.python, Path(sys.executable)]
    for python in [*here, *options.without_torch]:
        for wheel in matching(options.dist.resolve(), python):
            print(f"smoke: {wheel.name} under {python}", flush=True)
            tried(wheel, python, torch=python in here)
    if options.without_torch:
        print(f"smoke: without torch, so neither losses nor counting: {', '.join(map(str, options.without_torch))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
