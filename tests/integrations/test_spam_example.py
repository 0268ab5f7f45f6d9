"""The spam example on a made-up file: messages are read once each, parts share none, and the program writes its table."""

import numpy as np
import pytest

pytest.importorskip("transformers")
pytest.importorskip("accelerate")
pytest.importorskip("pyarrow")
from examples.spam import data

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning", "ignore::DeprecationWarning")


def test_messages_are_kept_once_and_parts_share_none(tmp_path):
    path = tmp_path / "messages.tsv"
    path.write_text("ham\thello\nspam\twin 100!\nham\thello\n\n", encoding="utf-8")
    texts, y = data.load(path)
    assert texts == ["hello", "win 100!"]
    assert y.tolist() == [0, 1]
    assert data.pieces("Win 100! it's") == ["win", "1", "0", "0", "!", "it's"]
    path.write_text("other\thello\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"messages\.tsv:1: expected ham or spam"):
        data.load(path)
    texts, y = data.load(data.made_up(tmp_path / "made.tsv"))
    parts = data.parts(y, 3)
    assert sorted(np.concatenate(parts).tolist()) == list(range(len(y)))
    assert all(abs(y[part].mean() - y.mean()) < 0.01 for part in parts)
    words = data.vocabulary(texts, 20)
    ids = data.encoded([texts[0], "nobody wrote this"], words)
    assert ids.shape == (2, data.LENGTH)
    assert ids.max() < 20
    assert (ids[1][:3] == data.UNKNOWN).all()


@pytest.mark.slow
def test_the_whole_program_in_a_small_way(tmp_path, capsys):
    from examples.spam.__main__ import main

    text = main(["--quick", "--out", str(tmp_path)])
    assert "| log loss, undone |" in text
    assert "The tuner, on the same table" in (tmp_path / "README.md").read_text(encoding="utf-8")
    assert text in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main([])
