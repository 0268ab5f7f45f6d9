"""The commands on masks and boxes, and tables whose cells are missing or misspelt."""

import json

import pytest
from tests.data.examples import arff, coco, masks, voc, yolo

from steelyard import Counts


def rows(out):
    return [line.split() for line in out.splitlines()]


def test_masks_show_pixels_and_images(steelyard, tmp_path):
    code, out, _ = steelyard("count", masks(tmp_path / "m"), "--ignore", "255", "--classes", "road,car,man")
    assert code == 0
    assert ["road", "11", "55.00%", "3"] in rows(out)
    assert "20 pixels in 3 classes, 3 images" in out
    code, out, _ = steelyard("count", masks(tmp_path / "m"), "--classes", "0=road,1=thing,2=thing,255=void", "--json")
    assert Counts.from_json(out).classes == ("road", "thing", "void")


def test_boxes_show_images_and_areas(steelyard, tmp_path):
    code, out, _ = steelyard("count", coco(tmp_path / "c.json"))
    assert code == 0
    assert ["cat", "3", "75.00%", "2", "44"] in rows(out)
    assert "; 1 crowd annotations (iscrowd) left out" in out
    assert steelyard("count", yolo(tmp_path / "y"), "--split", "val")[0] == 0
    assert steelyard("count", voc(tmp_path / "v"), "--split", "train")[0] == 0
    assert steelyard("count", arff(tmp_path / "t.arff"))[0] == 0


def test_saved_counts_are_weighed_like_the_data(steelyard, tmp_path):
    folder = voc(tmp_path / "v")
    steelyard("count", folder, "--json", "--out", tmp_path / "counts.json")
    _, from_data, _ = steelyard("weigh", folder, "--json")
    _, from_counts, _ = steelyard("weigh", tmp_path / "counts.json", "--json")
    assert from_data == from_counts
    assert json.loads((tmp_path / "counts.json").read_text())["digest"]


def test_images_are_weighed_instead_of_boxes(steelyard, tmp_path):
    code, out, err = steelyard("weigh", voc(tmp_path / "v"), "--by", "images", "--strategy", "pos-neg", "--json")
    assert (code, err.startswith("read: ")) == (0, True)
    code, out, err = steelyard("weigh", tmp_path / "v", "--by", "pixels")
    assert (code, out) == (2, "")
    assert "besides boxes there is 'images', 'area in pixels'" in err


def test_unreadable_files_stop_or_are_named(steelyard, tmp_path):
    folder = masks(tmp_path / "m")
    (folder / "z.png").write_bytes(b"no")
    code, out, err = steelyard("count", folder)
    assert (code, out) == (2, "")
    assert "z.png" in err
    code, out, _ = steelyard("count", folder, "--ignore", "255", "--on-error", "report")
    assert code == 0
    assert "; 1 file could not be read" in out
    assert "z.png" in out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--instances", "x"), "instances must be 'objects' or a divisor"),
        (("--split", "train"), "split= (--split) is for VOC and YOLO"),
        (("--label", "y"), "the folder has no table"),
        (("--ignore", "void"), "masks hold whole numbers"),
        (("--on-error", "skip"), "on_error must be"),
        (("--engine", "dask"), "engine must be one of local, ray"),
        (("--classes", "a"), "classes= names 0 to 0"),
    ],
)
def test_options_that_do_not_fit_are_one_paragraph(steelyard, tmp_path, arguments, says):
    code, out, err = steelyard("count", masks(tmp_path / "m"), *arguments)
    assert (code, out) == (2, "")
    assert says in err
    assert len(err.splitlines()) == 1


@pytest.fixture
def namibia(tmp_path):
    path = tmp_path / "countries.csv"
    path.write_text(
        "x,y\n" + "".join(f"{i % 7}.5,{c}\n" for i, c in enumerate(["NA"] * 30 + ["DE"] * 50 + ["fr", "FR"] * 10))
    )
    return path


def test_missing_and_spelling_are_said_and_chosen_by_every_command(steelyard, namibia, tmp_path):
    _, out, _ = steelyard("count", namibia, "--label", "y")
    assert "'NA' was read as missing in 30 rows of 'y'; if that is a class, say --missing none" in out
    assert "'FR' and 'fr' differ only in spelling" in out
    whole = ("--label", "y", "--missing", "none", "--same-case", "--json")
    _, out, _ = steelyard("count", namibia, *whole)
    counts = Counts.from_json(out)
    assert dict(zip(counts.classes, counts.per_class.tolist(), strict=True)) == {"DE": 50, "FR": 20, "NA": 30}
    _, out, _ = steelyard("count", namibia, "--label", "y", "--classes", "NA,DE,FR,fr", "--json")
    assert Counts.from_json(out).per_class.tolist() == [30, 50, 10, 10]
    _, out, _ = steelyard("count", namibia, "--label", "y", "--classes", "DE=1,NA=0,FR=2,fr=2", "--json")
    assert Counts.from_json(out).per_class.tolist() == [30, 50, 20]
    code, out, _ = steelyard("weigh", namibia, *whole, "--out", tmp_path / "recipe.json")
    assert code == 0
    code, out, _ = steelyard("explain", tmp_path / "recipe.json", namibia, *whole[:-1])
    assert code == 0
    assert "'NA'" in out or "NA" in out


def test_missing_is_for_tables(steelyard, tmp_path):
    code, _, err = steelyard("count", masks(tmp_path / "m"), "--missing", "none")
    assert code == 2
    assert "missing= (--missing) is for tables" in err


def test_tokens_of_a_file_are_counted_weighed_and_explained(steelyard, tmp_path):
    data = tmp_path / "tags.jsonl"
    data.write_text("".join(json.dumps({"tags": tags}) + "\n" for tags in (["O", "B", "O"], ["O"]) * 4))
    tokens = (data, "--label", "tags", "--kind", "exclusive")
    code, out, _ = steelyard("count", *tokens)
    assert (code, rows(out)[1][-1]) == (0, "sequences")  # the first line says what was read
    assert ["O", "12", "75.00%", "8"] in rows(out)
    assert "16 tokens in 2 classes, 8 sequences" in out
    assert "--kind exclusive" in steelyard("count", data, "--label", "tags")[1]
    code, out, _ = steelyard("weigh", *tokens, "--strategy", "median-frequency", "--json")
    (tmp_path / "recipe.json").write_text(out)
    assert code == 0
    assert steelyard("explain", tmp_path / "recipe.json", *tokens)[0] == 0
    assert "8 sequences, 2 labels" in steelyard("weigh", *tokens, "--by", "sequences")[1]


@pytest.mark.parametrize("name", ["rows.json", "lines.json"])
def test_rows_in_json_are_asked_for_their_label(steelyard, tmp_path, name):
    rows = [{"id": i, "y": "ab"[i % 2]} for i in range(4)]
    text = json.dumps(rows) if name == "rows.json" else "".join(json.dumps(row) + "\n" for row in rows)
    (tmp_path / name).write_text(text)
    code, out, err = steelyard("count", tmp_path / name)
    assert (code, out, "--label" in err) == (2, "", True)
    assert steelyard("count", tmp_path / name, "--label", "y")[0] == 0


def test_a_kind_that_the_data_cannot_be_says_what_to_write(steelyard, tmp_path):
    (tmp_path / "t.csv").write_text("a,b\n1,0\n0,1\n")
    for options, words in (
        (("--label", "a", "--kind", "multilabel"), "--separator"),
        (("--label", "a", "--kind", "several"), "'multilabel' (--kind)"),
        (("--label", "*", "--kind", "exclusive"), "for one column"),
    ):
        code, out, err = steelyard("count", tmp_path / "t.csv", *options)
        assert (code, out, words in err) == (2, "", True)
    code, _, err = steelyard("count", masks(tmp_path / "m"), "--ignore", "255", "--kind", "multilabel")
    assert (code, "--by images" in err) == (2, True)


def test_a_table_that_cannot_be_read_is_named_and_the_others_count(steelyard, tmp_path):
    (tmp_path / "a.csv").write_text("y,x\nno,1\nyes,2\n")
    (tmp_path / "b.csv").write_text("")
    code, out, _ = steelyard("count", tmp_path, "--label", "y", "--on-error", "report")
    assert (code, "2 rows in 2 classes" in out, "b.csv" in out) == (0, True, True)
