"""The cache: same content, same map; whole files or none; whatever is damaged is made anew."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tests.spatial.cells import MASKS, discs

from steelyard.spatial import Cache, Map
from steelyard.spatial import cache as cache_module
from steelyard.spatial.cache import key, sealed, unsealed

pytestmark = pytest.mark.filterwarnings("ignore:border. objects touch")  # many of these masks are crowds

ROOT = Path(__file__).parents[2]
BORDER, MASK = Map("border", share=0.3), MASKS["many"]


def only_file(cache):
    (path,) = cache.folder.glob("*/*.npy")
    return path


@pytest.mark.parametrize("name", MASKS)
def test_from_the_disk_it_is_the_same_to_the_bit(tmp_path, name, monkeypatch):
    cache = Cache(tmp_path / "new" / "folder")
    first = cache.weights(BORDER, MASKS[name])
    assert np.array_equal(np.load(only_file(cache)), first)
    monkeypatch.setattr(Map, "parts", None)
    again = cache.weights(BORDER, MASKS[name])
    tensor = cache.weights(BORDER, torch.from_numpy(MASKS[name]))
    assert again.dtype == np.float32
    assert np.array_equal(again, first)
    assert np.array_equal(tensor.numpy(), first)
    assert (len(cache), cache.nbytes) == (1, only_file(cache).stat().st_size)
    assert "1 maps" in repr(cache)


def test_equal_labels_have_one_key_and_all_else_another(monkeypatch):
    mask = discs(30, seed=2)
    keys = {key(BORDER, mask.astype(t)) for t in (np.int64, np.uint8, np.uint16, ">i4", np.int16)}
    keys |= {key(Map("border", share=0.3, sigma=5.0), np.asfortranarray(mask))}
    assert len(keys) == 1
    others = [
        key(BORDER, mask.T),
        key(BORDER, mask.reshape(48, -1)),
        key(BORDER, mask + (mask == mask.max())),
        key(BORDER.replace(spacing=(1, 2)), mask),
        key(BORDER.replace(share=0.4), mask),
        key(BORDER.replace(objects=True), mask),
        key(Map("dilate", share=0.3), mask),
    ]
    monkeypatch.setattr(cache_module, "ALGORITHM", cache_module.ALGORITHM + 1)
    others.append(key(BORDER, mask))
    assert len({*keys, *others}) == 1 + len(others)
    assert len({key(BORDER, np.array([[v]])) for v in (0, 255, 256, 65536, 2**40, -1)}) == 6


@given(st.data())
def test_any_damage_is_seen(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("d") / "a.npy"
    content = sealed(np.arange(6, dtype=np.float32).reshape(2, 3), {"key": "k"})
    at = data.draw(st.integers(0, len(content) - 1))
    way = data.draw(st.sampled_from(["cut", "flip", "zero", "more"]))
    bad = {
        "cut": content[:at],
        "flip": content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :],
        "zero": content[:at] + bytes(len(content) - at),
        "more": content + b"\0" * (at + 1),
    }[way]
    path.write_bytes(bad)
    assert unsealed(path) is None or bad == content
    path.write_bytes(content)
    array, note = unsealed(path)
    assert (array.tolist(), note) == ([[0, 1, 2], [3, 4, 5]], {"key": "k"})


@pytest.mark.parametrize("bad", [b"", b"\x93NUMPY", bytes(5000), None], ids=["empty", "cut", "zeros", "half"])
def test_a_damaged_file_is_made_anew(tmp_path, bad):
    cache = Cache(tmp_path)
    first = cache.weights(BORDER, MASK)
    path = only_file(cache)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2] if bad is None else bad)
    assert np.array_equal(cache.weights(BORDER, MASK), first)
    assert np.array_equal(cache.get(key(BORDER, MASK)), first)


def test_a_file_under_another_name_is_not_taken(tmp_path):
    cache = Cache(tmp_path)
    cache.weights(BORDER, MASK)
    other = key(BORDER, MASK.T)
    (tmp_path / other[:2]).mkdir(exist_ok=True)
    os.rename(only_file(cache), tmp_path / other[:2] / f"{other}.npy")
    assert cache.get(other) is None


FILL = """
import multiprocessing, sys
from steelyard.spatial import Cache, Map
from tests.spatial.cells import discs

def fill(folder):
    cache = Cache(folder)
    return [float(cache.weights(Map("border", share=0.3), discs(9, size=40, seed=k % 4)).sum()) for k in range(24)]

if __name__ == "__main__":
    with multiprocessing.get_context("fork").Pool(4) as pool:
        found = pool.map(fill, [sys.argv[1]] * 8)
    assert all(each == found[0] for each in found)
"""


def test_many_processes_write_the_same_maps_and_nothing_else_stays(tmp_path):
    """Forked from a process of their own: that of the tests has threads of other libraries, which no fork survives."""
    done = subprocess.run([sys.executable, "-c", FILL, tmp_path], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    files = [p for p in tmp_path.rglob("*") if p.is_file()]
    assert len(files) == len(Cache(tmp_path)) == 4


def test_where_it_cannot_write_it_warns_and_goes_on(tmp_path, monkeypatch):
    cache = Cache(tmp_path)

    def full(path, content, mark, overwrite):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cache_module, "write_bytes_atomically", full)
    with pytest.warns(UserWarning, match="keeps nothing more.*No space left"):
        assert np.array_equal(cache.weights(BORDER, MASK), BORDER(MASK))


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        Cache(tmp_path / "file")
