"""steelyard explain."""

import json

import pytest

from steelyard import Recipe


@pytest.fixture
def recipe(tmp_path):
    path = tmp_path / "recipe.json"
    Recipe(weight={"no": 0.5, "yes": 5.5}).save(path)
    return path


def test_the_table_shows_weights_shares_and_flips(steelyard, recipe, two_classes):
    code, out, err = steelyard("explain", recipe, two_classes, "--label", "y")
    assert (code, err) == (0, "")
    rows = {line.split()[0]: line.split() for line in out.splitlines() if line}
    assert rows["yes"][1:5] == ["10", "10", "%", "5.5"]  # of 90 no and 10 yes
    assert rows["yes"][5:7] == ["55", "%"]  # 0.1 * 5.5 / (0.1 * 5.5 + 0.9 * 0.5)
    assert rows["yes"][-2:] == ["8.33", "%"]  # 0.5 / (0.5 + 5.5)
    assert "mean weight 1," in out


def test_counts_saved_as_json_serve_as_data(steelyard, recipe, two_classes, tmp_path):
    steelyard("count", two_classes, "--label", "y", "--json", "--out", tmp_path / "counts.json")
    code, out, _ = steelyard("explain", recipe, tmp_path / "counts.json", "--json")
    assert code == 0
    told = json.loads(out)
    assert told["mean_weight"] == pytest.approx(1.0)
    assert [o["weight"] for o in told["outcomes"]] == [0.5, 5.5]


def test_bad_input_is_one_paragraph(steelyard, recipe, two_classes, tmp_path):
    (tmp_path / "broken.json").write_text("{")
    other = tmp_path / "other.json"
    Recipe(weight={"a": 1.0, "b": 2.0}).save(other)
    for arguments, why in (
        ((tmp_path / "none.json", two_classes, "--label", "y"), "none.json"),
        ((tmp_path / "broken.json", two_classes, "--label", "y"), "not JSON"),
        ((two_classes, two_classes, "--label", "y"), "not JSON"),
        ((other, two_classes, "--label", "y"), "for classes a, b but the counts are for no, yes"),
        ((recipe, recipe), "neither COCO's boxes"),
        ((recipe, two_classes), "label"),
    ):
        code, out, err = steelyard("explain", *arguments)
        assert (code, out) == (2, "")
        assert why in err
        assert len(err.strip().splitlines()) == 1
