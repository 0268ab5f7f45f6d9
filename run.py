#!/usr/bin/env python3
"""Everything a checkout can do, with nothing but Python and git installed.

python3 run.py setup            make .venv with steelyard and all that its tests need
python3 run.py demo  [...]      tune the mammography data and write a report
python3 run.py test  [...]      run the tests (arguments go to pytest)
python3 run.py check            lint, format, types, layers, no import circle
python3 run.py bench [...]      python -m benchmarks bilevel|ce|binary|linear|maps|count|slopes|family|rules|tune|mlp|honesty|gpu|outside|claims
python3 run.py wheels [...]     the source archive and this machine's wheels, in dist/
python3 run.py smoke [...]      every wheel of dist/ in an empty environment
python3 run.py release          all that must hold before a release, a line each; nothing is uploaded
python3 run.py docs             build the documentation's generated tables, then the site in docs/_build/html
"""

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
HOME = ROOT / ".venv"
BIN = HOME / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
NEEDS = {"demo": "tune"}  # every other task needs "dev", which holds the rest


def main(arguments: list[str]) -> int:
    task, *rest = arguments or ["--help"]
    if task in ("-h", "--help") or task not in TASKS:
        print(__doc__)
        return 0 if task in ("-h", "--help") else 2
    if sys.version_info < (3, 11):  # noqa: UP036  # the Python that starts this file may be any
        found = ".".join(map(str, sys.version_info[:2]))
        print(f"run.py: steelyard needs Python 3.11 or newer, this is {found}; call run.py with a newer one.")
        return 2
    install(NEEDS.get(task, "dev"))
    return TASKS[task](rest)


def install(extra: str) -> None:
    """Bring .venv up to date; a stamp of the project's metadata and its C++ makes the second call free."""
    stamp = HOME / f"steelyard-{extra}.stamp"
    wanted = hashlib.sha256()
    built = ["CMakeLists.txt", *sorted(str(p.relative_to(ROOT)) for p in (ROOT / "native").iterdir())]
    for name in ("pyproject.toml", "constraints.txt", "run.py", *built):
        wanted.update((ROOT / name).read_bytes())
    stamps = [stamp, HOME / "steelyard-dev.stamp"]
    if any(s.exists() and s.read_text() == wanted.hexdigest() for s in stamps) and PYTHON.exists():
        return
    if not PYTHON.exists():
        print(f"Making {HOME.name} ...", flush=True)
        try:
            venv.create(HOME, with_pip=True)
        except (subprocess.CalledProcessError, ImportError):  # Debian without python3-venv
            venv.create(HOME, with_pip=False, clear=True)
    print(f"Installing steelyard[{extra}] (a minute or two the first time) ...", flush=True)
    inside = subprocess.run([PYTHON, "-c", "import pip"], capture_output=True).returncode == 0
    pip = [str(PYTHON), "-m", "pip"] if inside else [sys.executable, "-m", "pip", "--python", str(PYTHON)]
    done = subprocess.run(
        [*pip, "install", "-q", "--disable-pip-version-check", "-c", "constraints.txt", "-e", f".[{extra}]"], cwd=ROOT
    )
    if done.returncode:
        sys.exit("run.py: the installation failed; the message above is pip's.")
    stamp.write_text(wanted.hexdigest())


def call(*command: str | Path) -> int:
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}", "VIRTUAL_ENV": str(HOME)}
    environment.pop(
        "PYTHONDONTWRITEBYTECODE", None
    )  # the tests alone take 15 s to compile, in each of pytest's processes
    return subprocess.run([str(c) for c in command], cwd=ROOT, env=environment).returncode


def setup(_: list[str]) -> int:
    print(f"Ready. Activate with: source {BIN.relative_to(ROOT)}/activate")
    return 0


def demo(rest: list[str]) -> int:
    data = ROOT / "examples" / "data" / "mammography_adbench.csv"
    out = [] if "--out" in rest else ["--out", "demo-report"]
    return call(BIN / "steelyard", "tune", data.relative_to(ROOT), "--label", "calcification", *out, *rest)


def test(rest: list[str]) -> int:
    workers = [] if any(a.startswith("-n") or a == "--pdb" for a in rest) else ["-n", "auto"]
    if workers and sum(".py" in a for a in rest) != 1:
        # a file goes to one worker as a whole, which makes its fixtures once; tests/conftest.py puts the longest files first
        workers += ["--dist", "loadfile", "--no-loadscope-reorder"]
    return call(PYTHON, "-m", "pytest", *workers, *rest)


def check(_: list[str]) -> int:
    sources = ["src", "tests", "examples", "benchmarks", "docs", "tools", "run.py"]
    results = [
        call(BIN / "ruff", "check", *sources),
        call(BIN / "ruff", "format", "--check", *sources),
        call(BIN / "lint-imports", "--no-logo"),
        call(PYTHON, "tools/circles.py", "src/steelyard"),
        call(BIN / "pyright"),
    ]
    return max(results)


def bench(rest: list[str]) -> int:
    return call(PYTHON, "-m", "benchmarks", *rest)


def docs(_: list[str]) -> int:
    site = (PYTHON, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html", "docs", "docs/_build/html")
    failed = call(PYTHON, "docs/build_tables.py") or call(*site)
    if not failed:
        print("The site: docs/_build/html/index.html")
    return failed


def wheels(rest: list[str]) -> int:
    return call(PYTHON, "tools/wheels.py", *rest)


def smoke(rest: list[str]) -> int:
    return call(PYTHON, "tools/smoke.py", *rest)


def release(rest: list[str]) -> int:
    return call(PYTHON, "tools/release.py", *rest)


TASKS = {
    "setup": setup,
    "demo": demo,
    "test": test,
    "check": check,
    "bench": bench,
    "docs": docs,
    "wheels": wheels,
    "smoke": smoke,
    "release": release,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
