"""What a reader says beside its answer: one channel in Python, the same words on the command line."""

import warnings

import numpy as np
import pandas as pd
import pytest

import steelyard as sy
from steelyard.data import count_path
from steelyard.data.notes import Doubt, Scope

ROWS = 20
# what a label column may hold that its owner may mean otherwise: cells, what is warned of
DOUBTS = {
    "NA": (["NA", "DE", "FR"], "'NA' was read as missing in 20 rows of 'y'"),
    "case": (["no", "No", "yes"], "'No' and 'no' differ only in spelling"),
    "a final dot": ([">50K", ">50K.", "<=50K"], "'>50K' and '>50K.' differ only in spelling"),
    "several in one cell": (["A", "B", "A|B", "C"], "'A|B' may be several labels in one cell"),
    "the header again": ([*"abab" * 3, "y"], "rows say 'y', which is the column's name"),
}


def frame(cells) -> pd.DataFrame:
    return pd.DataFrame({"x": np.arange(ROWS * len(cells)) % 7 + 0.5, "y": cells * ROWS})


@pytest.mark.parametrize("kind", DOUBTS)
def test_what_may_be_misread_is_warned_of_once_in_the_words_of_the_command(tmp_path, kind):
    cells, words = DOUBTS[kind]
    data, path = frame(cells), tmp_path / "t.csv"
    data.to_csv(path, index=False)
    for source in (data, path):
        with pytest.warns(sy.ReadingWarning) as caught:
            counts = sy.count(source, label="y")
        assert [w for w in caught if words in str(w.message)], source
        assert all(w.filename == __file__ for w in caught)
        assert sum(words in note for note in counts.notes) == 1
        assert words in repr(counts)
    with warnings.catch_warnings(record=True) as caught:  # the function that the command line calls says nothing itself
        warnings.simplefilter("always")
        _, notes = count_path(path, "y")
    assert not caught
    assert sum(words in note for note in notes) == 1
    if kind != "the header again":
        with pytest.warns(sy.ReadingWarning, match=words.split(" ")[0].replace("|", r"\|")):
            study = sy.tune(data, label="y", repeats=1, folds=2, bootstrap=100, baselines=False)
        assert any(words in said for said in (*study.warnings, *study.notes))


def test_what_is_certain_is_a_note_and_no_warning():
    counts = sy.count(pd.DataFrame({"y": ["a", None, "b", "b"]}), label="y", ignore="a")
    assert [note for note in counts.notes if isinstance(note, Scope)] == [
        "1 row without a label left out of 4",
        "rows ignored, as was said: 'a' 1",
    ]
    assert not any(isinstance(note, Doubt) for note in counts.notes)


def test_labels_in_memory_have_the_same_channel():
    with pytest.warns(sy.ReadingWarning, match="'A' and 'a' differ only in spelling"):
        assert "rows ignored, as was said: 'b' 2" in sy.count(["a", "A", "b", "b"], ignore="b").notes
    assert sy.count(np.array([0, 1, 255, 255]), ignore=255).notes == ("rows ignored, as was said: '255' 2",)
    assert sy.count([1.0, np.nan, 0.0], ignore=np.nan).notes == ("1 missing labels left out, as was said",)
    assert sy.count([0, 1, 1]).notes == ()


def test_saying_what_is_meant_ends_the_warning():
    data = frame(["NA", "no", "No"])
    counts = sy.count(data, label="y", missing=["NA"], same_case=True)
    assert counts.per_class.tolist() == [2 * ROWS]
    assert sy.count(data, label="y", missing="none", same_case=True).per_class.tolist() == [ROWS, 2 * ROWS]


def test_notes_stay_with_counts_but_do_not_tell_them_apart(tmp_path):
    one, other = sy.Counts.of(1, 2).noted(["a", "b"]), sy.Counts.of(1, 2)
    assert one == other
    assert (one + other.noted(["b", "c"])).notes == ("a", "b", "c")
    one.save(tmp_path / "c.json")
    assert sy.Counts.load(tmp_path / "c.json").notes == ("a", "b")
    assert "notes" not in other.to_json()
    with pytest.raises(ValueError, match="notes must be a list"):
        sy.Counts.from_json(one.to_json().replace('[\n  "a",\n  "b"\n ]', '"ab"'))
