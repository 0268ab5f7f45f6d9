"""Sequences of labels, such as tags of tokens: every element counts, in every store."""

import json

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch

from steelyard import count, median_frequency
from steelyard.data import count_path

TAGS = [["O", "B", "O"], ["O"], [], ["B", "I"]]
CODES = [[0, 1, 0], [0], [], [1, 2]]
NAMES = ["O", "B", "I"]


def dataset(rows=CODES, **_):
    datasets = pytest.importorskip("datasets")
    lists = datasets.Sequence(datasets.ClassLabel(names=NAMES))
    return datasets.Dataset.from_dict({"y": rows}, features=datasets.Features({"y": lists}))


STORES = {
    "lists of text": lambda: (TAGS, {"classes": NAMES}),
    "tuples": lambda: ([tuple(t) for t in TAGS], {"classes": NAMES}),
    "lists of numbers": lambda: (CODES, {"classes": NAMES}),
    "arrays": lambda: ([np.array(c, dtype=int) for c in CODES], {"classes": NAMES}),
    "tensors": lambda: ([torch.tensor(c, dtype=torch.long) for c in CODES], {"classes": NAMES}),
    "object array": lambda: (np.array([*CODES, None], dtype=object)[:-1], {"classes": NAMES}),
    "object array of arrays": lambda: (np.array([*map(np.array, CODES), None], dtype=object)[:-1], {"classes": NAMES}),
    "pandas": lambda: (pd.Series(TAGS), {"classes": NAMES}),
    "polars": lambda: (pl.Series(TAGS), {"classes": NAMES}),
    "arrow": lambda: (pa.array(TAGS), {"classes": NAMES}),
    "chunks": lambda: (pa.chunked_array([TAGS[:2], TAGS[2:]]), {"classes": NAMES}),
    "column of pandas": lambda: (pd.DataFrame({"y": TAGS}), {"label": "y", "classes": NAMES}),
    "column of polars": lambda: (pl.DataFrame({"y": TAGS}), {"label": "y", "classes": NAMES}),
    "column of chunks": lambda: (
        pa.table({"y": pa.chunked_array([TAGS[:2], TAGS[2:]])}),
        {"label": "y", "classes": NAMES},
    ),
    "dataset": lambda: (dataset(), {"label": "y"}),
    "stream": lambda: (dataset().to_iterable_dataset(), {"label": "y"}),
    "ignored": lambda: (dataset([[0, 1, 0, -100], [0], [-100], [1, 2]]), {"label": "y"}),
    "padded lists": lambda: ([[0, 1, 0], [0, -100], [-100], [1, 2]], {"classes": NAMES, "ignore": -100}),
    "batches": lambda: ([{"y": CODES[:2]}, {"y": CODES[2:]}], {"key": "y", "classes": NAMES}),
}


FRAME = {"y": TAGS}
LINES = "".join(json.dumps({"i": i, "y": tags}) + "\n" for i, tags in enumerate(TAGS))
FILES = {
    "t.parquet": lambda path: pl.DataFrame(FRAME).write_parquet(path, row_group_size=1),
    "categories.parquet": lambda path: pl.DataFrame(FRAME, {"y": pl.List(pl.Categorical)}).write_parquet(path),
    "t.feather": lambda path: pl.DataFrame(FRAME).write_ipc(path, compression="uncompressed"),
    "t.jsonl": lambda path: path.write_text(LINES),
    "t.json": lambda path: path.write_text(json.dumps([{"y": tags} for tags in TAGS])),
    "blanks.csv": lambda path: path.write_text("i,y\n" + "".join(f"1,[{' '.join(tags)}]\n" for tags in TAGS)),
    "bars.csv": lambda path: path.write_text("i,y\n" + "".join(f"1,[{'|'.join(tags)}]\n" for tags in TAGS)),
    "lists.tsv": lambda path: path.write_text("i\ty\n" + "".join(f"1\t{tags}\n" for tags in TAGS)),
    "texts.parquet": lambda path: pl.DataFrame({"y": list(map(str, TAGS))}).write_parquet(path),
    "texts.jsonl": lambda path: pl.DataFrame({"y": list(map(str, TAGS))}).write_ndjson(path),
    "t.arff": lambda path: path.write_text(
        "@relation r\n@attribute y string\n@data\n" + "".join(f"'[{' '.join(tags)}]'\n" for tags in TAGS)
    ),
}
SEPARATORS = {
    "bars.csv": "|",
    "blanks.csv": " ",
    "t.arff": " ",
    **dict.fromkeys(("lists.tsv", "texts.parquet", "texts.jsonl"), ","),
}
ALL = [*STORES, *FILES]


def opened(store, folder):
    """(data, options) of a store, which holds TAGS."""
    if store in STORES:
        data, options = STORES[store]()
        return (iter(data) if store == "batches" else data), options
    FILES[store](folder / store)
    return folder / store, {"label": "y", "classes": NAMES, "separator": SEPARATORS.get(store)}


@pytest.mark.parametrize("store", ALL)
def test_every_element_of_a_sequence_counts_and_sequences_are_known(store, tmp_path):
    data, options = opened(store, tmp_path)
    counts = count(data, kind="exclusive", **options)
    assert (counts.kind, counts.unit, counts.items) == ("exclusive", "tokens", 4)
    assert dict(zip(counts.classes, counts.per_class.tolist(), strict=True)) == {"O": 3, "B": 2, "I": 1}
    assert counts.also["sequences"].tolist() == [2, 2, 1]
    assert counts.containing.tolist() == [4, 5, 2]
    weight = median_frequency(counts).label_weights()
    np.testing.assert_allclose(weight / weight[0], (3 / 4) / (np.array([3, 2, 1]) / np.array([4, 5, 2])), rtol=1e-12)
    assert (counts.by("sequences").kind, counts.by("sequences").items) == ("multilabel", 4)


@pytest.mark.parametrize("store", [s for s in STORES if s not in ("ignored", "padded lists")])
def test_without_a_kind_a_label_that_recurs_in_a_row_is_asked_about(store):
    data, options = STORES[store]()
    data = iter(data) if store == "batches" else data
    with pytest.raises(ValueError, match=r"more than once.*kind='exclusive'.*kind='multilabel'"):
        count(data, **options)


@pytest.mark.parametrize("store", [s for s in ALL if s not in ("ignored", "padded lists")])
def test_as_multilabel_each_label_counts_once_in_a_row(store, tmp_path):
    data, options = opened(store, tmp_path)
    counts = count(data, kind="multilabel", **options)
    assert dict(zip(counts.classes, counts.per_class.tolist(), strict=True)) == {"O": 2, "B": 2, "I": 1}
    assert counts.items == 4


def test_nested_and_packed_tensors_are_sequences():
    rows = [torch.tensor(c) for c in (CODES[0], CODES[3], CODES[1])]
    nested = torch.nested.nested_tensor(rows, layout=torch.jagged)
    expected = count(rows, kind="exclusive")
    assert count(nested, kind="exclusive") == expected
    assert count(torch.nn.utils.rnn.pack_sequence(rows), kind="exclusive") == expected


def test_lists_of_different_lengths_without_a_kind_are_asked_about():
    with pytest.raises(ValueError, match=r"different lengths.*kind='exclusive'"):
        count([[0, 1], [2]])
    assert count([[0, 1], [2]], kind="multilabel").per_class.tolist() == [1, 1, 1]
    assert count([["a", "b"], ["c"]]).kind == "multilabel"
    assert count([[0, 1], [1, 0]]).items == 2  # rows of one length stay yes and no


def test_an_ignored_tag_is_in_no_sequence():
    counts = count(TAGS, kind="exclusive", ignore="O")
    assert (counts.classes, counts.per_class.tolist(), counts.containing.tolist()) == (("B", "I"), [2, 1], [3, 2])
    frame = count(pd.DataFrame({"y": TAGS}), label="y", kind="exclusive", ignore="O")
    assert (frame.per_class.tolist(), frame.containing.tolist()) == ([2, 1], [3, 2])


def test_what_cannot_be_of_that_kind_says_so(tmp_path):
    frame = pd.DataFrame({"a": [0, 1], "b": [1, 0]})
    frame.to_csv(tmp_path / "t.csv", index=False)
    for table in (frame, tmp_path / "t.csv"):
        with pytest.raises(ValueError, match=r"kind='exclusive' \(--kind exclusive\) is for one column"):
            count(table, label=["a", "b"], kind="exclusive")
        with pytest.raises(ValueError, match=r"one label in a row.*separator="):
            count(table, label="a", kind="multilabel")
    with pytest.raises(ValueError, match="no separator parts"):
        count(pd.DataFrame(FRAME), label="y", separator=",")
    with pytest.raises(ValueError, match="same_case="):
        count(pd.DataFrame(FRAME), label="y", kind="exclusive", same_case=True)
    with pytest.raises(ValueError, match="sequences of labels and others do not"):
        count(iter([([[0, 1], [0]],), (torch.tensor([0, 1]),)]), key=0, kind="exclusive")


@pytest.mark.parametrize("name", ["t.parquet", "t.jsonl", "t.feather"])
def test_files_say_that_a_label_recurs(tmp_path, name):
    FILES[name](tmp_path / name)
    counts, notes = count_path(tmp_path / name, "y")
    assert dict(zip(counts.classes, counts.per_class.tolist(), strict=True)) == {"O": 2, "B": 2, "I": 1}
    assert any("1 times too often" in note and "--kind exclusive" in note for note in notes)
    assert not any("too often" in note for note in count_path(tmp_path / name, "y", kind="multilabel")[1])


@pytest.mark.parametrize("store", ["lists of text", "sets", "column of pandas", "t.parquet", "t.jsonl", "blanks.csv"])
@pytest.mark.parametrize("kind", ["exclusive", "multilabel"])
def test_two_labels_of_one_class_are_in_a_sequence_once(store, kind, tmp_path):
    if store == "sets" and kind == "exclusive":
        pytest.skip("sets are multi-label")
    data, options = ([set(tags) for tags in TAGS], {}) if store == "sets" else opened(store, tmp_path)
    counts = count(data, kind=kind, **options | {"classes": {"O": "O", "B": "X", "I": "X"}})
    assert (counts.classes, counts.items) == (("O", "X"), 4)
    assert counts.per_class.tolist() == ([3, 3] if kind == "exclusive" else [2, 2])
    if kind == "exclusive":
        assert (counts.containing.tolist(), counts.also["sequences"].tolist()) == ([4, 5], [2, 2])


def test_two_values_of_one_class_are_in_an_image_once():
    masks = np.array([[[0, 1], [2, 2]], [[0, 0], [0, 2]]])
    counts = count(masks, kind="exclusive", classes={0: "no", 1: "yes", 2: "yes"})
    assert (counts.per_class.tolist(), counts.containing.tolist()) == ([4, 4], [8, 8])
    assert counts.also["images"].tolist() == [2, 2]


@pytest.mark.parametrize("name", ["t.parquet", "t.jsonl", "t.csv"])
def test_what_is_no_label_is_left_out_and_said(tmp_path, name):
    rows = [["O", None, "B"], None, ["O"], [None]]
    if name == "t.csv":
        (tmp_path / name).write_text("i,y\n1,O||B\n2,\n3,O\n4,[|]\n")
    else:
        frame = pl.DataFrame({"y": rows})
        frame.write_parquet(tmp_path / name) if name == "t.parquet" else frame.write_ndjson(tmp_path / name)
    counts, notes = count_path(tmp_path / name, "y", kind="exclusive", separator="|" if name == "t.csv" else None)
    assert (counts.classes, counts.per_class.tolist(), counts.items) == (("B", "O"), [1, 2], 3)
    assert counts.containing.tolist() == [2, 3]
    lost = 3 if name == "t.csv" else 2
    assert {"1 row without a label left out", f"{lost} tokens without a label left out"} <= set(notes)
    assert f"{lost} tokens without" in counts.source
    (tmp_path / "n.jsonl").write_text('{"y": ["O", "_"]}\n')
    assert count(tmp_path / "n.jsonl", label="y", kind="exclusive", missing="_").classes == ("O",)


def test_lists_of_a_fixed_length_are_sequences_too():
    frame = pl.DataFrame({"y": [[0, 1], [0, 0]]}, schema={"y": pl.Array(pl.Int64, 2)})
    assert count(frame, label="y", kind="exclusive").per_class.tolist() == [3, 1]
    assert count(frame, label="y", kind="multilabel").per_class.tolist() == [2, 1]


@pytest.mark.parametrize("kind", ["exclusive", "multilabel"])
def test_a_row_that_is_missing_in_memory_is_asked_about(kind):
    rows = pd.Series([["O"], None, ["O", "B"]])
    with pytest.raises(ValueError, match="1 label is missing"):
        count(rows, kind=kind)
    assert count(rows, kind=kind, ignore=float("nan")).per_class.tolist() == [1, 2]


def test_a_separator_that_parts_no_cell_is_told(tmp_path):
    (tmp_path / "t.csv").write_text("i,y\n1,a\n2,b\n")
    assert "no cell holds the separator '|'" in count_path(tmp_path / "t.csv", "y", kind="exclusive", separator="|")[1]


def test_text_that_is_tags_is_told_also_where_it_looks_like_free_text(tmp_path):
    rng = np.random.default_rng(0)
    cells = [" ".join(rng.choice(["O", "B-PER", "I-PER"], rng.integers(4, 20))) for _ in range(200)]
    pd.DataFrame({"y": cells}).to_parquet(tmp_path / "t.parquet")
    for data in (pd.DataFrame({"y": cells}), tmp_path / "t.parquet"):
        with pytest.raises(ValueError, match=r"free text.*--separator ' '.*--kind exclusive"):
            count(data, label="y")
