"""The C++ core for 64-bit ARM, as on a Mac or a Graviton: cross-compiled by CMakeLists.txt, and the tests of the core run on it in QEMU.

    python tools/arm.py [pytest options]

Needs g++-aarch64-linux-gnu, qemu-user and cmake of a Debian, apt-get, pip and nanobind. The Python of ARM comes from Debian, torch and
other compiled packages from their wheels for ARM, those of plain Python from this environment. All of it lies in build/arm and is kept: 300 MB are
fetched once. Nothing is installed. Torch itself is what makes a run slow, ten to thirty times as slow as the machine.
"""

import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

from core_tests import TESTS, program
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
HOME = ROOT / "build" / "arm"
COMPILER, EMULATOR = "aarch64-linux-gnu-g++", "qemu-aarch64"
PROCESSOR = (
    "neoverse-n1"  # ARMv8.2, the oldest that torch runs on: what is newer ends the run as an illegal instruction
)
TORCH = "torch==2.10.0"  # of the wheels for ARM the last that does not ask for CUDA
DEBIAN = ["python3-minimal", "libpython3-dev", "libstdc++6", "libgomp1"]
NEEDED = ["torch", "numpy", "pytest", "hypothesis", "scipy", "scikit-learn"]  # and what these ask for


def lacking() -> str:
    """What there is not, or ""."""
    for name, package in (
        (COMPILER, "g++-aarch64-linux-gnu"),
        (EMULATOR, "qemu-user"),
        ("cmake", "cmake"),
        ("apt-get", "a Debian"),
        ("dpkg-deb", "a Debian"),
    ):
        if shutil.which(name) is None:
            return f"there is no {name} ({package})"
    if importlib.util.find_spec("nanobind") is None:
        return "nanobind is not installed: pip install nanobind"
    return ""


def call(*command: str | Path, where: Path | None = None) -> str:
    done = subprocess.run([str(c) for c in command], cwd=where, capture_output=True, text=True)
    if done.returncode:
        last = (done.stderr or done.stdout).strip()[-2000:]
        raise SystemExit(f"arm: {' '.join(map(str, command))} ended with code {done.returncode}:\n{last}")
    return done.stdout


def python(home: Path) -> Path:
    """The root of a Debian for ARM that has Python and its headers."""
    root, apt = home / "root", home / "apt"
    if (root / "usr" / "bin" / "python3").exists():
        return root
    for folder in ("state/lists/partial", "cache/archives/partial"):
        (apt / folder).mkdir(parents=True, exist_ok=True)
    (apt / "status").touch()  # nothing is installed: all that Python needs is fetched
    settings = {
        "APT::Architecture": "arm64",
        "APT::Architectures": "arm64",
        "APT::Sandbox::User": "",
        "Debug::NoLocking": "1",
        "Dir::State": apt / "state",
        "Dir::State::status": apt / "status",
        "Dir::Cache": apt / "cache",
    }
    options = [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]
    call("apt-get", *options, "-qq", "update")
    call("apt-get", *options, "-qq", "-y", "-d", "--no-install-recommends", "install", *DEBIAN)
    beside = home / "root.new"
    shutil.rmtree(beside, ignore_errors=True)
    for package in sorted((apt / "cache" / "archives").glob("*.deb")):
        call("dpkg-deb", "-x", package, beside)
    beside.rename(root)
    return root


def version(root: Path) -> str:
    """Of its Python: "3.11"."""
    return os.readlink(root / "usr" / "bin" / "python3").removeprefix("python")


def packages(home: Path, root: Path) -> Path:
    """A folder for the path of ARM's Python: torch, NumPy, and what the tests need beside them."""
    made = home / "packages"
    if made.exists():
        return made
    pip = [sys.executable, "-m", "pip"] if importlib.util.find_spec("pip") else ["pip"]
    beside = home / "packages.new"
    shutil.rmtree(beside, ignore_errors=True)
    wheels = [TORCH]
    for name in sorted(requirements(NEEDED) - {"torch"}):
        files = importlib.metadata.files(name) or ()
        if any(file.suffix == ".so" for file in files):
            wheels.append(f"{name}=={importlib.metadata.version(name)}")
            continue
        for file in files:
            if ".." not in file.parts and file.suffix != ".pyc":
                to = beside / file
                to.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(Path(str(file.locate())), to)
    systems = [word for age in (17, 27, 28) for word in ("--platform", f"manylinux_2_{age}_aarch64")]
    target = [*systems, "--python-version", version(root), "--only-binary", ":all:", "--no-deps", "--target", beside]
    call(*pip, "install", "-q", "--disable-pip-version-check", *target, *wheels)
    beside.rename(made)
    return made


def requirements(names: list[str]) -> set[str]:
    """The distributions that these ask for here, they themselves among them."""
    found: set[str] = set()
    left = list(names)
    while left:
        name = left.pop()
        if name in found or not present(name):
            continue
        found.add(name)
        for text in importlib.metadata.requires(name) or ():
            requirement = Requirement(text)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                left.append(requirement.name)
    return found


def present(name: str) -> bool:
    try:
        importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def build(home: Path, root: Path) -> Path:
    """A folder that holds a copy of the package, and in it the module for ARM."""
    folder, place = home / "cmake", home / "place"
    include = root / "usr" / "include" / f"python{version(root)}"
    nanobind = Path(importlib.util.find_spec("nanobind").submodule_search_locations[0])  # type: ignore[union-attr,index]
    settings = {
        "CMAKE_SYSTEM_NAME": "Linux",
        "CMAKE_SYSTEM_PROCESSOR": "aarch64",
        "CMAKE_CXX_COMPILER": COMPILER,
        "CMAKE_CXX_FLAGS": f"-I{root}/usr/include",  # Debian keeps pyconfig.h of each machine there
        "Python_EXECUTABLE": sys.executable,
        "Python_INCLUDE_DIR": include,
        "nanobind_DIR": nanobind / "cmake",
    }
    call("cmake", "-S", ROOT, "-B", folder, *(f"-D{name}={value}" for name, value in settings.items()))
    call("cmake", "--build", folder, "--parallel", str(os.cpu_count() or 1))
    (module,) = folder.glob("_native*.so")
    shutil.rmtree(place, ignore_errors=True)
    ignored = shutil.ignore_patterns("_native*", "__pycache__")
    shutil.copytree(ROOT / "src" / "steelyard", place / "steelyard", ignore=ignored)
    suffix = f".cpython-{version(root).replace('.', '')}-aarch64-linux-gnu.so"
    shutil.copyfile(module, place / "steelyard" / f"_native{suffix}")
    return place


def run(root: Path, path: list[Path], options: list[str]) -> int:
    """pytest's exit code on ARM."""
    python = root / "usr" / "bin" / f"python{version(root)}"
    command = [
        EMULATOR,
        "-cpu",
        PROCESSOR,
        "-L",
        str(root),
        str(python),
        "-c",
        program(path[0], not options),
        "-p",
        "no:cacheprovider",
        *(options or TESTS),
    ]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path)), "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, cwd=ROOT, env=environment).returncode


def main(options: list[str], home: Path = HOME) -> int:
    if why := lacking():
        print(f"arm: {why}")
        return 2
    home.mkdir(parents=True, exist_ok=True)
    root = python(home)
    path = [build(home, root), packages(home, root)]
    return run(root, path, options)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
