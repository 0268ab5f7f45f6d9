"""The C++ core for ARM: cross-compiled and tested in QEMU; and the program that both this and tools/sanitize.py test a core with."""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOT_FETCHED = ("Unable to fetch", "Failed to fetch", "Unable to locate package", "No matching distribution")
SOME = ("tests/ops/test_native.py", "-k", "every_instruction_set or (every_type_of_label and int32)")


def tool(name, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_tests_of_the_core_pass_on_arm(monkeypatch):
    """Of every kernel some: all of them, `python tools/arm.py`, take QEMU longer than all other tests together."""
    arm = tool("arm", monkeypatch)
    if why := arm.lacking():
        pytest.skip(why)
    done = subprocess.run([sys.executable, arm.__file__, *SOME], capture_output=True, text=True)
    if any(said in done.stderr for said in NOT_FETCHED):
        pytest.skip("what it needs cannot be fetched here")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "on aarch64 with" in done.stdout


def test_what_is_lacking_is_said(monkeypatch, capsys):
    arm = tool("arm", monkeypatch)
    monkeypatch.setattr(arm.shutil, "which", lambda name: None if name == "qemu-aarch64" else name)
    assert arm.lacking() == "there is no qemu-aarch64 (qemu-user)"
    assert arm.main([]) == 2
    assert capsys.readouterr().out == "arm: there is no qemu-aarch64 (qemu-user)\n"


def test_what_fails_beside_is_one_paragraph(monkeypatch):
    arm = tool("arm", monkeypatch)
    with pytest.raises(SystemExit, match=r"^arm: false x ended with code 1:"):
        arm.call("false", "x")


def test_requirements_are_followed(monkeypatch):
    found = tool("arm", monkeypatch).requirements(["pytest", "no-such-package"])
    assert {"pytest", "pluggy", "iniconfig"} <= found
    assert "no-such-package" not in found


@pytest.mark.slow
def test_a_function_of_the_core_that_no_test_calls_is_told(monkeypatch, native_core, tmp_path):
    program = tool("core_tests", monkeypatch).program
    package = tmp_path / "steelyard"
    shutil.copytree(ROOT / "src" / "steelyard", package, ignore=shutil.ignore_patterns("_native*", "__pycache__"))
    shutil.copy(native_core.__file__, package)
    for whole, code in ((True, 1), (False, 0)):
        command = [sys.executable, "-c", program(tmp_path, whole), "-p", "no:cacheprovider", "tests/test_link.py"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == code, done.stdout + done.stderr
        assert ("No test of these runs" in done.stdout) == whole
        assert not whole or "sparse_newton" in done.stdout
