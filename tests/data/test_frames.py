"""Hugging Face datasets and the Series of pandas, polars and Arrow."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from steelyard import count

datasets = pytest.importorskip("datasets")
polars = pytest.importorskip("polars")


def as_dict(counts):
    return dict(zip(counts.classes, counts.per_class.tolist(), strict=True))


NAMES = datasets.ClassLabel(names=["well", "ill", "never"])


@pytest.fixture
def dataset():
    features = datasets.Features({"y": NAMES, "tags": datasets.List(NAMES), "word": datasets.Value("string")})
    rows = {"y": [0, 1, 0, -1, 0], "tags": [[0, 1], [], [1], [0], [1]], "word": ["a", "b", "a", "a", None]}
    return datasets.Dataset.from_dict(rows, features=features)


def test_a_class_label_brings_its_names_and_minus_one_is_no_label(dataset):
    counts = count(dataset, label="y")
    assert as_dict(counts) == {"well": 3, "ill": 1, "never": 0}
    assert counts.source == "column 'y' (1 row without a label left out)"
    assert as_dict(count(dataset, label="y", classes=["ill", "well", "never"])) == {"ill": 1, "well": 3, "never": 0}


def test_lists_of_class_labels_are_multilabel(dataset):
    counts = count(dataset, label="tags")
    assert as_dict(counts) == {"well": 2, "ill": 3, "never": 0}
    assert (counts.kind, counts.items) == ("multilabel", 5)


def test_only_the_rows_that_the_dataset_shows_count(dataset):
    assert as_dict(count(dataset.select([0, 2, 2]), label="y"))["well"] == 3
    assert as_dict(count(dataset.filter(lambda row: row["word"] == "b"), label="y")) == {
        "well": 0,
        "ill": 1,
        "never": 0,
    }
    assert as_dict(count(dataset.shuffle(seed=1).with_format("torch"), label="word")) == {"a": 3, "b": 1}


def test_a_streamed_dataset_counts_the_same(dataset):
    assert as_dict(count(dataset.to_iterable_dataset(), label="y")) == {"well": 3, "ill": 1, "never": 0}


def test_several_columns_of_a_dataset_are_multilabel():
    data = datasets.Dataset.from_dict({"a": [0, 1, 1], "b": [1, 0, 0], "c": ["x", "y", "z"]})
    assert count(data, label=["a", "b"]).per_class.tolist() == [2, 1]
    with pytest.raises(ValueError, match="column 'c' holds 'x'"):
        count(data, label=["a", "c"])


def test_a_dataset_without_rows_is_named(dataset):
    empty = dataset.select([])
    for label in ("word", "y", "tags", ["y", "word"]):
        with pytest.raises(ValueError, match=r"nothing to count|holds text"):
            count(empty, label=label)


def test_missing_lists_are_still_multilabel():
    features = datasets.Features({"tags": datasets.List(NAMES)})
    counts = count(datasets.Dataset.from_dict({"tags": [None, None]}, features=features), label="tags")
    assert (counts.kind, counts.items, counts.per_class.tolist()) == ("multilabel", 0, [0, 0, 0])


def test_wrong_columns_and_splits_are_answered_with_those_that_are(dataset):
    with pytest.raises(ValueError, match=r"label=.*'y', 'tags', 'word'"):
        count(dataset)
    with pytest.raises(ValueError, match="Did you mean 'word'"):
        count(dataset, label="wrod")
    with pytest.raises(ValueError, match=r"has splits; choose one, such as data\['train'\]"):
        count(datasets.DatasetDict(train=dataset, test=dataset), label="y")


@pytest.mark.parametrize("values", [[0, 2, 2], ["b", "a", "b"], [True, False, True]])
def test_series_of_every_library_count_like_the_list(values):
    expected = count(values)
    assert count(pd.Series(values)) == expected
    assert count(polars.Series(values)) == expected
    assert count(pa.array(values)) == expected
    assert count(pa.chunked_array([values[:1], values[1:]])) == expected
    assert count(np.array(values)) == expected


def test_categories_and_enums_count_by_their_text():
    values = ["b", "a", "b"]
    assert as_dict(count(pd.Series(values, dtype="category"))) == {"a": 1, "b": 2}
    assert as_dict(count(polars.Series(values, dtype=polars.Categorical))) == {"a": 1, "b": 2}
    assert as_dict(count(polars.Series(values, dtype=polars.Enum(["b", "a"])))) == {"a": 1, "b": 2}
    assert as_dict(count(polars.DataFrame({"y": values}), label="y")) == {"a": 1, "b": 2}
