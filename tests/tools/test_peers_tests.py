"""Peers' tests are run as they are against our losses: a checkout that asks for the right numbers passes, one that does not fails."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).resolve().parents[2] / "tools" / "peers_tests.py"
TESTS = """
import torch
from fvcore.nn import sigmoid_focal_loss

def test_half():
    loss = sigmoid_focal_loss(torch.zeros(3), torch.ones(3), alpha=0.25, gamma=2.0, reduction="sum")
    torch.testing.assert_close(loss, torch.tensor(3 * 0.25 * 0.25 * 0.6931472 * FACTOR))

def test_star():
    raise AssertionError("left out")
"""


def run(*arguments):
    return subprocess.run([sys.executable, str(TOOL), *map(str, arguments)], capture_output=True, text=True)


@pytest.mark.slow
@pytest.mark.parametrize(("factor", "code"), [("1", 0), ("2", 1)])
def test_a_checkouts_tests_see_our_losses(tmp_path, factor, code):
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_focal_loss.py").write_text(TESTS.replace("FACTOR", factor), encoding="utf-8")
    found = run("fvcore", tmp_path)
    assert found.returncode == code, found.stdout + found.stderr
    assert "1 deselected" in found.stdout


@pytest.mark.slow
def test_what_is_no_checkout_is_named(tmp_path):
    found = run("fvcore", tmp_path)
    assert found.returncode == 2
    assert "a checkout of fvcore" in found.stderr
    assert "is no folder" in run("kornia", tmp_path / "nowhere").stderr


@pytest.mark.slow
def test_scikit_learns_threshold_tests_are_as_the_page_counts_them():
    """Of the installed package; the one that fails asks for an error where we answer everything or nothing."""
    pytest.importorskip("sklearn.model_selection.tests")
    page = (TOOL.parents[1] / "docs" / "reference" / "differences.md").read_text("utf-8")
    passed, many = re.search(r"scikit-learn, threshold tuners \| (\d+) of (\d+)", page).groups()
    found = run("scikit-learn-cuts", "installed")
    assert f"{int(many) - int(passed)} failed, {passed} passed" in found.stdout, found.stdout + found.stderr
    assert "constant_predictor" in found.stdout
