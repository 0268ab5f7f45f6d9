"""Sequences of labels, such as tags of tokens: every element counts, in every store."""

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


@pytest.mark.parametrize("store", STORES)
def test_every_element_of_a_sequence_counts_and_sequences_are_known(store):
    data, options = STORES[store]()
    data = iter(data) if store == "batches" else data
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


@pytest.mark.parametrize("store", [s for s in STORES if s not in ("ignored", "padded lists")])
def test_as_multilabel_each_label_counts_once_in_a_row(store):
    data, options = STORES[store]()
    data = iter(data) if store == "batches" else data
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
    with pytest.raises(ValueError, match="kind='exclusive' is for one column"):
        count(frame, label=["a", "b"], kind="exclusive")
    with pytest.raises(ValueError, match="one label in a row"):
        count(frame, label="a", kind="multilabel")
    with pytest.raises(ValueError, match="sequences of labels and others do not"):
        count(iter([([[0, 1], [0]],), (torch.tensor([0, 1]),)]), key=0, kind="exclusive")


@pytest.mark.parametrize("name", ["t.parquet", "t.jsonl"])
def test_files_say_that_a_label_recurs_and_refuse_a_kind_that_they_are_not(tmp_path, name):
    path, frame = tmp_path / name, pl.DataFrame({"y": TAGS})
    frame.write_parquet(path) if name == "t.parquet" else frame.write_ndjson(path)
    counts, notes = count_path(path, "y")
    assert dict(zip(counts.classes, counts.per_class.tolist(), strict=True)) == {"O": 2, "B": 2, "I": 1}
    assert any("1 times too often" in note and "kind='exclusive'" in note for note in notes)
    with pytest.raises(ValueError, match="kind='exclusive' was said"):
        count(path, label="y", kind="exclusive")


def test_lists_of_a_fixed_length_are_sequences_too():
    frame = pl.DataFrame({"y": [[0, 1], [0, 0]]}, schema={"y": pl.Array(pl.Int64, 2)})
    assert count(frame, label="y", kind="exclusive").per_class.tolist() == [3, 1]
    assert count(frame, label="y", kind="multilabel").per_class.tolist() == [2, 1]
