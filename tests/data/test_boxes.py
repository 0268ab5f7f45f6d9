"""Boxes in COCO's, VOC's and YOLO's forms: the same objects give the same numbers."""

import pytest
from tests.data.examples import coco, voc, yolo

from steelyard import count


def as_dict(counts, numbers=None):
    return dict(zip(counts.classes, (counts.per_class if numbers is None else numbers).tolist(), strict=True))


def test_ignored_classes_are_absent_and_keep_the_place_that_the_data_declares(tmp_path):
    for where in (coco(tmp_path / "c.json"), voc(tmp_path / "voc"), yolo(tmp_path / "yolo")):
        counts, every = count(where, ignore="dog"), count(where)
        assert as_dict(counts).get("dog", 0) == 0
        assert as_dict(counts)["cat"] == 3
        assert "images" not in counts.also or as_dict(counts, counts.also["images"]).get("dog", 0) == 0
        assert counts.classes == (every.classes if "dog" in counts.classes else ("cat",))
    assert "dog" in count(coco(tmp_path / "c.json"), ignore="dog").classes


@pytest.mark.parametrize("split", ["tran", "x"])
def test_a_split_that_is_not_there_is_answered_with_those_that_are(tmp_path, split):
    with pytest.raises(ValueError, match="train"):
        count(voc(tmp_path / "voc"), split=split)
    with pytest.raises(ValueError, match=r"The splits are 'train', 'val', 'all'"):
        count(yolo(tmp_path / "yolo"), split=split)
