"""A bar shows on stderr, counts what there is, and changes nothing; without being asked for nothing is written."""

import builtins
import importlib.util
import inspect
import re

import numpy as np
import pytest
from tests.data.examples import masks

import steelyard as sy
from steelyard import count, progress

MASKS = [np.array([[1, 0, 2, 0]]), np.array([[1, 0, 0, 2]]), np.array([[0, 1, 2, 0]])]
BORDER = sy.spatial.Map("border")
ROWS = np.arange(60)
X, Y = (
    np.stack([np.sin(ROWS * 1.7), np.cos(ROWS * 0.9)], axis=1) + (ROWS % 4 == 0)[:, None],
    (ROWS % 4 == 0).astype(int),
)
LONG = {
    "count": lambda **k: count([(0, [1, 2])] * 3, key=1, **k),
    "calibrate": lambda **k: sy.spatial.calibrate(MASKS, BORDER, share=0.3, **k),
    "explain": lambda **k: sy.explain(BORDER, MASKS, **k).regions,
}


@pytest.fixture
def at_once(monkeypatch):
    monkeypatch.setattr(progress, "PATIENCE", -1)
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich then takes the pipe for a terminal


@pytest.mark.parametrize("call", LONG.values(), ids=LONG)
def test_it_writes_to_stderr_alone_and_changes_nothing(call, at_once, capsys):
    plain = call()
    silent = capsys.readouterr()
    assert (silent.out, silent.err) == ("", "")
    assert call(progress=True) == plain
    said = capsys.readouterr()
    assert said.out == ""
    assert "3/3" in re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", said.err)


@pytest.mark.parametrize("call", [sy.count, sy.tune, sy.explain, sy.spatial.calibrate])
def test_nothing_is_shown_unless_asked(call):
    assert inspect.signature(call).parameters["progress"].default is False


def test_files_are_counted_in_bytes(tmp_path, at_once, capsys):
    folder = masks(tmp_path / "m")
    assert count(folder, ignore=255, progress=True) == count(folder, ignore=255)
    assert "counting" in capsys.readouterr().err


@pytest.mark.slow
def test_a_study_counts_its_fits(at_once, capsys):
    told = []
    options = {"repeats": 1, "folds": 2, "bootstrap": 100, "baselines": False}
    sy.tune(X, Y, progress=lambda done, total: told.append((done, total)), **options)
    assert capsys.readouterr().err == ""
    sy.tune(X, Y, progress=True, **options)
    said = capsys.readouterr()
    done, total = told[-1]
    assert said.out == ""
    assert f"{done}/{total}" in re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", said.err)


def test_a_total_may_grow_and_tqdm_says_the_same(monkeypatch, at_once, capsys):
    pytest.importorskip("tqdm")
    monkeypatch.setattr(progress, "in_notebook", lambda: True)
    with progress.bar("fitting", None, shown=True, unit="fits") as tell:
        tell(2, 4)
        tell(8, 8)
    said = capsys.readouterr()
    assert said.out == ""
    assert "fitting" in said.err


def test_without_rich_and_tqdm_one_sentence_says_what_to_install(monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name in ("rich", "tqdm") else find(name))
    with pytest.raises(ImportError, match=r'pip install "steelyard\[cli\]"'), progress.bar("counting", 3, shown=True):
        pass


def test_a_terminal_is_no_notebook():
    assert not progress.in_notebook()
    assert not hasattr(builtins, "get_ipython")
