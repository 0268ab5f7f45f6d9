"""All that must hold before a release, a line for each; nothing is uploaded and no tag is set.

    python tools/release.py [--quick]

`--quick` leaves out what builds: documentation, wheels, environments. The first check that fails ends the run with what to do; at the
end stand the commands that a person runs to publish.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from datetime import date
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DIST = ROOT / "dist"


class Wrong(Exception):
    """What does not hold, and what to do."""


def told(*command: str | Path) -> str:
    done = subprocess.run([str(c) for c in command], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise Wrong(
            f"{' '.join(map(str, command))} ended with code {done.returncode}: {(done.stderr or done.stdout).strip()[-2000:]}"
        )
    return done.stdout


def version() -> str:
    found = re.search(
        r'^__version__ = "([^"]+)"$', (ROOT / "src/steelyard/version.py").read_text("utf-8"), re.MULTILINE
    )
    if not found:
        raise Wrong('src/steelyard/version.py has no line __version__ = "X.Y.Z"; write it.')
    return found[1]


def the_tree_is_clean() -> str:
    if changed := told("git", "status", "--porcelain").strip():
        raise Wrong(
            f"the working tree is not clean; commit or remove: {', '.join(line[3:] for line in changed.splitlines())}"
        )
    return f"commit {told('git', 'rev-parse', '--short', 'HEAD').strip()}"


def the_version_is_one_of_a_release() -> str:
    if not re.fullmatch(r"\d+\.\d+\.\d+(rc\d+)?", version()):
        raise Wrong(
            f"src/steelyard/version.py says {version()}, which is no release; write X.Y.Z, or X.Y.ZrcN to try one."
        )
    return version()


def versions_agree() -> str:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    if "version" in project or "version" not in project.get("dynamic", ()):
        raise Wrong(
            'pyproject.toml has a version of its own; remove it and keep dynamic = ["version"], so that version.py alone says it.'
        )
    if told("git", "tag", "--list", f"v{version()}").strip():
        raise Wrong(
            f"the tag v{version()} exists; this version has been released: raise it in src/steelyard/version.py."
        )
    return f"version.py alone says {version()}, and there is no tag v{version()}"


def the_changelog_has_it() -> str:
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    heads = re.findall(r"^## (.+)$", text, re.MULTILINE)
    wanted = f"## {version()} - {date.today().isoformat()}"
    found = next((h for h in heads if h.startswith(f"{version()} ")), None)
    if found is None:
        raise Wrong(f'CHANGELOG.md has no section of {version()}; turn "## Unreleased" into "{wanted}".')
    if not re.fullmatch(re.escape(version()) + r" - \d{4}-\d\d-\d\d", found):
        raise Wrong(f'CHANGELOG.md: "## {found}" has no date; write "{wanted}".')
    if not re.search(rf"^## {re.escape(found)}\n+(?:### .+\n+)?- ", text, re.MULTILINE):
        raise Wrong(f'CHANGELOG.md: nothing stands under "## {found}"; write what is new.')
    return f"## {found}"


def the_documentation_builds() -> str:
    told(sys.executable, "docs/build_tables.py")
    told(sys.executable, "-m", "sphinx", "-q", "-W", "-b", "html", "docs", "docs/_build/html")
    if told("git", "status", "--porcelain").strip():
        raise Wrong("generated pages were not up to date; commit what docs/build_tables.py wrote.")
    return "docs/_build/html"


def archive_and_wheels_are_built() -> str:
    shutil.rmtree(DIST, ignore_errors=True)
    told(sys.executable, "tools/wheels.py", "--out", DIST)
    return ", ".join(sorted(path.name for path in DIST.iterdir()))


def every_wheel_works_alone() -> str:
    return f"{told(sys.executable, 'tools/smoke.py', '--dist', DIST).count(': right')} checks"


def the_index_would_take_them() -> str:
    told(sys.executable, "-m", "twine", "check", "--strict", *sorted(DIST.iterdir()))
    return "twine check --strict"


QUICK: list[Callable[[], str]] = [
    the_tree_is_clean,
    the_version_is_one_of_a_release,
    versions_agree,
    the_changelog_has_it,
]
SLOW = [the_documentation_builds, archive_and_wheels_are_built, every_wheel_works_alone, the_index_would_take_them]
NEXT = """Not done, and for a person to do:
    git tag v{version} && git push origin v{version}
    cibuildwheel on Linux, macOS and Windows (CONTRIBUTING.md, "Wheels"), its wheels into dist/ in place of the compiled ones made here
    python -m twine check --strict dist/* && python -m twine upload dist/*"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    checks = QUICK if parser.parse_args().quick else [*QUICK, *SLOW]
    for check in checks:
        what = check.__name__.replace("_", " ")
        try:
            print(f"right: {what}: {check()}", flush=True)
        except Wrong as wrong:
            print(f"wrong: {what}: {wrong}", flush=True)
            return 1
    print(NEXT.format(version=version()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
