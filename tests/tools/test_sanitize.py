"""The C++ core under the sanitizers: its tests end without a finding, and a finding ends them."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OUT_OF_BOUNDS = "int main(int n, char **) { int *a = new int[2]; int b = a[n + 1]; delete[] a; return b; }\n"


def tool():
    spec = importlib.util.spec_from_file_location("sanitize", ROOT / "tools" / "sanitize.py")
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "tools"))
        spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def sanitize():
    made = tool()
    if why := made.lacking():
        pytest.skip(why)
    return made


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_the_tests_of_the_core_end_without_a_finding(sanitize):
    done = subprocess.run([sys.executable, sanitize.__file__], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "ERROR: AddressSanitizer" not in done.stderr
    assert "runtime error:" not in done.stderr


def test_what_is_lacking_is_said(monkeypatch):
    made = tool()
    monkeypatch.setattr(made.shutil, "which", lambda name: None)
    assert made.lacking() == "there is no g++"
    assert made.main([]) == 2


@pytest.mark.slow
def test_the_flags_find_what_is_wrong(sanitize, tmp_path):
    (tmp_path / "a.cpp").write_text(OUT_OF_BOUNDS)
    flags = [flag for flag in sanitize.COMMON if flag != "-fPIC"]
    subprocess.run(["g++", *flags, str(tmp_path / "a.cpp"), "-o", str(tmp_path / "a")], check=True)
    done = subprocess.run([str(tmp_path / "a")], capture_output=True, text=True)
    assert done.returncode != 0
    assert "AddressSanitizer: heap-buffer-overflow" in done.stderr
