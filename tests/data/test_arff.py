"""ARFF: dense and sparse rows, quotes, weights, and Mulan's labels beside it."""

import numpy as np
import pytest
from tests.data.examples import arff

from steelyard import count
from steelyard.data import count_path
from steelyard.data.tables import read_table


def as_dict(counts):
    return dict(zip(counts.classes, counts.per_class.tolist(), strict=True))


def test_arff_beside_its_xml_is_multilabel(tmp_path):
    counts, notes = count_path(arff(tmp_path / "t.arff"))
    assert as_dict(counts) == {"B": 2, "A": 2}  # in the order of the XML, labels inside labels too
    assert (counts.kind, counts.items, notes) == ("multilabel", 5, [])
    assert count(tmp_path / "t.arff", label=["A", "B"]).per_class.tolist() == [2, 2]


def test_arff_reads_dense_and_sparse_rows_quotes_and_missing(tmp_path):
    table = read_table(arff(tmp_path / "t.arff"))
    assert table.names == ("a length", "kind", "A", "B")
    np.testing.assert_array_equal(table.column("a length"), [1.5, np.nan, 2.5, 0, 2])
    assert table.column("kind").tolist() == ["yes", "may be", "no", "no", None]
    assert table.column("B").tolist() == [0, 0, 1, 0, 1]
    counts, notes = count_path(tmp_path / "t.arff", label="kind")
    assert as_dict(counts) == {"may be": 1, "no": 2, "yes": 1}
    assert notes == ["1 row without a label left out of 5"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not an ARFF table"),
        ("@data\n1\n", "not an ARFF table"),
        ("@attribute\n@data\n", "line 1 is no ARFF attribute"),
        ("hello\n", "line 1 comes before @data"),
        ("@attribute a real\n@data\n1,2\n", "line 3 has 2 cells for 1 attributes"),
        ("@attribute a real\n@data\n{1 2}\n", "line 3 is no sparse row"),
        ("@attribute a real\n@data\n{0 2\n", "line 3 is no sparse row"),
        ("@attribute a real\n@data\n", "no rows"),
    ],
)
def test_a_damaged_arff_is_named_with_its_line(tmp_path, text, says):
    (tmp_path / "t.arff").write_text(text)
    with pytest.raises(ValueError, match=says):
        read_table(tmp_path / "t.arff")


def test_a_row_may_carry_a_weight(tmp_path):
    (tmp_path / "t.arff").write_text("@attribute a real\n@attribute b {x,y}\n@data\n1,y,{5}\n{1 y}, {2}\n2,'a,b'\n")
    assert read_table(tmp_path / "t.arff").column("b").tolist() == ["y", "y", "a,b"]


@pytest.mark.parametrize(
    ("name", "label", "expected"),
    [("hypothyroid", "Class", [194, 3481, 95, 2]), ("page.blocks", "class", [4913, 329, 28, 88, 115])],
)
def test_real_arff_tables(shared_data, name, label, expected):
    assert count(shared_data / "tabular" / f"{name}.arff", label=label).per_class.tolist() == expected
