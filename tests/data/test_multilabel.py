"""Several labels for an item: sets and lists in memory, columns of lists, ARFF with Mulan's XML."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard import Counts, ReadingWarning, count
from steelyard.data import count_path


def as_dict(counts):
    return dict(zip(counts.classes, counts.per_class.tolist(), strict=True))


@given(st.lists(st.sets(st.sampled_from("abcd")), min_size=1).filter(any))
def test_lists_sets_and_indicators_say_the_same(items):
    names = sorted(set().union(*items))
    indicators = np.array([[name in item for name in names] for item in items])
    expected = count(indicators, classes=names)
    assert count(items) == expected
    assert count([sorted(item) for item in items]) == expected
    assert (
        count([[*item, *item] for item in map(sorted, items)], kind="multilabel") == expected
    )  # an item has a label once
    assert count(items, kind="multilabel") == expected
    assert count([items[:2], items[2:]][: 1 + (len(items) > 2)], key=slice(None)) == expected


def test_sets_of_whole_numbers_are_logit_indices():
    counts = count([{0, 3}, set(), {np.int64(3)}])
    assert as_dict(counts) == {"0": 1, "1": 0, "2": 0, "3": 2}
    assert (counts.kind, counts.items) == ("multilabel", 3)
    assert as_dict(count([{0}, {1}], classes=["a", "b", "c"])) == {"a": 1, "b": 1, "c": 0}


def test_lists_of_numbers_stay_indicators():
    assert count([[0, 1], [1, 1]]).per_class.tolist() == [1, 2]
    with pytest.raises(ValueError, match="different lengths"):
        count([[0, 1], [1]])


def test_labels_can_be_left_out_or_must_be_known():
    assert as_dict(count([["a", "b"], ["b"]], ignore="a")) == {"b": 2}
    with pytest.raises(ValueError, match=r"'bb' \(once\) is not one of the classes 'a', 'b'"):
        count([["a", "bb"]], classes=["a", "b"])
    with pytest.raises(ValueError, match="some batches hold one label per item"):
        count([(0, [{"a"}]), (0, ["a"])], key=1)


def test_a_column_of_lists_is_multilabel(tmp_path):
    lists = [["a", "b"], [], None, ["b", "b"], ["c"]]
    for kind in (
        pa.list_(pa.string()),
        pa.large_list(pa.large_string()),
        pa.list_(pa.dictionary(pa.int8(), pa.string())),
    ):
        table = pa.table({"x": range(5), "tags": pa.array(lists, pa.list_(pa.string())).cast(kind)})
        pq.write_table(table, tmp_path / "t.parquet", row_group_size=2)
        with pytest.warns(ReadingWarning, match="hold a label more than once"):
            counts = count(tmp_path / "t.parquet", label="tags")
        assert as_dict(counts) == {"a": 1, "b": 2, "c": 1}
        assert (counts.kind, counts.items) == ("multilabel", 4)  # a missing list is a row without a label
        assert "1 row without a label left out" in counts.notes


def test_columns_of_yes_and_no_are_streamed_by_row_group(tmp_path):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.random(1000) < 0.1, "b": rng.integers(0, 2, 1000), "c": rng.random(1000)})
    frame.to_parquet(tmp_path / "t.parquet", row_group_size=70)
    frame.to_csv(tmp_path / "t.csv", index=False)
    for file in ("t.parquet", "t.csv"):
        counts = count(tmp_path / file, label=["a", "b"])
        assert counts.per_class.tolist() == [frame.a.sum(), frame.b.sum()]
        assert counts.items == 1000


@pytest.mark.parametrize(
    ("name", "rows", "labels", "check"),
    [
        ("yeast", 2417, 14, {"Class1": 762, "Class12": 1816, "Class14": 34}),
        ("enron", 1702, 53, {"A.A1": 855, "B.B12": 6}),
        ("medical", 978, 45, {"Class-4-753_0": 266, "Class-5-786_2": 1}),
    ],
)
def test_real_multilabel_sets(shared_data, name, rows, labels, check):
    counts = count(shared_data / "multilabel" / f"{name}.arff")
    assert (counts.items, len(counts)) == (rows, labels)
    assert {k: as_dict(counts)[k] for k in check} == check


UNKNOWN = {
    "a": [1, 0, None, -1, 1, None],
    "b": [0, 1, 1, 0, None, None],
    "c": [0, 0, 1, 1, 0, None],
}


@pytest.mark.parametrize("store", ["csv", "parquet", "pandas", "dataset"])
def test_unknown_is_not_no_and_the_row_counts_for_its_other_labels(tmp_path, store):
    frame = pd.DataFrame(UNKNOWN, dtype="Int64")
    data = frame
    if store == "csv":
        frame.to_csv(data := tmp_path / "t.csv", index=False)
    elif store == "parquet":
        frame.to_parquet(data := tmp_path / "t.parquet")
    elif store == "dataset":
        data = pytest.importorskip("datasets").Dataset.from_dict(UNKNOWN)
    elif store == "pandas":
        data = frame.astype(float)
    counts = count(data, label=["a", "b", "c"])
    assert counts.items == 5
    assert counts.per_class.tolist() == [2, 2, 2]
    assert counts.also["unknown"].tolist() == [2, 1, 0]
    np.testing.assert_array_equal(counts.table, [[1, 2, 3], [2, 2, 2]])
    np.testing.assert_allclose(counts.prior[1], [2 / 3, 1 / 2, 2 / 5])
    assert "1 row without a label left out" in counts.source
    if store in ("csv", "parquet"):
        _, notes = count_path(data, ["a", "b", "c"])
        assert "unknown (nothing or -1) is not no, and such a row counts for its other labels: a 2, b 1" in notes


def test_minus_one_that_may_mean_no_is_asked(tmp_path):
    frame = pd.DataFrame({"a": [1, -1, 1], "b": [1, 0, 1]})
    with pytest.raises(ValueError, match=r"'a' holds -1 and 1 but no 0\. If -1 means no, write 0"):
        count(frame, label=["a", "b"])


def test_counts_with_unknown_labels_add_save_and_weigh():
    some = Counts([2, 1], ["a", "b"], kind="multilabel", items=5, also={"unknown": [2, 0]})
    none = Counts([1, 1], ["a", "b"], kind="multilabel", items=4)
    both = some + none
    np.testing.assert_array_equal(both.table, some.table + none.table)
    assert Counts.from_json(both.to_json()) == both
    with pytest.raises(ValueError, match="unknown in 4 of only 5"):
        Counts([2, 1], ["a", "b"], kind="multilabel", items=5, also={"unknown": [4, 0]})
