"""Boxes in COCO's, VOC's and YOLO's forms: the same objects give the same numbers."""

import pytest
from tests.data.examples import coco, voc, yolo

from steelyard import count


def as_dict(counts, numbers=None):
    return dict(zip(counts.classes, (counts.per_class if numbers is None else numbers).tolist(), strict=True))


def test_ignored_classes_are_absent(tmp_path):
    for where in (coco(tmp_path / "c.json"), voc(tmp_path / "voc"), yolo(tmp_path / "yolo")):
        counts = count(where, ignore="dog")
        assert "dog" not in counts.classes
        assert as_dict(counts)["cat"] == 3


@pytest.mark.parametrize("split", ["tran", "x"])
def test_a_split_that_is_not_there_is_answered_with_those_that_are(tmp_path, split):
    with pytest.raises(ValueError, match="train"):
        count(voc(tmp_path / "voc"), split=split)
    with pytest.raises(ValueError, match=r"The splits are 'train', 'val', 'all'"):
        count(yolo(tmp_path / "yolo"), split=split)
