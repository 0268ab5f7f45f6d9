"""Launch sizes: the table holds what kernels can be launched with, and they are launched with what it holds."""

import types

import pytest
import torch

import steelyard as sy
from steelyard.ops import bind, gpu, launch, native, proof

CPU = torch.device("cpu")
TUNED = launch.Sizes(tile=4096, tile_warp=512, piece=8192, piece_warp=1024, elements=1024, elements_warp=128)


@pytest.fixture
def tuned(monkeypatch):
    monkeypatch.setitem(launch.table(), "cpu", TUNED)


def test_the_table_says_where_it_is_from():
    import json

    for name, line in json.loads(launch.PATH.read_text("utf-8")).items():
        assert line["source"]
        assert line.keys() - {"source"} <= set(launch.Sizes._fields), name
        assert all(v & (v - 1) == 0 for v in launch.table()[name]), name


def test_what_was_not_measured_gets_the_sizes_of_all():
    assert launch.of(CPU) == launch.Sizes() == launch.ANY
    assert launch.architecture(torch.device("meta")) == "meta"


def test_an_architecture_is_its_compute_capability(monkeypatch):
    launch.architecture.cache_clear()
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (9, 0))
    monkeypatch.setitem(launch.table(), "9.0", TUNED)
    assert launch.of(torch.device("cuda", 0)) == TUNED
    launch.architecture.cache_clear()


def launched(shape, link="softmax"):
    target = torch.zeros(shape if link == "sigmoid" else (shape[0], *shape[2:]), dtype=torch.long)
    call = gpu.Call(torch.zeros(shape), target, bind(sy.Recipe(), link), None, -100)
    programs, _, form = call._softmax() if link == "softmax" else call._sigmoid()
    return programs, form


@pytest.mark.parametrize("which", ["of all", "tuned"])
def test_kernels_are_launched_so(which, request, monkeypatch):
    monkeypatch.setattr(gpu, "_kernels", lambda name: types.SimpleNamespace(loop=None, tile=None, elements=None))
    if which == "tuned":
        request.getfixturevalue("tuned")
    sizes = launch.of(CPU)
    programs, form = launched((100_000, 10))
    assert form["BLOCK"] * form["CLASSES"] == sizes.tile
    assert programs == -(-100_000 // form["BLOCK"])
    assert form["num_warps"] == max(4, sizes.tile // sizes.tile_warp)
    _, form = launched((3, 40_000))
    assert (form["CLASSES"], form["num_warps"]) == (sizes.piece, max(4, sizes.piece // sizes.piece_warp))
    programs, form = launched((1000, 7), "sigmoid")
    assert (form["BLOCK"], programs) == (sizes.elements, -(-7000 // sizes.elements))


@pytest.mark.skipif(not native.available(), reason="the native core is not built")
def test_the_case_that_a_family_proves_itself_by_fills_a_program(tuned, monkeypatch):
    monkeypatch.setattr(proof, "_known", {})
    seen = []

    class Counting(native.Call):
        def __init__(self, logits, *rest):
            seen.append(logits.numel())
            super().__init__(logits, *rest)

    call = torch.zeros(100_000, 10), torch.zeros(100_000, dtype=torch.long), bind(sy.Recipe(), "softmax")
    assert proof.refusal(Counting, native.scale, *call, None) == ""
    assert TUNED.tile - 10 <= seen[0] <= TUNED.tile
