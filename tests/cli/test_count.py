"""steelyard count. Files: cli/output.py."""

import json

from steelyard import Counts


def test_the_table_shows_class_count_and_share(steelyard, two_classes):
    code, out, err = steelyard("count", two_classes, "--label", "y")
    assert (code, err) == (0, "")
    rows = [line.split() for line in out.splitlines()]
    assert ["no", "90", "90.00%"] in rows
    assert ["yes", "10", "10.00%"] in rows
    assert "100 rows in 2 classes; largest / smallest = 9 ('no' / 'yes')." in out


def test_json_on_stdout_is_counts_and_nothing_else(steelyard, two_classes):
    code, out, _ = steelyard("count", two_classes, "--label", "-1", "--json")
    assert code == 0
    counts = Counts.from_json(out)
    assert dict(zip(counts.classes, counts.per_class.tolist(), strict=True)) == {"no": 90, "yes": 10}


def test_notes_leave_json_clean(steelyard, tmp_path):
    (tmp_path / "t.csv").write_bytes(b"\xef\xbb\xbfx;y\n1,5;a\n2,5;?\n3,5;b\n")
    code, out, err = steelyard("count", tmp_path / "t.csv", "--label", "y", "--json")
    assert code == 0
    assert json.loads(out)["per_class"] == [1, 1]
    for words in ("byte-order mark", "semicolons", "1 row without a label left out: '?' 1"):
        assert words in err


def test_out_writes_the_file_whole(steelyard, two_classes, tmp_path):
    code, out, err = steelyard("count", two_classes, "--label", "y", "--json", "--out", tmp_path / "c.json")
    assert (code, out) == (0, "")
    assert "written to" in err
    assert Counts.load(tmp_path / "c.json").items == 100


def test_class_names_are_never_markup_and_never_cut(steelyard, tmp_path):
    name = "[bold]" + "long " * 30 + "end"
    (tmp_path / "t.csv").write_text(f"x,y\n1,{name}\n2,b\n")
    _, out, _ = steelyard("count", tmp_path / "t.csv", "--label", "y")
    assert name in out


def test_rare_and_single_classes_are_remarked(steelyard, shared_data, tmp_path):
    _, out, _ = steelyard("count", shared_data / "tabular" / "ecoli.csv", "--label", "-1")
    assert "'imL' (2), 'imS' (2), 'omL' (5)" in out
    _, out, _ = steelyard("count", shared_data / "tabular" / "winequality-white.csv", "--label", "-1")
    assert "'9' (5)" in out
    (tmp_path / "one.csv").write_text("x,y\n" + "1.5,a\n" * 20)
    code, out, _ = steelyard("count", tmp_path / "one.csv", "--label", "y")
    assert code == 0
    assert "only one class" in out


def test_labels_that_differ_by_a_final_dot_are_remarked(steelyard, shared_data):
    _, out, _ = steelyard("count", shared_data / "tabular" / "adult-*.csv", "--label", "-1")
    assert "'<=50K' and '<=50K.' differ only in spelling" in out


def test_several_labels_are_multilabel(steelyard, shared_data):
    path = shared_data / "tabular" / "ai4i2020_failure_modes.csv"
    code, out, _ = steelyard("count", path, "--label", "TWF", "--label", "HDF")
    assert code == 0
    assert "10,000 rows, 2 labels; the rarest is 'TWF' (46)." in out


def test_weighted_counts_are_shown_as_sums_of_weights(steelyard, tmp_path):
    Counts({"no": 1.5, "yes": 0.25}, weighted=True).save(tmp_path / "w.json")
    code, out, err = steelyard("count", tmp_path / "w.json")
    assert (code, err) == (0, "")  # no word of few rows: nobody knows how many they are
    rows = [line.split() for line in out.splitlines()]
    assert ["no", "1.5", "85.71%"] in rows
    assert ["yes", "0.25", "14.29%"] in rows
    assert "1.75 weighted rows in 2 classes; largest / smallest = 6" in out
    assert steelyard("weigh", tmp_path / "w.json")[0] == 0
