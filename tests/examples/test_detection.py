"""The detectors' example: boxes are matched and measured as is said, and the README shows results.json."""

import json
import re

import numpy as np
import pytest
from examples.detection import arms, cells, measure, table
from PIL import Image

import steelyard as sy

CLASSES = ("RBC", "WBC", "Platelets")


def a_photo(boxes, labels):
    pixels = np.zeros((cells.HEIGHT, cells.WIDTH, 3), dtype=np.uint8)
    return cells.Photo("x", pixels, np.array(boxes, dtype=np.float32).reshape(-1, 4), np.array(labels, dtype=np.int64))


def found(boxes, labels, scores):
    return measure.Found(np.array(boxes, dtype=np.float32).reshape(-1, 4), np.array(labels), np.array(scores))


def test_each_true_box_is_found_once_by_the_surest_of_its_class():
    photo = a_photo([[0, 0, 10, 10], [50, 50, 60, 60]], [0, 2])
    ours = found(
        [[0, 0, 10, 9], [0, 0, 10, 10], [50, 50, 60, 60], [50, 50, 60, 57]], [0, 0, 0, 2], [0.9, 0.8, 0.7, 0.6]
    )
    matched = measure.match([ours], [photo])
    assert matched.score.tolist() == [0.9, 0.8, 0.7, 0.6]
    assert matched.right.tolist() == [True, False, False, True]
    assert matched.true.tolist() == [[1, 0, 1]]


def test_average_precision_by_hand():
    # right, wrong, right, and one that is never found: precision 1 to recall 1/3, then 2/3
    assert measure.average_precision(np.ones(3), np.array([True, False, True]), 3) == pytest.approx(1 / 3 + 2 / 9)
    assert measure.average_precision(np.zeros(0), np.zeros(0, bool), 3) == 0


def test_recall_is_taken_where_all_classes_together_have_one_false_box_per_image():
    photo = a_photo([[0, 0, 10, 10], [50, 50, 60, 60], [90, 90, 99, 99]], [0, 2, 2])
    boxes = [[0, 0, 10, 10], [20, 20, 30, 30], [50, 50, 60, 60], [30, 0, 40, 10], [90, 90, 99, 99]]
    numbers = measure.measures(measure.match([found(boxes, [0, 1, 2, 0, 2], [0.9, 0.8, 0.7, 0.6, 0.5])], [photo]))
    assert numbers["recall RBC"] == 1
    assert numbers["recall Platelets"] == 0.5  # the second comes after the second false box
    assert numbers["AP WBC"] == 0


def test_a_draw_of_images_is_those_images_as_often():
    photos = [a_photo([[0, 0, 10, 10]], [0]), a_photo([[0, 0, 10, 10]], [0]), a_photo([[5, 5, 9, 9]], [2])]
    each = [
        found([[0, 0, 10, 10]], [0], [0.9]),
        found([[60, 60, 70, 70]], [0], [0.8]),
        found([[5, 5, 9, 9], [1, 1, 3, 3]], [2, 2], [0.7, 0.6]),
    ]
    times = np.array([2.0, 1.0, 3.0])
    repeated = [i for i, n in enumerate(times) for _ in range(int(n))]
    one = measure.measures(measure.match(each, photos), times)
    other = measure.measures(measure.match([each[i] for i in repeated], [photos[i] for i in repeated]))
    assert one == pytest.approx(other)


def test_the_data_set_is_read_in_its_own_parts(tmp_path):
    for folder in ("Annotations", "JPEGImages", "ImageSets/Main"):
        (tmp_path / folder).mkdir(parents=True)
    for part in ("train", "val", "test"):
        (tmp_path / "ImageSets" / "Main" / f"{part}.txt").write_text(f"{part}\n")
        Image.new("RGB", (640, 480)).save(tmp_path / "JPEGImages" / f"{part}.jpg")
        cell = "<object><name>{}</name><bndbox><xmin>{}</xmin><ymin>40</ymin><xmax>120</xmax><ymax>80</ymax></bndbox></object>"
        text = "".join(
            cell.format(n, x) for n, x in (("RBC", 40), ("Platelets", 80), ("WBC", 120))
        )  # the last has no size
        (tmp_path / "Annotations" / f"{part}.xml").write_text(f"<annotation>{text}</annotation>")
    photos = cells.load(tmp_path)
    assert [p.name for p in photos["train"]] == ["train", "val"]
    assert photos["test"][0].boxes.tolist() == [[10, 10, 30, 20], [20, 10, 30, 20]]
    assert cells.counts(photos["train"]).per_class.tolist() == [2, 0, 2]
    with pytest.raises(SystemExit, match="MIT licence"):
        cells.load(tmp_path / "Annotations")


def test_every_arm_makes_a_recipe_or_a_rule():
    counts = sy.Counts.of(3348, 301, 292)
    for net in (arms.SSD, arms.YOLO):
        for make in net.values():
            assert isinstance(make(counts), sy.Recipe) or hasattr(make(counts), "recipe")


def test_the_readme_shows_results_json():
    results = json.loads((table.HERE / "results.json").read_text("utf-8"))
    readme = (table.HERE / "README.md").read_text("utf-8")
    assert readme.split(table.BEGIN)[1].split(table.END)[0].strip() == table.text(results).strip()
    done = {(r["net"], r["arm"], r["seed"]) for r in results["runs"]}
    for net, compared in results["compared"].items():
        assert {a for n, a, _ in done if n == net} >= set(compared["means"])
        for arm, means in compared["means"].items():
            runs = [r for r in results["runs"] if r["net"] == net and r["arm"] == arm][: compared["seeds"]]
            for name in (f"AP {CLASSES[0]}", f"recall {CLASSES[2]}"):
                assert means[name] == pytest.approx(np.mean([r[name] for r in runs]))
        for apart in compared["minus plain"].values():
            assert all(low <= high for _, low, high in apart.values())
    assert not re.search(r"/(work|tmp|home)/", readme + json.dumps(results))
