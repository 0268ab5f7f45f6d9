"""steelyard doctor. Files: cli/tell.py, ops/families.py."""

import platform
import subprocess
import sys
from importlib import metadata

import pytest
import torch

from steelyard import __version__, extras
from steelyard.cli import doctor
from steelyard.ops import native


def test_it_names_versions_backend_threads_and_devices(steelyard):
    code, out, err = steelyard("doctor")
    assert (code, err) == (0, "")
    for words in (
        platform.python_version(),
        f"torch      {torch.__version__}",
        metadata.version("pyarrow"),
        f"threads    {torch.get_num_threads()} of",
        "devices    cpu",
        f"backend    native core, {native._native.current()}" if native.available() else "native core is not built",
    ):
        assert words in out


@pytest.mark.skipif(not native.available(), reason="the native core is not built")
def test_every_family_of_kernels_is_tried(steelyard, monkeypatch):
    from steelyard.ops import families

    shapes = {
        link: {name: (size[0] // 100 or 1, *size[1:]) for name, size in found.items()}
        for link, found in families.SHAPES.items()
    }
    monkeypatch.setattr(families, "SHAPES", shapes)
    _, out, err = steelyard("doctor")
    for link, found in families.SHAPES.items():
        for name in found:
            assert f"kernels    cpu {link}, {name}: 9 of 9 right" in out
    assert (err, "note: cpu" in out) == ("", False)


@pytest.mark.skipif(not native.available(), reason="the native core is not built")
def test_kernels_that_are_wrong_are_named(steelyard, monkeypatch):
    from steelyard.ops import families, kernels, proof

    class Broken(native.Call):
        def mean(self, gradient, norm):
            return super().mean(gradient, norm) * 1.01

    monkeypatch.setattr(families, "SHAPES", {"softmax": {"rows": (64, 5)}})
    monkeypatch.setattr(kernels, "available", lambda device: True)
    monkeypatch.setattr(kernels, "of", lambda device: kernels.native.KERNELS._replace(call=Broken))
    monkeypatch.setattr(proof, "_known", {})
    code, out, err = steelyard("doctor")
    assert (code, err) == (0, "")
    assert "kernels    cpu softmax, rows: 0 of 9 right\n" in out
    assert out.count("mean is off by") == 9


def test_a_backend_that_is_none_is_said(steelyard, monkeypatch):
    from steelyard.ops import choice

    monkeypatch.setattr(choice, "_chosen", "tritium")
    code, out, _ = steelyard("doctor")
    assert code == 0
    assert (
        "kernels    cpu: not tried: STEELYARD_BACKEND: 'tritium' is no backend; one of auto, eager, native, triton."
        in out
    )


def test_without_the_native_core_it_is_said(steelyard, monkeypatch):
    monkeypatch.setitem(sys.modules, "steelyard._native", None)
    code, out, _ = steelyard("doctor")
    assert code == 0
    assert "backend    pure torch; the native core is not built: install with a C++ compiler" in out


def test_what_is_missing_is_named_with_its_extra(steelyard, monkeypatch):
    monkeypatch.setattr(doctor, "installed", lambda name: None if name == "scipy" else "1.0")
    _, out, _ = steelyard("doctor")
    assert "note: scipy is missing; pip install 'steelyard[tune]' brings it. It gives: the tuner" in out
    assert "Nothing is missing" not in out


def test_a_torch_that_does_not_import_is_said(steelyard, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    code, out, _ = steelyard("doctor")
    assert code == 0
    assert "torch      does not work: ModuleNotFoundError" in out


@pytest.mark.parametrize(("version", "said"), [("3.7.1", "Triton 3.7.1"), (None, "pure torch; Triton is missing")])
def test_with_a_gpu_it_says_what_computes_there(steelyard, monkeypatch, version, said):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda i: "some card")
    monkeypatch.setattr(doctor, "installed", lambda name: version if name == "triton" else "1.0")
    _, out, _ = steelyard("doctor")
    assert f"on cuda    {said}" in out
    assert "cuda:0 (some card)" in out


def test_every_extra_says_what_each_of_its_packages_gives(steelyard, monkeypatch):
    monkeypatch.setattr(doctor, "installed", lambda name: None)
    _, out, _ = steelyard("doctor")
    for extra, packages in extras.EXTRAS.items():
        for name, gives in packages.items():
            assert f"note: {name} is missing; pip install 'steelyard[{extra}]' brings it. It gives: {gives}." in out
    assert "PNG and TIFF masks" in out


def test_it_works_on_a_bare_install():
    program = "import sys; sys.modules |= dict.fromkeys(('typer', 'rich', 'click')); from steelyard.cli import main; sys.exit(main())"
    for argument, says in (("--version", f"steelyard {__version__}"), ("doctor", "python     ")):
        done = subprocess.run([sys.executable, "-c", program, argument], capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, "")
        assert says in done.stdout
