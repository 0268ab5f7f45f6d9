"""What is ignored has no part in the counts and moves no other class."""

import json

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from steelyard import Counts, count
from steelyard.data import count_path
from steelyard.data.ignored import in_place

LABELS = [0] * 5 + [1] * 3 + [2] * 7 + [3] * 2


def csv(folder):
    (folder / "t.csv").write_text("y\n" + "".join(f"{v}\n" for v in LABELS))
    return folder / "t.csv", {"label": "y"}


def parquet(folder):
    pq.write_table(pa.table({"y": LABELS}), folder / "t.parquet")
    return folder / "t.parquet", {"label": "y"}


def masks(folder):
    np.save(folder / "m.npy", np.array([LABELS], dtype=np.uint8))
    return folder / "m.npy", {}


def known(folder):
    (folder / "k.json").write_text(json.dumps({str(v): LABELS.count(v) for v in range(4)}))
    return folder / "k.json", {}


def saved(folder):
    Counts([5, 3, 7, 2]).save(folder / "s.json")
    return folder / "s.json", {}


def labels_of(feature):
    datasets = pytest.importorskip("datasets")
    kind = datasets.Features({"y": feature(datasets)})
    return datasets.Dataset.from_dict({"y": LABELS}, features=kind), {"label": "y"}


STORES = {
    "csv": csv,
    "parquet": parquet,
    "masks": masks,
    "known": known,
    "saved": saved,
    "pandas": lambda _: (pd.DataFrame({"y": LABELS}), {"label": "y"}),
    "polars": lambda _: (pl.DataFrame({"y": LABELS}), {"label": "y"}),
    "arrow": lambda _: (pa.table({"y": LABELS}), {"label": "y"}),
    "class label": lambda _: labels_of(lambda d: d.ClassLabel(names=["0", "1", "2", "3"])),
    "whole numbers of a dataset": lambda _: labels_of(lambda d: d.Value("int32")),
    "list": lambda _: (LABELS, {}),
    "array": lambda _: (np.array(LABELS), {}),
    "tensor": lambda _: (torch.tensor(LABELS), {}),
    "masks in memory": lambda _: (np.array([[LABELS]]), {"kind": "exclusive"}),
    "batches": lambda _: ([(None, LABELS)], {"key": 1}),
}


@pytest.mark.parametrize("ignored", [[0], [1], [2], [0, 1], [1, 2], [0, 255], [-1], [9]])
@pytest.mark.parametrize("store", STORES)
def test_ignoring_moves_no_other_class(tmp_path, store, ignored):
    data, options = STORES[store](tmp_path)
    counts = count(data, ignore=ignored, **options)
    assert counts.classes == ("0", "1", "2", "3")
    assert counts.per_class.tolist() == [0 if v in ignored else LABELS.count(v) for v in range(4)]


@pytest.mark.parametrize("store", [s for s in STORES if s not in ("class label", "saved")])
def test_the_last_number_has_a_place_only_where_the_classes_name_it(tmp_path, store):
    data, options = STORES[store](tmp_path)
    assert count(data, ignore=3, **options).classes == ("0", "1", "2")
    named = count(data, ignore=3, classes=[0, 1, 2, 3], **options)
    assert (named.classes, named.per_class.tolist()) == (("0", "1", "2", "3"), [5, 3, 7, 0])


def test_a_declared_class_keeps_its_place_even_as_the_last(tmp_path):
    ordered = pd.Categorical(["b", "a", "c"], categories=["b", "a", "c"], ordered=True)
    for ignored in "abc":
        counts = count(pd.DataFrame({"y": ordered}), label="y", ignore=ignored)
        assert (counts.classes, counts.per_class[list("bac").index(ignored)], counts.per_class.sum()) == (
            tuple("bac"),
            0,
            2,
        )


def test_text_that_is_ignored_is_gone_and_it_is_said(tmp_path):
    (tmp_path / "t.csv").write_text("y\n" + "a\nb\nc\n" * 3)
    counts, notes = count_path(tmp_path / "t.csv", "y", ignore="b")
    assert counts.classes == ("a", "c")
    assert any("'b' was left out and has no place" in note for note in notes)
    counts, notes = count_path(tmp_path / "t.csv", "y", ignore="b", classes=["a", "b", "c"])
    assert (counts.per_class.tolist(), notes) == ([3, 0, 3], ["rows ignored, as was said: 'b' 3"])


def test_labels_that_start_at_one_keep_their_places(tmp_path):
    frame = pd.DataFrame({"y": [1, 1, 2, 3, 3]})
    assert count(frame, label="y", ignore=2).per_class.tolist() == [2, 0, 2]
    assert count(frame, label="y", ignore=0).classes == (
        "0",
        "1",
        "2",
        "3",
    )  # 0 is a class that happens not to be there
    lists = pd.DataFrame({"y": [[0, 2], [1], [2]]})
    assert count(lists, label="y", ignore=0).per_class.tolist() == [0, 1, 2]
    joined = pd.DataFrame({"y": ["0 2", "1", "2"]})
    assert count(joined, label="y", ignore=0, separator=" ").per_class.tolist() == [0, 1, 2]


def test_only_whole_numbers_below_the_largest_have_a_place():
    assert in_place([1, 3], [2, 0, 3, 4, -1, "x", float("nan"), None]) == [0, 1, 2, 3]
    assert in_place([True, False], [0]) is None
    assert in_place(["a", "b"], ["a"]) is None
    assert in_place([-1, 2], [0]) is None
    assert in_place([], [0]) is None


def test_saved_counts_say_what_only_the_data_could(tmp_path):
    path = tmp_path / "s.json"
    Counts([5, 3], ["a", "b"], "pixels", items=2, containing=[8, 3], also={"images": [2, 1]}).save(path)
    counts, notes = count_path(path, ignore="a")
    assert (counts.per_class.tolist(), counts.also["images"].tolist(), counts.containing) == ([0, 3], [0, 1], None)
    assert "median frequency" in notes[0]
    with pytest.raises(ValueError, match="classes= cannot change"):
        count_path(path, classes=["x", "y"])
    Counts([1, 2], ["a", "b"], kind="multilabel", items=4).save(path)
    with pytest.raises(ValueError, match="ignore= is for one label per row"):
        count_path(path, ignore="a")
