"""Recipes in Ultralytics' trainers: theirs under a neutral recipe, a plain reference with weights, every task, EMA, resume."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
PROGRAM = Path(__file__).parent / "yolo_runs.py"
ROOT = PROGRAM.parents[2]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """What yolo_runs.py finds, in a process of its own."""
    if importlib.util.find_spec("ultralytics") is None:
        pytest.skip("ultralytics is not installed")
    folder = tmp_path_factory.mktemp("yolo")

    def run(what: str, start: tuple[str, ...] = ()):
        path = os.pathsep.join([str(ROOT), str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])
        done = subprocess.run(
            [sys.executable, "-W", "ignore", *start, str(PROGRAM), str(folder), what],
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            timeout=800,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return json.loads((folder / f"{what}.json").read_text())

    return run


def test_the_loss_is_theirs_and_weights_act_on_the_target_alone(run):
    found = run("exact")
    assert set(found) == {"yolo11n.yaml", "yolo26n.yaml", "yolo11n-obb.yaml", "yolo11n-cls.yaml", "yolo26n-sem.yaml"}
    for rows in found.values():
        assert rows["neutral"] == pytest.approx(rows["theirs"], rel=1e-5)
        for norm in ("count", "mass"):
            assert rows[norm][0] == pytest.approx(rows[norm][1], rel=1e-5)
        if "columns" in rows:  # class_weights of theirs weigh a class's negatives, too
            assert abs(rows["columns"] / rows["count"][1] - 1) > 0.005


@pytest.mark.parametrize("task", ["detect", "segment", "pose", "obb", "classify", "semantic"])
def test_a_neutral_recipe_trains_as_without_and_weights_do_not(run, task):
    for rows in run(task).values():
        assert len(rows["plain"]) == 2
        assert rows["neutral"] == pytest.approx(rows["plain"], rel=1e-3)  # an assigner rounds, too
        assert rows["neutral"][0] == pytest.approx(rows["plain"][0], rel=2e-5)
        assert abs(rows["weighed"][0] / rows["plain"][0] - 1) > 1e-3
        assert rows["own copy"]
        assert rows["keys"]


def test_a_resumed_run_has_the_recipe_and_what_its_rules_had_learned(run):
    found = run("resume")
    assert found["file"]
    assert found["ours"]
    assert found["updates"] == 1
    assert found["loaded"] == found["saved"]
    assert len(found["saved"]) == 2
    assert found["saved"][0] != found["saved"][1]  # a rule for each branch
    assert found["epochs"] == 3
    assert found["further"] != found["saved"]


def test_two_ranks_are_one_process_where_asked_and_as_theirs_otherwise(run):
    found = run("ranks", ("-m", "torch.distributed.run", "--nproc-per-node=2", "--standalone"))
    assert len(found) == 8
    for name, (exact, own, whole) in found.items():
        assert exact == pytest.approx(whole, rel=2e-5), name
        if name != "yolo11n-cls.yaml count":  # one image each
            assert abs(own / whole - 1) > (1e-5 if "sem" in name else 1e-3), name


def test_micro_batches_are_divided_each_by_its_own_as_theirs_are(run):
    found = run("micro")
    assert set(found) == {"count", "mass", "theirs"}
    for ratio in found.values():
        assert 1e-3 < abs(ratio - 1) < 0.5


def test_rules_hear_the_epoch_and_the_ema_copy_has_their_numbers(run):
    for model, rows in run("later").items():
        (waiting, plain), (later, as_before) = rows["first"], rows["second"]
        assert waiting == pytest.approx(plain, rel=1e-3), model
        assert later > 1.05 * as_before, model
        assert set(rows["ema"]) == {50.0}


def test_what_has_no_place_is_refused(run):
    for name, words in run("refused").items():
        assert words, name
