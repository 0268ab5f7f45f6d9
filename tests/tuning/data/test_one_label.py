"""tune takes one label with one class in a row, and says what to do with several."""

import pandas as pd
import pytest

from steelyard.tuning.data.problem import problem

FRAME = pd.DataFrame({"tag_a": [0, 1] * 20, "tag_b": [1, 0, 0, 1] * 10, "x": [i % 7 + 0.5 for i in range(40)]})
LISTS = FRAME.assign(y=[["a", "b"], ["a"]] * 20)


@pytest.mark.parametrize("store", ["pandas", "csv"])
@pytest.mark.parametrize("label", ["tag_*", "tag_a,tag_b", ["tag_a", "tag_b"], "tag_?"])
def test_several_columns_are_refused_with_the_way_out(tmp_path, store, label):
    FRAME.to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(ValueError, match=r"2 label columns.*Name one.*for c in tag_a tag_b"):
        problem(FRAME if store == "pandas" else tmp_path / "t.csv", label)
    assert problem(FRAME, ["tag_a"]).label == "tag_a"
    assert problem(FRAME, 1).label == "tag_a"


@pytest.mark.parametrize("store", ["pandas", "parquet", "jsonl"])
def test_a_column_of_lists_is_refused_with_the_way_out(tmp_path, store):
    LISTS.to_parquet(tmp_path / "t.parquet")
    LISTS.to_json(tmp_path / "t.jsonl", orient="records", lines=True)
    data = LISTS if store == "pandas" else tmp_path / f"t.{store}"
    with pytest.raises(ValueError, match=r"column 'y' .*holds lists.*steelyard count"):
        problem(data, "y")
    with pytest.raises(ValueError, match="no column 'z'"):
        problem(data, "z")


def test_cells_that_hold_several_labels_are_told_where_they_cannot_be_tuned(tmp_path):
    cells = ["O B O", "O", "O B I", "O O"]
    with pytest.raises(ValueError, match=r"8 rows or more.*--separator ' '.*--kind exclusive.*one label per row"):
        problem(pd.DataFrame({"y": cells, "x": [1.5, 2.5, 3.5, 1.0]}), "y")
