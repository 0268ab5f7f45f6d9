"""The tests of the adapters, each group with its frameworks: tests/integrations/groups.toml says which.

    python tools/adapters.py install [GROUP ...]
    python tools/adapters.py test [GROUP ...] [-- pytest options]

The packages of a group lie in build/GROUP and are kept while neither the list nor constraints.txt changes. Without a name all groups are
meant. The exit code is that of the first group that fails.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tomllib
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
TESTS = ROOT / "tests" / "integrations"
LISTS: dict[str, Any] = tomllib.loads((TESTS / "groups.toml").read_text("utf-8"))
GROUPS = [name for name, value in LISTS.items() if isinstance(value, dict)]


def files(group: str) -> list[str]:
    """The files of tests that are run with a group."""
    return [f"tests/integrations/{name}.py" for name in sorted([*LISTS[group]["tests"], *LISTS["everywhere"]])]


def install(group: str) -> int:
    folder, packages = ROOT / "build" / group, LISTS[group]["packages"]
    stamp, wanted = folder / "group.stamp", hashlib.sha256((ROOT / "constraints.txt").read_bytes())
    wanted.update("\n".join([sys.version, *packages]).encode())
    if stamp.exists() and stamp.read_text() == wanted.hexdigest():
        print(f"The {group} in build/{group} are those wanted.")
        return 0
    shutil.rmtree(folder, ignore_errors=True)
    inside = PathFinder.find_spec("pip") is not None  # setuptools, asked, would throw out distutils
    pip = [sys.executable, "-m", "pip"] if inside else ["python3", "-m", "pip", "--python", sys.executable]
    # not compiled: what is imported is compiled then, and that is a small part
    options = [
        "-q",
        "--disable-pip-version-check",
        "--no-deps",
        "--no-compile",
        "-c",
        "constraints.txt",
        "--target",
        folder,
    ]
    code = subprocess.run([*map(str, [*pip, "install", *options, *packages])], cwd=ROOT).returncode
    if code == 0:
        stamp.write_text(wanted.hexdigest())
    return code


def test(group: str, options: list[str]) -> int:
    path = os.pathsep.join(filter(None, [f"build/{group}", os.environ.get("PYTHONPATH", "")]))
    command = [sys.executable, "run.py", "test", *files(group), "-m", "slow or not slow", *options]
    print(f"The adapters' tests with the {group}:", flush=True)
    return subprocess.run(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": path}).returncode


def main(words: list[str]) -> int:
    words, options = (words[: words.index("--")], words[words.index("--") + 1 :]) if "--" in words else (words, [])
    task, *groups = words or [""]
    if task not in ("install", "test") or set(groups) - set(GROUPS):
        print(f"adapters: install or test, and any of {', '.join(GROUPS)}")
        return 2
    codes = [install(g) if task == "install" else test(g, options) for g in groups or GROUPS]
    return next(filter(None, codes), 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
