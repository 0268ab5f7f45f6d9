"""The program of `benchmarks gpu` on the CPU, where its numbers say nothing and its parts must run."""

import importlib.util
import json
from pathlib import Path

import pytest
import torch

from benchmarks import gpu, gpu_parts, gpu_sizes
from steelyard import adaptive
from steelyard.ops import native

ROOT = Path(__file__).resolve().parents[2]


def test_every_rule_takes_part():
    assert adaptive.RULES.keys() >= gpu_parts.RULES.keys() | gpu_parts.WITHOUT
    for name in sorted(adaptive.RULES.keys() - gpu_parts.WITHOUT):
        assert gpu_parts._rule(name, torch.device("cpu")) == ""


def test_parts_that_are_there_are_kept_and_a_failure_is_a_row(tmp_path, monkeypatch, capsys):
    asked = []

    def fine(device, small):
        asked.append("fine")
        yield {"x": 1}

    def broken(device, small):
        asked.append("broken")
        yield {"x": 2}
        raise RuntimeError("no such\ncard")

    def slow(device, small):
        while True:
            yield {"x": 3}

    monkeypatch.setattr(gpu_parts, "PARTS", {"fine": fine, "broken": broken, "slow": slow})
    out = tmp_path / "results" / "gpu.json"
    for _ in range(2):
        gpu.main(["--device", "cpu", "--minutes", "0.01", "--out", str(out)])
        parts = json.loads(out.read_text("utf-8"))["parts"]
        assert parts["fine"]["rows"] == [{"x": 1}]
        assert parts["broken"]["rows"][-1] == {"failed": "RuntimeError: no such card"}
        assert not parts["slow"]["whole"]
    assert asked == ["fine", "broken"]
    capsys.readouterr()
    gpu.main(["--device", "cpu", "--parts", "fine", "--again", "--out", str(out)])
    assert asked == ["fine", "broken", "fine"]
    monkeypatch.setattr(gpu, "commit", lambda: "another")
    gpu.main(["--device", "cpu", "--parts", "fine", "--out", str(out)])
    assert json.loads(out.read_text("utf-8"))["parts"].keys() == {"fine"}
    assert len(asked) == 4


def results(rows, whole=True, **more):
    return {
        "machine": {"device": "A card", "capability": [9, 0]},
        "versions": {"torch": "2", "triton": "3"},
        "commit": "abc",
        "small": False,
        "parts": {"sizes": {"whole": whole, "rows": rows}},
    } | more


def test_the_best_launch_sizes_are_taken_over(tmp_path, capsys):
    def row(kernel, size, ratio, off=0.0):
        return {"kernel": kernel, "size": size, "warp": 128, "ratio": ratio, "off": off}

    rows = [row("tile", 512, 1.2), row("tile", 2048, 1.1), row("tile", 4096, 1.5, off=0.5), row("piece", 8192, 1.01)]
    rows += [
        row("tile", 8192, 2.0, off=float("nan")),
        {"kernel": "elements", "size": 1024, "warp": 512, "not_run": "no registers"},
    ]
    table, found = tmp_path / "launch.json", tmp_path / "gpu.json"
    table.write_text('{"8.0": {"tile": 2048, "source": "before"}}')
    found.write_text(json.dumps(results(rows)))
    assert gpu_sizes.adopt(found, table) == "launch.json: 9.0: tile 512, tile_warp 128"
    held = json.loads(table.read_text())
    assert held["8.0"] == {"tile": 2048, "source": "before"}
    assert held["9.0"] == {"tile": 512, "tile_warp": 128, "source": "A card, torch 2, Triton 3, commit abc"}
    for nothing in (results(rows, whole=False), results(rows, small=True), results(rows, machine={"device": "cpu"})):
        found.write_text(json.dumps(nothing))
        with pytest.raises(ValueError, match="--parts sizes"):
            gpu_sizes.adopt(found, table)
        with pytest.raises(SystemExit, match="2"):
            gpu.main(["--sizes", "--out", str(found)])
        assert "--parts sizes" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.skipif(not native.available(), reason="the native core is not built")
def test_all_of_it_runs(tmp_path, capsys):
    out = tmp_path / "gpu.json"
    gpu.main(["--device", "cpu", "--small", "--minutes", "5", "--out", str(out)])
    found = json.loads(out.read_text("utf-8"))
    assert found["parts"].keys() == gpu_parts.PARTS.keys()
    for part in found["parts"].values():
        for row in part["rows"]:
            assert "failed" not in row or row["failed"] == {}, row
            assert row.get("broken", "") == "" or row["broken"].startswith("not tried"), row
    spec = importlib.util.spec_from_file_location("speed_page", ROOT / "docs" / "speed_page.py")
    page = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(page)
    assert "Not measured on a GPU yet" in page.on_a_gpu(found)
    told = page.on_a_gpu(found | {"small": False})
    assert "0 of " in told
    assert told.count("| bfloat16 |") == 6
