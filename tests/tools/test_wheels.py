"""tools/wheels.py, tools/smoke.py: names of wheels, refusals, and the pure wheel, built from the archive and tried with nothing beside it."""

import importlib.metadata
import importlib.util
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / "tools"
sys.path.insert(0, str(TOOLS))
try:
    import wheels
finally:
    sys.path.remove(str(TOOLS))


def fake(folder: Path, answer: str) -> Path:
    """An interpreter that answers so."""
    python = folder / "python"
    python.write_text(f"#!/bin/sh\necho {answer}\n")
    python.chmod(0o755)
    return python


@pytest.mark.parametrize(
    ("answer", "tag"), [("cpython 3 11", "cp311-cp311"), ("cpython 3 12", "cp312-abi3"), ("cpython 3 14", "cp312-abi3")]
)
def test_python_of_3_12_and_newer_share_a_wheel(tmp_path, answer, tag):
    assert wheels.tags(fake(tmp_path, answer)) == tag


@pytest.mark.parametrize(("answer", "said"), [("cpython 3 10", "needs CPython 3.11"), ("pypy 3 11", "is pypy 3.11")])
def test_an_interpreter_that_cannot_have_it_is_named(tmp_path, answer, said):
    with pytest.raises(SystemExit, match=said):
        wheels.tags(fake(tmp_path, answer))


def test_smoke_without_a_wheel_says_how_to_build_one(tmp_path):
    done = subprocess.run(
        [sys.executable, TOOLS / "smoke.py", "--dist", tmp_path], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 1
    assert "has no wheel for" in done.stderr
    assert "run.py wheels" in done.stderr


def test_the_pure_wheel_is_not_tried_as_a_compiled_one():
    """The program tells them apart: without --pure it wants a core, and this checkout's environment is not empty."""
    done = subprocess.run([sys.executable, TOOLS / "smoke_program.py"], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("smoke: ")


def closure(names: list[str]) -> set[str]:
    """Distributions that these need, themselves included, as installed here."""
    found: set[str] = set()
    while names:
        name = names.pop().lower()
        if name in found:
            continue
        found.add(name)
        for line in importlib.metadata.requires(name) or ():
            needed = re.match(r"[\w.-]+", line)[0]
            if "extra ==" not in line and importlib.util.find_spec(needed.replace("-", "_")):
                names.append(needed)
    return found


def bare(folder: Path) -> Path:
    """A folder with what steelyard needs and nothing else: links to numpy and torch, and what torch needs."""
    folder.mkdir()
    for name in closure(["numpy", "torch"]):
        for top in {Path(path.parts[0]) for path in importlib.metadata.files(name) or () if path.parts[0] != ".."}:
            place = Path(importlib.metadata.distribution(name).locate_file(top))
            if top.name != "__pycache__" and not (folder / top).exists():
                (folder / top).symlink_to(place)
    return folder


@pytest.mark.slow
def test_the_pure_wheel_is_built_from_the_archive_and_works_alone(tmp_path, monkeypatch):
    pytest.importorskip("build")
    pytest.importorskip("scikit_build_core")
    monkeypatch.setenv(
        "PIP_NO_BUILD_ISOLATION", "0"
    )  # pip reads the name: 0 turns isolation off, so nothing is downloaded
    command = [sys.executable, "-m", "build", "--sdist", "--no-isolation", "--outdir", tmp_path, ROOT]
    subprocess.run(command, check=True, capture_output=True)
    source = wheels.newest(tmp_path, "*.tar.gz")
    with tarfile.open(source) as archive:
        names = {Path(name).name for name in archive.getnames()}
    assert not [name for name in names if name.startswith("_native")]
    wheel = wheels.pure(source, tmp_path)
    with zipfile.ZipFile(wheel) as held:
        assert {"steelyard/py.typed", "steelyard/report/templates/report.html.j2"} <= set(held.namelist())
    home = bare(tmp_path / "bare")
    install = [*wheels.pip(Path(sys.executable)), "install", "-q", "--no-deps", "--no-index", "--target", home, wheel]
    subprocess.run([str(c) for c in install], check=True, capture_output=True)
    search = f"import sys; sys.path[:] = [{str(home)!r}, *(p for p in sys.path if 'site-packages' not in p)]; sys.argv[1:] = ['--pure'];"
    run = f"{search} import runpy; runpy.run_path({str(TOOLS / 'smoke_program.py')!r}, run_name='__main__')"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", run], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count(": right\n") == 5
