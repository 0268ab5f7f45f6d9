"""What annotation tools write that is not read is known by what it holds, with the way out."""

import json

import pytest

from steelyard import count


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("Car 0.00 0 -1.57 614.2 181.7 727.3 284.7 1.57 1.73 4.15 1.0 1.75 13.2 -1.62", "KITTI"),
        ("2753 2408 2861 2385 2888 2468 2805 2502 plane 0", "DOTA.*convert_dota_to_yolo_obb"),
        ("imagesource:GoogleEarth", "DOTA"),
    ],
)
def test_labels_of_other_programs_are_known_by_their_lines(tmp_path, line, says):
    (tmp_path / "000001.txt").write_text(line + "\n")
    with pytest.raises(ValueError, match=says):
        count(tmp_path)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ([{"id": 1, "annotations": [{"result": []}], "data": {"image": "a.jpg"}}], "Label Studio.*'COCO' or 'YOLO'"),
        ([{"image": "a.jpg", "label": [], "annotator": 1}], "Label Studio"),
        ([{"image_id": 1, "category_id": 1, "bbox": [0, 0, 1, 1], "score": 0.5}], "detections with scores"),
        ([{"image": "a.jpg", "annotations": [{"label": "x"}]}], "CreateML"),
        ({"a.jpg123": {"filename": "a.jpg", "regions": []}}, "VGG Image Annotator"),
        ({"_via_img_metadata": {}}, "VGG Image Annotator"),
        ({"images": [], "annotations": [{"image_id": 1, "caption": "a cat"}]}, "captions; give the instances"),
        ({"imgHeight": 4, "imgWidth": 4, "objects": []}, "Cityscapes.*labelIds"),
        ({"a": 1}, "neither COCO's boxes"),
        ([], "neither COCO's boxes"),
    ],
)
def test_json_of_other_programs_is_known_by_its_keys(tmp_path, content, says):
    (tmp_path / "a.json").write_text(json.dumps(content))
    with pytest.raises(ValueError, match=says):
        count(tmp_path / "a.json")
