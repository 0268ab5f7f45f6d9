"""Several columns as one target, by a pattern or between commas, in every store. Files: data/column_names.py."""

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from steelyard import count
from steelyard.data import count_path
from steelyard.data.column_names import label_columns

TABLE = {"id": [7, 8, 9], "tag_a": [1, 0, 1], "tag_b": [0, -1, 1], "tags": ["x", "y", "z"], "note": [1, 0, 0]}


def csv(folder):
    pd.DataFrame(TABLE).to_csv(folder / "t.csv", index=False)
    return folder / "t.csv"


def parquet(folder):
    pq.write_table(pa.table(TABLE), folder / "t.parquet")
    return folder / "t.parquet"


def json_lines(folder):
    pl.DataFrame(TABLE).write_ndjson(folder / "t.jsonl")
    return folder / "t.jsonl"


def several_files(folder):
    for i in range(3):
        pd.DataFrame(TABLE).iloc[i : i + 1].to_csv(folder / f"{i}.csv", index=False)
    return folder / "*.csv"


STORES = {
    "csv": csv,
    "parquet": parquet,
    "JSON Lines": json_lines,
    "several files": several_files,
    "pandas": lambda _: pd.DataFrame(TABLE),
    "polars": lambda _: pl.DataFrame(TABLE),
    "arrow": lambda _: pa.table(TABLE),
    "dataset": lambda _: pytest.importorskip("datasets").Dataset.from_dict(TABLE),
    "streamed": lambda _: pytest.importorskip("datasets").Dataset.from_dict(TABLE).to_iterable_dataset(),
}
WAYS = [
    "tag_*",
    "tag_?",
    "tag_[ab]",
    "tag_a,tag_b",
    "tag_a, tag_*",
    ["tag_*"],
    ["tag_a", "tag_b"],
    [2, 3],
    ["tag_a", 3, "tag_*"],
]


@pytest.mark.parametrize("label", WAYS, ids=str)
@pytest.mark.parametrize("store", STORES)
def test_columns_that_match_are_the_labels(tmp_path, store, label):
    counts = count(STORES[store](tmp_path), label=label)
    assert (counts.kind, counts.classes, counts.items) == ("multilabel", ("tag_a", "tag_b"), 3)
    assert counts.table.tolist() == [[1, 1], [2, 1]]
    assert counts.also["unknown"].tolist() == [0, 1]


@pytest.mark.parametrize("store", STORES)
def test_the_order_that_was_asked_for_is_the_order_of_the_labels(tmp_path, store):
    data = STORES[store](tmp_path)
    assert count(data, label="note,tag_a").classes == ("note", "tag_a")
    assert count(data, label="tag_*", classes=["a", "b"]).classes == ("a", "b")


@pytest.mark.parametrize("store", STORES)
def test_nothing_that_matches_is_answered_with_the_columns(tmp_path, store):
    data = STORES[store](tmp_path)
    with pytest.raises(ValueError, match=r"no column matches 'tga_\*'. Did you mean 'tag_[ab]'\? The columns are 'id'"):
        count(data, label="tga_*")
    with pytest.raises(ValueError, match="'tags' holds 'x'"):
        count(data, label="tag*")
    with pytest.raises(ValueError, match="no column 'tag_a,tagb'"):
        count(data, label="tag_a,tagb")


def test_a_column_of_that_very_name_is_meant(tmp_path):
    frame = pd.DataFrame({"a*": ["x", "y"], "a,b": [0, 1], "a": [1, 0], "b": [1, 1], "tag[0]": [1, 2]})
    frame.to_csv(tmp_path / "t.csv", index=False)
    for data in (frame, tmp_path / "t.csv"):
        assert count(data, label="a*").classes == ("x", "y")
        assert count(data, label="a,b").classes == ("0", "1")
        assert count(data, label="tag[0]").classes == ("1", "2")
        assert count(data, label=["a", "b"]).classes == ("a", "b")


def test_what_was_chosen_is_said_with_the_names_that_the_labels_keep(tmp_path):
    counts, notes = count_path(csv(tmp_path), "tag_*")
    assert notes[0] == (
        "'tag_*' stands for 2 columns, each a yes-or-no label of its own name: 'tag_a', 'tag_b'; classes= (--classes) renames them"
    )
    assert counts.classes == ("tag_a", "tag_b")
    assert "stands for" not in " ".join(count_path(csv(tmp_path), ["tag_a", "tag_b"])[1])
    assert "1 column, each" in count_path(csv(tmp_path), "tag_a*")[1][0]
    assert label_columns(["a"], "b", "here") == ("b", None)  # what there is not is said by whoever reads
