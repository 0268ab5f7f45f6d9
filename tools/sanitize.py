"""The C++ core under AddressSanitizer and UndefinedBehaviorSanitizer: built apart, and the tests of the core run on it.

    python tools/sanitize.py [pytest options]

Without options all of them run, and a function of the core that none has called is a failure.

Needs g++ with libasan and libubsan, and nanobind (pip install nanobind). Nothing in the working tree is changed; a finding ends a test
run with the sanitizer's report and a code that is not 0. Without optimisation, which would take minutes to compile.
"""

import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from core_tests import TESTS, program

ROOT = Path(__file__).resolve().parents[1]
SANITIZE = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer"]
COMMON = ["-std=c++17", "-fPIC", "-O0", "-w", "-fvisibility=hidden", *SANITIZE]
MATH = ["-fno-math-errno", "-fno-trapping-math"]  # as in CMakeLists.txt
SETS = {"baseline": []}
if platform.machine() in ("x86_64", "AMD64"):
    wide = ["-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl", "-mfma", "-mprefer-vector-width=512"]
    SETS |= {"avx2": ["-mavx2", "-mfma"], "avx512": wide}
    COMMON.append("-mno-mmx")
# the interpreter's own memory is not freed at its end; torch's libraries are not instrumented
OPTIONS = {
    "ASAN_OPTIONS": "detect_leaks=0:abort_on_error=0:allocator_may_return_null=1",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
}


def lacking() -> str:
    """What there is not, or ""."""
    compiler = shutil.which("g++")
    if compiler is None:
        return "there is no g++"
    for library in ("libasan.so", "libubsan.so"):
        if not os.path.isabs(_of_compiler(library)):
            return f"g++ has no {library}"
    if importlib.util.find_spec("nanobind") is None:
        return "nanobind is not installed: pip install nanobind"
    return ""


def _of_compiler(library: str) -> str:
    return subprocess.run(["g++", f"-print-file-name={library}"], capture_output=True, text=True).stdout.strip()


def build(folder: Path) -> Path:
    """The module, in a folder that holds a copy of the package."""
    place = folder / "steelyard"
    shutil.copytree(
        ROOT / "src" / "steelyard", place, ignore=shutil.ignore_patterns("_native*", "__pycache__"), symlinks=False
    )
    (nanobind,) = importlib.util.find_spec("nanobind").submodule_search_locations  # type: ignore[union-attr,misc]
    nano = Path(nanobind)
    include = [sysconfig.get_path("include"), nano / "include", nano / "ext" / "robin_map" / "include", ROOT / "native"]
    paths = [f"-I{path}" for path in include]
    native = ROOT / "native"
    by_set = re.findall(r"objects_for\(\$\{name\} (\w+)", (ROOT / "CMakeLists.txt").read_text("utf-8"))
    jobs = {
        f"{source}-{name}": [native / f"{source}.cpp", f"-DSTEELYARD_SET={name}", *flags, *MATH]
        for source in by_set
        for name, flags in SETS.items()
    }
    jobs |= {path.stem: [path] for path in sorted(native.glob("*.cpp")) if path.stem not in by_set}
    jobs["nanobind"] = [nano / "src" / "nb_combined.cpp", "-fno-strict-aliasing"]

    def compile_one(name: str) -> Path:
        out = folder / f"{name}.o"
        subprocess.run(["g++", *COMMON, *paths, *map(str, jobs[name]), "-c", "-o", str(out)], check=True)
        return out

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        objects = list(pool.map(compile_one, jobs))
    module = place / f"_native{sysconfig.get_config_var('EXT_SUFFIX')}"
    subprocess.run(["g++", "-shared", *SANITIZE, *map(str, objects), "-pthread", "-o", str(module)], check=True)
    return module


def run(folder: Path, options: list[str]) -> int:
    """pytest's exit code, or the sanitizer's."""
    whole = program(folder, whole=not options)
    preload = " ".join(_of_compiler(library) for library in ("libasan.so", "libubsan.so"))
    options = ["-p", "no:cacheprovider", "-n", "0", *(options or TESTS)]
    command = [sys.executable, "-c", whole, *options]
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **OPTIONS, "LD_PRELOAD": preload}).returncode


def main(options: list[str]) -> int:
    if why := lacking():
        print(f"sanitize: {why}")
        return 2
    with tempfile.TemporaryDirectory(prefix="steelyard-sanitize-") as folder:
        build(Path(folder))
        return run(Path(folder), options)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
