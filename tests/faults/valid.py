"""One valid file of every saved format, and of annotations in JSON, as the seed of those that are damaged."""

import json
from typing import Any

from tests.faults.hostile import coco
from tests.report.conftest import _three, _won

import steelyard as sy


def counts() -> str:
    made = sy.Counts(
        [3, 4], ["a", "b"], "boxes", "s", items=5, containing=[9, 9], also={"images": [2, 3]}, digest="0" * 32
    )
    return made.to_json()


def recipe() -> str:
    weights = sy.inverse_frequency(sy.Counts.of(900, 100, classes=["no", "yes"]))
    mixed = sy.mix(
        weights, sy.smooth(0.1), sy.Recipe(offset=[[0, float("-inf")], [0, 0]], curve=sy.curves.Focal(2.0), norm="mass")
    )
    return mixed.to_json()


def of_two_classes() -> str:
    """report.json with every part: of rows that have weights, in time, with groups, stopped."""
    data = _won()
    data["data"] |= {"weight": {"column": "w", "effective": 700.5, "masses": [900.0, 100.0]}}
    data["data"] |= {"digest": {"labels": "0" * 32, "all": "1" * 32}}
    data["splits"] |= {"kind": "time", "by": "date", "group": "ward"}
    data["splits"] |= {"events": {"class": "ill", "all": 90, "judged": 70, "by_block": [14] * 5, "groups": 12}}
    data |= {
        "costs": {"fn": 20.0, "fp": 1.0},
        "stopped": {"why": "budget", "repeats_done": 4, "repeats_planned": 5, "weightings_done": 3},
    }
    return json.dumps(data)


def of_three_classes() -> str:
    return json.dumps(_three())


def model(kind: str) -> str:
    from tests.tuning.test_final import refit

    return refit(kind, 3 if kind == "mlp" else 2).model.to_json()


def lvis() -> str:
    data: dict[str, Any] = json.loads(coco(more=[1]))
    for image in data["images"]:
        image |= {"neg_category_ids": [4], "not_exhaustive_category_ids": [], "coco_url": "http://images/1.jpg"}
    for category in data["categories"]:
        category |= {"frequency": "r", "synset": "cat.n.01", "instance_count": 3, "synonyms": ["cat"]}
    return json.dumps(data)


def panoptic() -> str:
    segments = [{"id": 5, "category_id": 1, "area": 90, "bbox": [0, 0, 10, 10], "iscrowd": 0}, {"id": 6, "category_id": 1, "area": 9}]  # fmt: skip
    data = {
        "images": [{"id": 1, "file_name": "1.jpg"}, {"id": 2}],
        "categories": [{"id": 1, "name": "sky", "isthing": 0}],
        "annotations": [{"image_id": 1, "file_name": "1.png", "segments_info": segments}],
    }
    return json.dumps(data)


def labelme() -> str:
    shapes = [
        {"label": "cat", "points": [[0, 0], [10, 0], [10, 4]], "shape_type": "polygon", "group_id": 1},
        {"label": "dog", "points": [[3, 3], [1, 1]], "shape_type": "rectangle", "group_id": None},
        {"label": "dog", "points": [[3, 3], [1, 1]], "shape_type": "circle"},
        {"label": "tip", "points": [[1, 1]], "shape_type": "point"},
    ]
    return json.dumps({"version": "5.0", "shapes": shapes, "imagePath": "a.jpg", "imageData": "AAAA"})


def nnunet() -> str:
    return json.dumps({"labels": {"background": 0, "tumour": 1, "ignore": 2}, "file_ending": ".npy", "numTraining": 1})
