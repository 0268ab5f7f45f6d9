"""JSON Lines, JSON arrays and Arrow files: typed cells, read alike by both commands, against pandas where it reads them."""

import gzip
import io
import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather as feather
import pytest

from steelyard.data.dispatch import count_path
from steelyard.data.tables import read_table
from steelyard.tuning.data.problem import problem

ROWS = [{"k": i, "x": i / 8, "w": "abc"[i % 3], "y": "yes" if i % 4 == 0 else "no"} for i in range(24)]


def lines(rows) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def ys(*values) -> str:
    return lines([{"x": i / 8, "y": values[i % len(values)]} for i in range(48)])


FILES = {
    "t.jsonl": lines(ROWS).encode(),
    "t.ndjson": lines(ROWS).replace("\n", "\r\n").encode("utf-8-sig"),
    "t.json": ("\n" + lines(ROWS) + "\n\n").encode(),
    "array.json": json.dumps(ROWS).encode(),
    "pretty.json": json.dumps(ROWS, indent=2).encode(),
    "t.jsonl.gz": gzip.compress(lines(ROWS).encode()),
}


def arrow_files() -> dict[str, bytes]:
    table, sink = pa.Table.from_pandas(pd.DataFrame(ROWS, index=[f"p{i}" for i in range(24)])), io.BytesIO()
    feather.write_feather(table, sink)
    stream = pa.BufferOutputStream()
    with pa.ipc.new_stream(stream, table.schema) as writer:
        writer.write_table(table)
    return {"t.feather": sink.getvalue(), "file.arrow": sink.getvalue(), "stream.arrow": stream.getvalue().to_pybytes()}


@pytest.mark.parametrize("name", [*FILES, "t.feather", "file.arrow", "stream.arrow"])
def test_typed_files_are_read_by_both_commands(tmp_path, name):
    path = tmp_path / name
    path.write_bytes((FILES | arrow_files())[name])
    table = read_table(path)
    assert table.names == ("k", "x", "w", "y")  # without the row names of the Arrow files
    expected = pd.DataFrame(ROWS)
    for column in ("k", "x"):
        np.testing.assert_array_equal(table.column(column), expected[column])
    assert table.column("w").tolist() == expected["w"].tolist()
    counts, _ = count_path(path, "y")
    assert counts.per_class.tolist() == problem(table, "y").counts.per_class.tolist() == [18, 6]
    assert count_path(path, -1)[0].classes == counts.classes == ("no", "yes")


# (content, classes and how often, what is said)
LABELS = {
    "numbers": (ys(0, 1, 2), {"0": 16, "1": 16, "2": 16}, None),
    "whole and broken numbers": (ys(0, 1.0), {"0": 24, "1": 24}, None),
    "true and false": (ys(True, False), {"False": 24, "True": 24}, None),
    "text that looks like numbers": (ys("007", "7"), {"007": 24, "7": 24}, None),
    "text that looks like dates": (ys("2020-01-02", "2020-01-01"), {"2020-01-01": 24, "2020-01-02": 24}, None),
    "numbers beyond 64 bits": (ys(2**70, 2**70 + 1), {str(2**70): 24, str(2**70 + 1): 24}, "too long"),
    "nothing": (ys("a", None, "b"), {"a": 16, "b": 16}, "16 rows without a label left out"),
    "numbers and their text": (ys(1, "1", "2"), {"1": 32, "2": 16}, "holds numbers and text; it was read as numbers"),
    "numbers and other text": (ys(1, "01"), {"01": 24, "1": 24}, "holds numbers and text; it was read as text"),
    "true and text": (ys(True, "no"), {"no": 24, "true": 24}, "holds true and false and text"),
    "a key that comes late": ("".join(lines([{"x": i, **({"y": "ab"[i % 2]} if i > 1999 else {})}]) for i in range(2040)), {"a": 20, "b": 20}, "2,000 rows without"),
    "lists": (ys(["a"], ["a", "b"], []), {"a": 32, "b": 16}, None),
    "blanks around keys": ('{" y": 1, "y": "a"}\n{" y": 2, "y": "b"}\n', {"a": 1, "b": 1}, None),
}  # fmt: skip


@pytest.mark.parametrize(("content", "classes", "says"), LABELS.values(), ids=LABELS)
def test_labels_keep_their_type(tmp_path, content, classes, says):
    path = tmp_path / "t.jsonl"
    path.write_text(content)
    counts, notes = count_path(path, -1)
    assert dict(zip(counts.classes, counts.per_class.tolist(), strict=True)) == classes
    assert says is None or any(says in note for note in notes)
    if counts.kind == "exclusive":
        read = read_table(path).classes(-1)[1].counts
        assert (read.classes, read.per_class.tolist()) == (counts.classes, counts.per_class.tolist())


def test_keys_that_some_rows_lack_are_missing_and_nested_ones_are_named(tmp_path):
    path = tmp_path / "t.jsonl"
    path.write_text('{"a": 1, "o": {"b": 1}}\n{"l": [1], "a": null}\n{"a": 2.5, "s": "x"}\n')
    table = read_table(path)
    np.testing.assert_array_equal(table.column("a"), [1, np.nan, 2.5])
    assert table.column("s").tolist() == [None, None, "x"]
    assert any("left out: o, l" in note for note in table.notes)
    with pytest.raises(ValueError, match="nested values"):
        count_path(path, "o")


REFUSED = {
    "split": ("t.json", json.dumps({"columns": ["x"], "index": [0], "data": [[1]]}), "orient='split'"),
    "columns": ("t.json", json.dumps({"x": {"0": 1}, "y": {"0": "a"}}), "orient='columns'"),
    "a list of lists": ("t.json", "[[1, 2], [3, 4]]", "no list of rows"),
    "a broken line": ("t.jsonl", lines(ROWS) + '{"k": 1,\n', "line 25 is no JSON"),
    "no row": ("t.jsonl", lines(ROWS) + "[1]\n", "line 25 is no row"),
    "a key twice": ("t.jsonl", lines(ROWS) + '{"y": 1, "y": 2}\n', "line 25 has the key 'y' twice"),
    "nothing": ("t.jsonl", "\n", "is empty"),
    "half a character": ("t.jsonl", '{"x": 1, "y": "\\ud800"}\n', "half a character"),
    "no Arrow": ("t.feather", "no", "this Arrow file cannot be read"),
}


@pytest.mark.parametrize(("name", "content", "says"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_table_is_named(tmp_path, name, content, says):
    path = tmp_path / name
    path.write_text(content)
    for read in (read_table, lambda file: count_path(file, "y")):
        with pytest.raises(ValueError, match=says):
            read(path)


def test_text_that_is_not_utf8_names_the_line(tmp_path):
    path = tmp_path / "t.jsonl"
    path.write_bytes(lines(ROWS).encode() + b'{"y": "caf\xe9"}\n')
    with pytest.raises(ValueError, match="line 25 is not UTF-8"):
        count_path(path, "y")


def test_text_and_json_do_not_mix(tmp_path):
    (tmp_path / "a.jsonl").write_text(lines(ROWS))
    (tmp_path / "b.csv").write_text("k,x,w,y\n1,2,a,no\n")
    for read in (read_table, lambda file: count_path(file, "y")):
        with pytest.raises(ValueError, match="mixed"):
            read(tmp_path)


def test_parquet_with_row_names_does_not_learn_from_them(tmp_path):
    pd.DataFrame(ROWS, index=[f"p{i}" for i in range(24)]).to_parquet(tmp_path / "t.parquet")
    assert read_table(tmp_path / "t.parquet").names == ("k", "x", "w", "y")
    assert count_path(tmp_path / "t.parquet", -1)[0].classes == ("no", "yes")
