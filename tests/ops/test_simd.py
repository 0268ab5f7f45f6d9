"""native/simd.hpp and vectors.hpp beside NumPy, in every instruction set: what this machine runs, and NEON in QEMU."""

import platform
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
X86 = {
    "baseline": [],
    "avx2": ["-mavx2", "-mfma"],
    "avx512": ["-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl", "-mfma"],
}
SETS = [*(X86 if platform.machine() in ("x86_64", "AMD64") else ["baseline"]), "neon"]
FLAGS = ["-std=c++17", "-O2", "-fno-math-errno", "-fno-trapping-math", "-Wno-psabi", "-static", f"-I{ROOT / 'native'}"]


@pytest.fixture(params=SETS)
def program(request, tmp_path, native_core):
    """The command that runs tests/ops/simd.cpp in one set."""
    compiler, before = ("aarch64-linux-gnu-g++", ["qemu-aarch64"]) if request.param == "neon" else ("g++", [])
    for needed in (compiler, *before):
        if shutil.which(needed) is None:
            pytest.skip(f"there is no {needed}")
    if request.param not in ("neon", *native_core.sets()):
        pytest.skip(f"this machine has no {request.param}")
    out = tmp_path / "simd"
    source = [
        str(ROOT / "tests" / "ops" / "simd.cpp"),
        str(ROOT / "native" / "settle.cpp"),
        "-o",
        str(out),
        f"-DSTEELYARD_SET={request.param}",
    ]
    subprocess.run([compiler, *FLAGS, *X86.get(request.param, []), *source], check=True)
    return [*before, str(out)]


@pytest.fixture(scope="module")
def numbers():
    """Floats of every size and sign, those in the middle between two halves, NaN and infinities; every half; floats of 0 to 80."""
    random = np.random.default_rng(0)
    halves = np.arange(65536, dtype=np.uint16)
    exact = halves.view(np.float16).astype(np.float32)
    with np.errstate(all="ignore"):
        middle = (exact[:-1] + exact[1:]) / 2
    near = np.concatenate([np.nextafter(middle, np.float32(np.inf)), np.nextafter(middle, np.float32(-np.inf))])
    drawn = random.integers(0, 2**32, 2**18, dtype=np.uint32).view(np.float32)
    floats = np.concatenate([exact, middle, near, drawn, np.float32([65519, 65520, -65520, 2**-24, 2**-25, 2**-26])])
    finite = np.concatenate([random.uniform(0, 80, 2**14), 10.0 ** random.uniform(-38, 1, 2**14), np.zeros(16)])
    return np.resize(floats, len(floats) // 32 * 32), halves, finite.astype(np.float32)


def bfloat16(floats):
    """To the nearest, ties to even."""
    raw = floats.view(np.uint32).astype(np.uint64)
    return np.where(np.isnan(floats), 0x7FC0, (raw + 0x7FFF + (raw >> 16 & 1)) >> 16).astype(np.uint16)


def same(found, expected):
    """To the last bit, but for which NaN it is."""
    nan = np.isnan(expected)
    assert (np.isnan(found) == nan).all()
    assert (found[~nan] == expected[~nan]).all()
    assert (np.signbit(found[~nan]) == np.signbit(expected[~nan])).all()


@pytest.mark.slow
def test_every_function_is_numpys(program, numbers, tmp_path):
    floats, halves, finite = numbers
    paths = []
    for i, x in enumerate(numbers):
        paths.append(str(tmp_path / str(i)))
        x.tofile(paths[-1])
    out = subprocess.run([*program, *paths], capture_output=True, check=True).stdout
    at = 0

    def next_of(dtype, size):
        nonlocal at
        at += (length := np.dtype(dtype).itemsize * size)
        return np.frombuffer(out[at - length : at], dtype)

    def some(wide, narrow, one):
        """Every third lane, then the first numbers of each vector, one more in the next; and ones written so."""
        for there in (np.arange(len(wide)) % lanes % 3 == 0, first(len(wide))):
            same(next_of(np.float32, len(wide)), np.where(there, wide, np.float32(0)))
        assert (next_of(np.uint16, len(narrow)) == np.where(first(len(narrow)), one, narrow)).all()

    def first(size):
        return np.arange(size) % lanes < np.arange(size) // lanes % lanes

    lanes = next_of(np.int32, 1)[0]
    exactly = halves.view(np.float16).astype(np.float32)
    for _ in ("vectors", "one by one"):
        same(next_of(np.float32, len(halves)), exactly)
    with np.errstate(over="ignore"):
        narrow = floats.astype(np.float16)
    for _ in ("vectors", "one by one", "two vectors"):
        same(found := next_of(np.float16, len(floats)), narrow)
    some(exactly, found.view(np.uint16), 0x3C00)
    of_bfloat16 = (halves.astype(np.uint32) << 16).view(np.float32)
    for _ in ("vectors", "one by one"):
        same(next_of(np.float32, len(halves)), of_bfloat16)
    narrow = bfloat16(floats).astype(np.uint32)
    below = np.abs(floats) < 2.0**-126  # which the machine's own instruction makes 0
    for _ in ("vectors", "one by one", "two vectors"):
        halved = next_of(np.uint16, len(floats))
        found = (halved.astype(np.uint32) << 16).view(np.float32)
        expected = (narrow << 16).view(np.float32)
        same(found, np.where(below & (found == 0), np.copysign(np.float32(0), expected), expected))
    some(of_bfloat16, halved, 0x3F80)
    by16 = finite.reshape(-1, 16)
    assert np.allclose(next_of(np.float32, len(by16)), by16.sum(axis=1, dtype=np.float64), rtol=1e-6)
    assert (next_of(np.float32, len(by16)) == by16.max(axis=1)).all()
    mask = ((by16 > 1) << np.arange(16)).sum(axis=1) | ((by16 > 1).any(axis=1) << 16)
    assert (next_of(np.uint32, len(by16)) == mask).all()
    assert (next_of(np.int32, 2 * len(halves)) == halves.view(np.uint8)).all()
    assert (next_of(np.int32, len(floats) // 2) == floats.view(np.int32)[::2]).all()
    exact = finite.astype(np.float64)
    assert np.allclose(next_of(np.float32, len(finite)), np.exp(-exact), rtol=4e-7, atol=3e-45)
    with np.errstate(divide="ignore"):
        assert np.allclose(next_of(np.float32, len(finite)), np.log(exact), rtol=3e-7, atol=1e-7)
    assert np.allclose(next_of(np.float32, len(finite)), 1 / (1 + exact), rtol=3e-7, atol=0)
    sums = (np.float32(1) + finite).astype(np.float64)
    assert np.allclose(next_of(np.float32, len(finite)), np.log(sums), rtol=3e-7, atol=0)
    at_ends = next_of(np.float32, 5)
    assert at_ends[0] == 0
    assert np.isnan(at_ends[1:]).all()
    assert at == len(out)
