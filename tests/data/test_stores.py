"""One table over all that holds columns in memory, for count and tune alike."""

import datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch

import steelyard as sy
from steelyard.data.stores import arrow_table
from steelyard.tuning.data.arrays import problem_of
from steelyard.tuning.data.problem import as_table, problem

polars = pytest.importorskip("polars")
datasets = pytest.importorskip("datasets")

NAMES = ["low", "mid", "high", "never"]
CODES = [0, 1, 2, 0, 2, 2] * 8
X = [float(i % 7) for i in range(len(CODES))]
TEXT = [f"word{i % 5} hello" for i in range(len(CODES))]
CALLED = [NAMES[i] for i in CODES]
COLUMNS = {"x": X, "t": TEXT, "y": CALLED}

STORES = {
    "pandas": lambda: pd.DataFrame(COLUMNS),
    "polars": lambda: polars.DataFrame(COLUMNS),
    "polars, lazy": lambda: polars.DataFrame(COLUMNS).lazy(),
    "arrow": lambda: pa.table(COLUMNS),
    "arrow, a batch": lambda: pa.table(COLUMNS).to_batches()[0],
    "arrow, a reader": lambda: pa.table(COLUMNS).to_reader(),
    "dictionary": lambda: dict(COLUMNS),
    "dictionary of arrays": lambda: {"x": torch.tensor(X), "t": pd.Series(TEXT), "y": np.array(CALLED)},
    "records": lambda: np.rec.fromarrays([np.array(X), np.array(TEXT), np.array(CALLED)], names="x,t,y"),
    "dataset": lambda: datasets.Dataset.from_dict(COLUMNS),
    "dataset, streamed": lambda: datasets.Dataset.from_dict(COLUMNS).to_iterable_dataset(),
}


@pytest.mark.parametrize("store", STORES)
def test_every_store_is_one_table_to_both_commands(store):
    counts, task = sy.count(STORES[store](), label="y"), problem(STORES[store](), "y")
    assert (counts.classes, counts.per_class.tolist()) == (("high", "low", "mid"), [24, 16, 8])
    assert (task.counts.classes, task.counts.per_class.tolist()) == (counts.classes, counts.per_class.tolist())
    assert [c.name for c in task.features.columns] == ["x", "t"]
    assert task.digest() == problem(STORES["pandas"](), "y").digest()


def labelled() -> "datasets.Dataset":
    features = datasets.Features(
        {"x": datasets.Value("float64"), "t": datasets.Value("string"), "y": datasets.ClassLabel(names=NAMES)}
    )
    return datasets.Dataset.from_dict({"x": X, "t": TEXT, "y": [*CODES[:-1], -1]}, features=features)


def test_a_class_label_keeps_names_order_and_unused_classes():
    data = labelled()
    counts = sy.count(data, label="y")
    assert (counts.classes, counts.per_class.tolist()) == (tuple(NAMES), [16, 8, 23, 0])
    task = problem(data, "y")
    assert (task.counts.classes, task.counts.per_class.tolist()) == (("low", "mid", "high"), [16, 8, 23])
    assert any("1 row without a label left out" in note for note in task.notes)


def test_the_rows_are_those_that_the_dataset_shows():
    some = labelled().shuffle(seed=0).select(range(45))
    table = as_table(some)
    codes, read = table.classes("y")
    assert table.rows == 45
    assert [read.counts.classes[c] if c >= 0 else None for c in codes] == [
        NAMES[c] if c >= 0 else None for c in some["y"]
    ]


def test_a_class_label_is_a_category_where_it_is_a_feature():
    task = problem(labelled().add_column("target", [i % 2 for i in range(len(CODES))]), "target")
    (column,) = [c for c in task.features.columns if c.name == "y"]
    assert set(column.levels) == {"low", "mid", "high"}


def test_splits_are_asked_for_and_what_holds_no_columns_is_refused():
    for call in (lambda d: problem(d, "y"), lambda d: sy.count(d, label="y")):
        with pytest.raises(ValueError, match=r"choose one, such as data\['train'\]"):
            call(datasets.DatasetDict(train=labelled()))
    for data in (np.zeros((3, 2)), [1, 2], {}, {"a": 1}):
        with pytest.raises(TypeError, match="takes a path, a DataFrame"):
            problem(data, "y")
    with pytest.raises(ValueError, match="mixed kinds"):
        arrow_table({"a": [1, 2], "b": [1]}, "tune")


LEVELS = {
    "text": ["small", "large", "huge"],
    "whole numbers": [3, 1, 2],
    "fractions": [2.5, 0.5, 1.5],
    "dates": [datetime.datetime(2020, 1, d) for d in (3, 1, 2)],
    "booleans": [True, False],
}


@pytest.mark.filterwarnings("ignore::steelyard.ReadingWarning")
@pytest.mark.parametrize("kind", LEVELS)
def test_ordered_categories_of_every_type_keep_order_and_unused_levels(tmp_path, kind):
    levels = LEVELS[kind]
    frame = pd.DataFrame({"x": X, "y": pd.Categorical([levels[i % 2] for i in CODES], categories=levels, ordered=True)})
    frame.to_feather(tmp_path / "t.feather")
    frame.to_parquet(tmp_path / "t.parquet", row_group_size=7)
    shown = [str(v).removesuffix(" 00:00:00") for v in levels]
    wanted = [CODES.count(0) + CODES.count(2), CODES.count(1), 0][: len(levels)]
    for data in (frame, pa.Table.from_pandas(frame), tmp_path / "t.feather"):
        counts = sy.count(data, label="y")
        assert (list(counts.classes), counts.per_class.tolist()) == (shown, wanted)
        assert list(problem(data, "y").counts.classes) in (shown[:2], shown[1::-1])  # of two classes, the rarer is last
    column = frame["y"]
    for data in (column, column.array, pa.array(column)):
        counts = sy.count(data)
        assert [c.removesuffix(" 00:00:00") for c in counts.classes] == shown
        assert counts.per_class.tolist() == wanted
    # Parquet itself keeps levels of text alone
    counts = sy.count(tmp_path / "t.parquet", label="y")
    if kind == "text":
        assert (list(counts.classes), counts.per_class.tolist()) == (shown, wanted)
    else:
        with pytest.warns(sy.ReadingWarning, match=r"'y' was an ordered category.*--classes"):
            sy.count(tmp_path / "t.parquet", label="y")
        assert any("'y' was an ordered category" in note for note in problem(tmp_path / "t.parquet", "y").notes)


def test_an_enum_of_polars_keeps_its_levels_in_memory():
    counts = sy.count(polars.Series(["b", "a", "b"], dtype=polars.Enum(["b", "c", "a"])))
    assert (counts.classes, counts.per_class.tolist()) == (("b", "c", "a"), [2, 0, 1])
    with pytest.raises(ValueError, match="1 label is missing"):
        sy.count(pd.Series(pd.Categorical(["b", None], ["b", "a"], ordered=True)))


def test_labels_beside_rows_are_named_as_count_names_them():
    rows = np.zeros((4, 1))
    for y in ([0.0, 1.0, 1.0, 0.0], [0, 1, 1, 0], np.array([0, 1, 1, 0], object)):
        assert problem_of(rows, y, None).counts.classes == ("0", "1")
    for y, why in (
        ([0.0, np.nan, 1.0, 0.0], "1 of 4 labels is missing"),
        (np.array(["a", None, "b", "a"], object), "1 of 4 labels is missing"),
        ([0.5, 1.5, 0.5, 1.5], "continuous"),
        (np.array(["a", 1, "b", "a"], object), "mixed kinds"),
    ):
        with pytest.raises(ValueError, match=why):
            problem_of(rows, y, None)
