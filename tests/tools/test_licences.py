"""The licences of what the compiled core holds are those of what is compiled in."""

import importlib.metadata
from pathlib import Path

import pytest

LICENCES = Path(__file__).resolve().parents[2] / "licenses"


def test_nanobinds_licence_is_the_one_that_nanobind_brings():
    try:
        files = importlib.metadata.files("nanobind") or []
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("nanobind is not installed")
    (theirs,) = (f for f in files if f.name == "LICENSE")
    assert (LICENCES / "nanobind.txt").read_text("utf-8") == theirs.read_text("utf-8")
    (table,) = (f for f in files if f.name == "robin_map.h")
    comment = table.read_text("utf-8").partition("*/")[0]
    words = [word for word in comment.split() if word not in ("/**", "*")]
    assert (LICENCES / "robin-map.txt").read_text("utf-8").split() == words
