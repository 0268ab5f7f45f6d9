"""The public face changes by decision: public_face.txt holds it, and a change of it is a line of a commit that somebody reads."""

import difflib
import importlib
import importlib.util
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def written():
    for needed in ("typer", "sqlalchemy", "sklearn"):
        pytest.importorskip(needed, reason="the command line and the tuner are part of the face")
    spec = importlib.util.spec_from_file_location("public_face", HERE / "public_face.py")
    face = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(face)
    return face


def test_the_public_face_is_the_one_that_was_decided(written):
    old, new = (HERE / "public_face.txt").read_text("utf-8"), written.face()
    change = "\n".join(difflib.unified_diff(old.splitlines(), new.splitlines(), "decided", "now", n=1, lineterm=""))
    assert not change, (
        f"The public face changed:\n{change}\nIf that is meant: docs/project/stability.md says what a change owes to those who use"
        " steelyard; then run python tests/public_face.py and commit tests/public_face.txt with it."
    )


def test_a_new_option_a_lost_name_and_a_new_default_are_seen(written, monkeypatch):
    """The face is no list that could not change: each kind of change makes another text."""
    before = written.face()

    def focal(gamma=3.0):
        pass

    monkeypatch.setattr(written.sy, "focal", focal)
    assert "focal(gamma=3.0)" in written.face()
    monkeypatch.undo()
    monkeypatch.setattr(written.sy, "__all__", [name for name in written.sy.__all__ if name != "focal"], raising=False)
    assert len(written.face()) < len(before)
    monkeypatch.undo()
    recipe = importlib.import_module("steelyard.recipe")
    monkeypatch.setattr(recipe, "FORMAT", "steelyard.recipe/2")
    assert "steelyard.recipe/2" in written.face()
