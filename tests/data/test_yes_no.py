"""Unknown is not no: in every store, for one label alone."""

import json
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

import steelyard as sy
from steelyard import Counts, count, pos_neg
from steelyard.data.yes_no import answers_of

NAN = float("nan")
# yes, no, unknown of a: 2, 2, 1; of b: 1, 3, 1; of c: 0, 5, 0
ROWS = [[1, 0, 0], [1, None, 0], [0, 1, 0], [None, 0, 0], [0, 0, 0]]
EXPECTED = Counts([2, 1, 0], ["a", "b", "c"], kind="multilabel", items=5, also={"unknown": [1, 1, 0]})
FILLED = {
    "minus one": [[-1 if v is None else v for v in row] for row in ROWS],
    "nan": [[NAN if v is None else float(v) for v in row] for row in ROWS],
    "none": ROWS,
    "booleans": [[None if v is None else bool(v) for v in row] for row in ROWS],
    "text": [["" if v is None else ("no", "yes")[v] for v in row] for row in ROWS],
}


def column(rows, k):
    return [row[k] for row in rows]


def table(rows):
    return {name: column(rows, k) for k, name in enumerate("abc")}


def csv(rows, folder):
    cells = [["" if v is None or v != v else str(v) for v in row] for row in rows]
    (folder / "t.csv").write_text("a,b,c\n" + "".join(",".join(row) + "\n" for row in cells))
    return folder / "t.csv", {"label": ["a", "b", "c"]}


def parquet(rows, folder):
    pq.write_table(pa.table(table(rows)), folder / "t.parquet")
    return folder / "t.parquet", {"label": ["a", "b", "c"]}


def json_lines(rows, folder):
    (folder / "t.jsonl").write_text("".join(json.dumps(dict(zip("abc", row, strict=True))) + "\n" for row in rows))
    return folder / "t.jsonl", {"label": ["a", "b", "c"]}


def dataset(rows, folder):
    return pytest.importorskip("datasets").Dataset.from_dict(table(rows)), {"label": ["a", "b", "c"]}


ARRAY = {"classes": ["a", "b", "c"]}
COLUMNS = {"label": ["a", "b", "c"]}
STORES = {
    "csv": csv,
    "parquet": parquet,
    "JSON Lines": json_lines,
    "dataset": dataset,
    "pandas": lambda rows, _: (pd.DataFrame(table(rows)), COLUMNS),
    "pandas, objects": lambda rows, _: (pd.DataFrame(table(rows), dtype=object), COLUMNS),
    "pandas, nullable": lambda rows, _: (pd.DataFrame(table(rows)).convert_dtypes(), COLUMNS),
    "polars": lambda rows, _: (pl.DataFrame(table(rows)), COLUMNS),
    "arrow": lambda rows, _: (pa.table(table(rows)), COLUMNS),
    "lists": lambda rows, _: (rows, ARRAY),
    "array": lambda rows, _: (np.array(rows), ARRAY),
    "array of objects": lambda rows, _: (np.array(rows, dtype=object), ARRAY),
    "batches": lambda rows, _: ([(0, rows[:2]), (0, rows[2:])], {"key": 1, **ARRAY}),
    "batches of arrays": lambda rows, _: ([np.array(rows[:2]), np.array(rows[2:])], {"key": slice(None), **ARRAY}),
}


@pytest.mark.parametrize("filled", FILLED)
@pytest.mark.parametrize("store", STORES)
def test_unknown_is_neither_yes_nor_no_and_the_row_counts_for_the_others(tmp_path, store, filled):
    if filled == "text" and store in ("lists", "batches", "parquet", "csv"):
        pytest.skip("lists of text are lists of labels; text of tables: below")
    data, options = STORES[store](FILLED[filled], tmp_path)
    data = iter(data) if store == "batches of arrays" else data
    counts = count(data, **options)
    assert counts.classes == EXPECTED.classes
    np.testing.assert_array_equal(counts.table, EXPECTED.table)
    assert counts.also["unknown"].tolist() == [1, 1, 0]
    assert counts.items == 5


@pytest.mark.parametrize("write", [csv, parquet, dataset])
def test_text_of_tables_says_yes_and_no(tmp_path, write):
    data, options = write([[str(v) if v is None else ("no", "Yes")[v] for v in row] for row in ROWS], tmp_path)
    with pytest.raises(ValueError, match="'None'"):
        count(data, **options)
    data, options = write([["NA" if v is None else ("no", "Yes")[v] for v in row] for row in ROWS], tmp_path)
    np.testing.assert_array_equal(count(data, **options).table, EXPECTED.table)


def test_tensors_and_masks_say_the_same():
    array = np.array(FILLED["minus one"])
    same = [
        torch.tensor(array),
        torch.tensor(FILLED["nan"]),
        torch.tensor(FILLED["nan"]).bfloat16(),
        torch.tensor(FILLED["nan"], requires_grad=True),
        [torch.tensor(row) for row in array],
        np.ma.MaskedArray(np.maximum(array, 0), array < 0),
        np.ma.MaskedArray(np.where(array < 0, "?!", array).astype(object), array < 0),
    ]
    for data in same:
        assert count(data, **ARRAY) == EXPECTED
    assert count(np.where(array < 0, -100, array), ignore=-100, **ARRAY) == EXPECTED
    assert count(np.where(array < 0, 255, array).astype(np.uint8), ignore=[255], **ARRAY) == EXPECTED


def test_a_row_that_says_nothing_is_left_out():
    counts = count([[1, 0], [-1, None], [0, NAN]])
    assert (counts.items, counts.also["unknown"].tolist(), counts.table.tolist()) == (2, [0, 1], [[1, 1], [1, 0]])
    assert "1 row without a label" in counts.source


@pytest.mark.parametrize(
    ("data", "options", "says"),
    [
        ([[0, 2]], {}, "it holds 2.* ignore=2"),
        ([[0, 0.5]], {}, "it holds 0.5"),
        ([[0, -100]], {}, "ignore=-100"),
        ([[1, 0]], {"ignore": 0}, "are 1 and 0; ignore= names what means unknown"),
        ([[1, 0]], {"ignore": "no"}, "names what means unknown"),
        ([[-1, 0], [1, 1]], {}, "holds -1 and 1 but no 0"),
        ([[None, NAN]], {}, "no row has a value"),
        (np.array([["a", "b"]]), {}, "it holds 'a'"),
        (np.zeros((0, 3)), {}, "empty"),
        (np.zeros((2, 2), complex), {}, "complex"),
        ([[1, 0]], {"classes": "a"}, "classes= names 1 labels, but there are 2"),
        (pd.DataFrame({"a": [0, 3]}), {"label": ["a"]}, "column 'a' holds 3"),
    ],
)
def test_what_is_no_answer_is_refused_with_what_to_write(data, options, says):
    with pytest.raises(ValueError, match=says):
        count(data, **options)


def test_parts_add():
    whole, part = (answers_of({"a": np.array(v)}) for v in ([1, 0, -1, np.nan], [1, 0]))
    part.add(answers_of({"a": np.array([-1, np.nan])}))
    assert part == whole


def test_a_label_that_nobody_knows_stops_no_other():
    counts = count([[1, -1], [0, -1], [0, -1]])
    assert counts.also["unknown"].tolist() == [0, 3]
    np.testing.assert_allclose(pos_neg(counts).weight.numpy(), [[0.75, 1], [1.5, 1]])


def one_hot_stores(tmp_path):
    """The same 40 rows that say yes once each, as they are brought."""
    array = np.eye(3, dtype=int)[np.arange(40) % 3]
    frame = pd.DataFrame(array, columns=["a", "b", "c"])
    frame.to_csv(tmp_path / "t.csv", index=False)
    frame.to_parquet(tmp_path / "t.parquet")
    names = ["a", "b", "c"]
    return {
        "array": (array, {}),
        "tensor": (torch.from_numpy(array), {}),
        "batches": ([(None, torch.from_numpy(half)) for half in (array[:20], array[20:])], {"key": 1}),
        "frame": (frame, {"label": names}),
        "csv": (tmp_path / "t.csv", {"label": names}),
        "parquet": (tmp_path / "t.parquet", {"label": names}),
    }


@pytest.mark.parametrize("store", ["array", "tensor", "batches", "frame", "csv", "parquet"])
def test_rows_that_all_say_yes_once_may_be_one_hot(tmp_path, store):
    data, options = one_hot_stores(tmp_path)[store]
    with pytest.warns(sy.ReadingWarning, match=r"every one of 40 rows says yes to exactly one of the 3 labels"):
        counts = sy.count(data, **options)
    assert counts.kind == "multilabel"
    if store != "batches":
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert sy.count(data, kind="multilabel", **options) == counts


def test_rows_that_now_and_then_say_yes_twice_or_not_at_all_are_what_they_seem():
    array = np.eye(3, dtype=int)[np.arange(40) % 3]
    for j, value in ((0, 0), (1, 1)):
        other = array.copy()
        other[0, j] = value
        assert not sy.count(other).notes


def drawn(rows, columns):
    """A disk on an empty ground."""
    y, x = np.ogrid[:rows, :columns]
    return ((y - rows / 2) ** 2 + (x - columns / 2) ** 2 < min(rows, columns) ** 2 / 9).astype(np.uint8)


@pytest.mark.parametrize(
    "mask", [drawn(64, 64), drawn(40, 200).astype(bool), torch.from_numpy(drawn(32, 48)), drawn(64, 64).tolist()]
)
def test_one_mask_among_labels_is_doubted(mask):
    with pytest.warns(
        sy.ReadingWarning, match="as in a picture. If it is a mask, count its pixels with kind='exclusive'"
    ):
        sy.count(mask)
    for kind in ("exclusive", "multilabel"):
        assert not sy.count(mask, kind=kind).notes


def test_labels_in_any_order_are_not_taken_for_a_mask():
    random = np.random.default_rng(0)
    independent = (random.random((500, 20)) < np.linspace(0.02, 0.5, 20)).astype(int)
    together = independent.copy()
    together[:, 1:10] |= independent[:, :9]  # who says one label says the next
    for labels in (independent, together):
        assert not sy.count(labels).notes
        assert not sy.count(labels[np.lexsort(labels.T)]).notes
