"""The first line of every answer says what was read, and no program stumbles over it."""

import gzip
import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from tests.data.examples import coco, voc, yolo

import steelyard as sy
from steelyard.cli.forms import FORMS


def table(folder):
    path = folder / "t.csv"
    path.write_text("x,y\n" + "".join(f"{i},{('no', 'yes', 'NA', '', 'odd')[i % 5]}\n" for i in range(50)))
    return [path, "--label", "y", "--ignore", "odd"]


def several(folder):
    path = folder / "m.csv"
    path.write_text("x,tag_a,tag_b\n" + "".join(f"{i},{i % 2},{'' if i % 5 == 0 else 1}\n" for i in range(20)))
    return [path, "--label", "tag_*"]


def masks(folder):
    (folder / "m").mkdir()
    mask = np.zeros((10, 10), np.uint8)
    mask[:2], mask[5] = 1, 255
    Image.fromarray(mask).save(folder / "m" / "a.png")
    (folder / "m" / "readme.md").write_text("x")
    return [folder / "m", "--ignore", "255"]


def arrays(folder):
    np.save(folder / "a.npy", np.arange(12).reshape(3, 4) % 3)
    return [folder / "a.npy"]


def volumes(folder):
    nibabel = pytest.importorskip("nibabel")
    (folder / "v").mkdir()
    image = nibabel.Nifti1Image((np.arange(27).reshape(3, 3, 3) % 2).astype(np.uint8), np.eye(4))
    (folder / "v" / "a.nii.gz").write_bytes(gzip.compress(image.to_bytes()))
    return [folder / "v"]


def known(folder):
    (folder / "c.csv").write_text("class,count\nno,900\nyes,100\n")
    return [folder / "c.csv"]


def many(folder):
    pd.DataFrame({"y": [f"c{i:03}" for i in range(100)] * 9}).to_csv(folder / "y.csv", index=False)
    return [folder / "y.csv", "--label", "y"]


# data, the words of its first line, in their order
DATA = {
    "table": (table, ["read: 20 rows of ", "column 'y'", "20 rows without a label left out: 'NA' 10", "classes: 0 = 'no', 1 = 'yes'; ", "ignored, as was said: 'odd' 10"]),
    "several": (several, ["read: 20 rows of ", "labels, yes or no each: 0 = 'tag_a', 1 = 'tag_b'"]),
    "masks": (masks, ["read: 1 images (90 pixels) of ", "classes: 0 = '0', 1 = '1'; ", "pixels ignored, as was said: '255' 10", "not counted: 1 file (.md)"]),
    "arrays": (arrays, ["read: 1 images (12 pixels) of ", "a.npy", "0 = '0', 1 = '1', 2 = '2'"]),
    "volumes": (volumes, ["read: 1 images (27 pixels) of ", "0 = '0', 1 = '1'"]),
    "COCO": (lambda folder: [coco(folder / "c.json")], ["read: ", " images (4 boxes) of ", "c.json", "classes: 0 = "]),
    "VOC": (lambda folder: [voc(folder / "v")], ["read: ", " images (", " boxes) of ", "all images were counted"]),
    "YOLO": (lambda folder: [yolo(folder / "y")], ["read: ", " images (", " boxes) of ", ", train", "the training images were counted"]),
    "known": (known, ["read: 1,000 rows of ", "0 = 'no', 1 = 'yes'", "read as known counts (columns 'class' and 'count')"]),
    "many classes": (many, ["read: 900 rows of ", "7 = 'c007' and 92 more"]),
}  # fmt: skip


def in_order(words, line):
    at = 0
    for word in words:
        assert word in line[at:], (word, line)
        at = line.index(word, at) + len(word)


@pytest.mark.parametrize("kind", DATA)
def test_count_weigh_and_explain_begin_with_what_was_read(steelyard, tmp_path, kind):
    make, words = DATA[kind]
    arguments = make(tmp_path)
    code, out, _ = steelyard("count", *arguments)
    assert code == 0
    first = out.splitlines()[0]
    in_order(words, first)
    assert steelyard("weigh", *arguments)[1].splitlines()[0] == first
    code, recipe, err = steelyard("weigh", *arguments, "--json")
    assert err.splitlines()[0] == first
    (tmp_path / "recipe.json").write_text(recipe)
    assert steelyard("explain", tmp_path / "recipe.json", *arguments)[1].splitlines()[0] == first
    # for a program the line is on stderr, and stdout is read as it stands
    for command in (["count"], ["explain", tmp_path / "recipe.json"]):
        code, out, err = steelyard(*command, *arguments, "--json")
        assert isinstance(json.loads(out), dict)
        assert err.splitlines()[0] == first
    assert (
        sy.Recipe.from_json(recipe).classes == sy.Counts.from_json(steelyard("count", *arguments, "--json")[1]).classes
    )


@pytest.mark.parametrize("form", FORMS)
def test_snippets_are_code_beside_it(steelyard, tmp_path, form):
    arguments = table(tmp_path)
    code, out, err = steelyard("weigh", *arguments, f"--{form}")
    assert code == 0
    compile(out, form, "exec")
    assert "read: " not in out
    assert err.startswith("read: 20 rows of ")
    code, out, err = steelyard("weigh", *arguments, f"--{form}", "--out", tmp_path / "snippet.py")
    assert (code, out) == (0, "")
    assert err.startswith("read: 20 rows of ")


def test_nothing_is_said_to_be_read_where_it_was_not(steelyard, tmp_path):
    code, out, err = steelyard("count", tmp_path / "none.csv", "--label", "y")
    assert (code, out) == (2, "")
    assert "read: " not in err
