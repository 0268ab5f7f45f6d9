"""Boxes as exports really lie on disk: what is understood gives the right numbers, what is not is named with the way out."""

import json
from pathlib import Path

import pytest
from tests.data.examples import coco, masks, voc, yolo

from steelyard import count
from steelyard.data import count_path
from steelyard.data.paths import inside


def as_dict(counts):
    return dict(zip(counts.classes, counts.per_class.tolist(), strict=True))


def change(file: Path, **changes) -> Path:
    data = json.loads(file.read_text())
    for key, edit in changes.items():
        edit(data[key])
    file.write_text(json.dumps(data))
    return file


# what is hidden, and what is left aside


def test_hidden_is_what_begins_with_a_dot_and_what_programs_keep(tmp_path):
    seen = ("a.png", "_DSC0001.png", "_annotations.coco.json", "_x/b.png")
    for name in (
        *seen,
        ".a.png",
        "._a.png",
        "__MACOSX/a.png",
        "x/__MACOSX/._b.png",
        ".git/c.png",
        "_delta_log/d.parquet",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert sorted(str(f.relative_to(tmp_path)) for f in inside(tmp_path)) == sorted(seen)


def test_an_export_whose_file_begins_with_an_underscore(tmp_path):
    for split in ("train", "valid"):
        coco(tmp_path / split / "_annotations.coco.json")
        (tmp_path / split / "_DSC0001.jpg").touch()
    change(tmp_path / "valid" / "_annotations.coco.json", annotations=lambda a: a.pop())
    assert as_dict(count(tmp_path / "train")) == {"cat": 3, "dog": 1, "yak": 0}
    counts, notes = count_path(tmp_path)
    assert as_dict(counts) == {"cat": 6, "dog": 2, "yak": 0}
    assert any("2 files were counted together" in note for note in notes)


def test_the_same_boxes_in_two_files_are_not_counted_twice(tmp_path):
    """instances_train.json beside person_keypoints_train.json, or a copy."""
    for name in ("instances.json", "keypoints.json"):
        change(coco(tmp_path / name), images=lambda images: [i.update(file_name=f"{i['id']}.jpg") for i in images])
    with pytest.raises(
        ValueError, match=r"image '10\.jpg' stands in several files with the same boxes \(2 images do\)"
    ):
        count(tmp_path)
    assert as_dict(count(tmp_path / "instances.json")) == {"cat": 3, "dog": 1, "yak": 0}


def test_whatever_a_folder_holds_and_is_not_read_is_named(tmp_path):
    coco(tmp_path / "coco" / "a.json")
    (tmp_path / "coco" / "notes.txt").touch()
    voc(tmp_path / "voc")
    (tmp_path / "voc" / "labels.csv").touch()
    for folder, name in ((tmp_path / "coco", "notes.txt"), (tmp_path / "voc" / "Annotations", "1 file (.md)")):
        (folder / "readme.md").touch()
        assert any("not read" in note and name in note for note in count_path(folder)[1])
    (tmp_path / "t").mkdir()
    (tmp_path / "t" / "a.csv").write_text("x,y\n1,a\n2,b\n")
    (tmp_path / "t" / "b.xlsx").touch()
    assert "in the folder, but not read: 1 file (.xlsx)" in count_path(tmp_path / "t", "y")[1]


# YOLO: labels that are not where they are looked for


def without_labels(tmp_path) -> Path:
    folder = yolo(tmp_path / "yolo")
    (folder / "labels").rename(folder / "elsewhere")
    return folder


def test_a_missing_folder_of_labels_is_an_error_that_names_what_was_tried(tmp_path):
    folder = without_labels(tmp_path)
    with pytest.raises(ValueError, match=r"none of the 3 images .* has labels; tried '.*labels/train/1\.txt'") as error:
        count(folder)
    assert "elsewhere/train/1.txt" in str(error.value)


@pytest.mark.parametrize(
    "line",
    ["./images/train/{}.jpg", "images/train/{}.jpg", "images\\train\\{}.jpg", ".\\images\\train\\{}.jpg"],
)
def test_a_list_of_images_is_understood_however_it_is_written(tmp_path, line):
    folder = yolo(tmp_path / "yolo")
    (folder / "train.txt").write_text("\n".join(line.format(n) for n in (1, 2, 3)) + "\n\n")
    (folder / "data.yaml").write_text("train: train.txt\nnames: [cat, dog, yak]\n")
    assert as_dict(count(folder)) == {"cat": 3, "dog": 1, "yak": 0}
    assert count(folder).items == 3


def test_a_list_is_split_by_lines_not_by_blanks(tmp_path):
    folder = yolo(tmp_path / "yolo")
    (folder / "images" / "train" / "my cat.jpg").touch()
    (folder / "labels" / "train" / "my cat.txt").write_text("0 .5 .5 .1 .1\n")
    (folder / "train.txt").write_text("./images/train/my cat.jpg\r\n./images/train/1.jpg\r\n")
    (folder / "data.yaml").write_text("train: train.txt\nnames: [cat, dog, yak]\n")
    assert as_dict(count(folder)) == {"cat": 3, "dog": 1, "yak": 0}
    assert count(folder).items == 2


@pytest.mark.parametrize("line", ["/home/me/set/images/{}.jpg", "C:\\set\\images\\{}.jpg", "D:/set/images/{}.jpg"])
def test_a_list_from_another_machine_is_an_error(tmp_path, line):
    folder = yolo(tmp_path / "yolo")
    (folder / "train.txt").write_text("\n".join(line.format(n) for n in "abc"))
    (folder / "data.yaml").write_text("train: train.txt\nnames: [cat, dog, yak]\n")
    with pytest.raises(ValueError, match=r"none of the 3 images.*tried '.*labels/a\.txt'.*another machine"):
        count(folder)


def test_listed_images_that_are_not_there_are_named(tmp_path):
    folder = yolo(tmp_path / "yolo")
    (folder / "train.txt").write_text("./images/train/1.jpg\n./images/train/gone.jpg\n./images/train/3.jpg\n")
    (folder / "data.yaml").write_text("train: train.txt\nnames: [cat, dog, yak]\n")
    counts, notes = count_path(folder)
    assert (counts.items, as_dict(counts)["cat"]) == (3, 2)
    assert any(note.startswith("1 of the listed images are not there") for note in notes)


@pytest.mark.parametrize(
    "names", [("Images", "Labels"), ("Images", "labels"), ("images", "Labels"), ("IMAGES", "labels")]
)
def test_capital_letters_are_understood_and_told(tmp_path, names):
    folder = yolo(tmp_path / "yolo")
    (folder / "images").rename(folder / names[0])
    (folder / "labels").rename(folder / names[1])
    (folder / "data.yaml").write_text(f"train: {names[0]}/train\nnames: [cat, dog, yak]\n")
    counts, notes = count_path(folder)
    assert as_dict(counts) == {"cat": 3, "dog": 1, "yak": 0}
    assert any("small letters alone" in note for note in notes)


def test_a_path_of_another_machine_names_what_was_tried(tmp_path):
    folder = yolo(tmp_path / "yolo")
    (folder / "data.yaml").write_text("path: /home/me/set\ntrain: images/train\nnames: [cat, dog, yak]\n")
    with pytest.raises(FileNotFoundError, match=r"there is no '/home/me/set/images/train'; correct 'path'"):
        count(folder)


def test_windows_paths_in_data_yaml(tmp_path):
    folder = yolo(tmp_path / "yolo")
    (folder / "data.yaml").write_text("path: .\\\ntrain: images\\train\nnames: [cat, dog, yak]\n")
    assert as_dict(count(folder)) == {"cat": 3, "dog": 1, "yak": 0}


def test_labels_without_an_image_are_named(tmp_path):
    folder = yolo(tmp_path / "yolo")
    (folder / "labels" / "train" / "9.txt").write_text("0 .5 .5 .1 .1\n")
    counts, notes = count_path(folder)
    assert as_dict(counts) == {"cat": 3, "dog": 1, "yak": 0}
    assert any(note.startswith("1 files of labels have no image") and "9.txt" in note for note in notes)


# YOLO: what the classes are called


@pytest.mark.parametrize(
    ("names", "classes"),
    [
        ('names: {"0": cat, "1": dog, "2": yak}', ("cat", "dog", "yak")),
        ('names: {"2": yak, "0": cat, "1": dog}', ("cat", "dog", "yak")),
        ("nc: 3", ("class_0", "class_1", "class_2")),
        ("nc: 3\nnames: [cat, dog, yak]", ("cat", "dog", "yak")),
    ],
)
def test_names_as_data_yaml_may_write_them(tmp_path, names, classes):
    folder = yolo(tmp_path / "yolo")
    (folder / "data.yaml").write_text(f"train: images/train\n{names}\n")
    counts = count(folder)
    assert (counts.classes, counts.per_class.tolist()) == (classes, [3, 1, 0])


def test_classes_txt_names_the_classes_and_is_no_file_of_labels(tmp_path):
    folder = yolo(tmp_path / "yolo")
    (folder / "data.yaml").unlink()
    for where in (folder / "labels" / "train", folder / "labels"):
        (where / "classes.txt").write_text("cat\ndog\nred panda\n")
        counts = count(folder / "labels" / "train")
        assert as_dict(counts) == {"cat": 3, "dog": 1, "red panda": 0}
        assert counts.items == 2
        (where / "classes.txt").unlink()
    (folder / "classes.txt").write_text("cat\ndog\nyak\n")
    (folder / "notes.json").write_text("{}")  # as Label Studio exports
    counts, notes = count_path(folder)
    assert as_dict(counts) == {"cat": 3, "dog": 1, "yak": 1}
    assert any(note.startswith("1 images have no file of labels") for note in notes)
    assert any("notes.json" in note for note in notes)


@pytest.mark.parametrize(
    "classes", [["cat", "dog", "yak"], {0: "cat", 1: "dog", 2: "yak"}, {"yak": 2, "cat": 0, "dog": 1}]
)
def test_names_that_are_given_mean_the_index(tmp_path, classes):
    folder = yolo(tmp_path / "yolo") / "labels" / "train"
    assert as_dict(count(folder, classes=classes)) == {"cat": 3, "dog": 1, "yak": 0}


def test_darknets_obj_data(tmp_path):
    labels = tmp_path / "obj_train_data"
    labels.mkdir()
    (tmp_path / "obj.data").write_text(
        "classes = 2\ntrain = data/train.txt\nnames = data/obj.names\nbackup = backup/\n"
    )
    (tmp_path / "obj.names").write_text("cat\nbig dog\n")
    (tmp_path / "train.txt").write_text("data/obj_train_data/a 1.jpg\ndata/obj_train_data/b.jpg\n")
    (labels / "a 1.txt").write_text("0 .5 .5 .1 .1\n1 .5 .5 .1 .1\n")
    (labels / "b.txt").write_text("1 .5 .5 .1 .1\n")
    counts = count(tmp_path)
    assert (as_dict(counts), counts.items) == ({"cat": 1, "big dog": 2}, 2)


# YOLO: lines


def test_the_box_of_a_pose_stands_before_its_keypoints(tmp_path):
    folder = yolo(tmp_path / "yolo")
    for shape, points in (("[2, 3]", " .1 .1 2 .2 .2 0"), ("[3, 2]", " .1 .1 .2 .2 .3 .3")):
        (folder / "data.yaml").write_text(f"train: images/train\nnames: [cat]\nkpt_shape: {shape}\n")
        (folder / "labels" / "train" / "1.txt").write_text(f"0 .5 .5 .1 .2{points}\n")
        (folder / "labels" / "train" / "2.txt").write_text(f"0 .5 .5 1 1{points}\n")
        counts = count(folder)
        assert counts.also["area in millionths of the image"].tolist() == [1_020_000]
        (folder / "labels" / "train" / "2.txt").write_text("0 .5 .5 1 1 .1\n")
        with pytest.raises(ValueError, match="5 numbers after the class, but kpt_shape asks for 10"):
            count(folder)


def test_lines_that_stand_twice_count_once(tmp_path):
    folder = yolo(tmp_path / "yolo")
    (folder / "labels" / "train" / "2.txt").write_text("0 .5 .5 1 1\n0 0.50 .5 1.0 1\n1 .5 .5 1 1\n")
    counts, notes = count_path(folder)
    assert as_dict(counts) == {"cat": 3, "dog": 2, "yak": 0}
    assert any(note.startswith("1 lines that stand twice") for note in notes)


@pytest.mark.parametrize("line", ["0 1.2 .5 .1 .1", "0 .5 -.05 .1 .1", "0 .5 .5 1.5 .1"])
def test_an_image_with_a_box_beyond_its_edge_is_left_out_as_in_training(tmp_path, line):
    folder = yolo(tmp_path / "yolo")
    (folder / "labels" / "train" / "2.txt").write_text(f"0 .5 .5 .1 .1\n{line}\n")
    counts, notes = count_path(folder)
    assert (as_dict(counts), counts.items) == ({"cat": 2, "dog": 1, "yak": 0}, 2)
    note = next(note for note in notes if "beyond their edge" in note)
    assert note.startswith("1 images left out")
    assert "2.txt: line 2" in note


def test_a_hundredth_over_the_edge_is_rounding(tmp_path):
    folder = yolo(tmp_path / "yolo")
    (folder / "labels" / "train" / "2.txt").write_text("0 1.005 .5 .1 .1\n0 .5 -.005 .1 .1\n")
    assert as_dict(count(folder)) == {"cat": 4, "dog": 1, "yak": 0}


# exports of other programs


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


def test_labelme_counts_shapes(tmp_path):
    shapes = [
        {"label": "cat", "points": [[0, 0], [10, 0], [10, 4], [0, 4]], "shape_type": "polygon", "group_id": None},
        {"label": "cat", "points": [[3, 3], [1, 1]], "shape_type": "rectangle", "group_id": None},
        {"label": "dog", "points": [[0, 0], [2, 0], [0, 2]], "shape_type": "polygon", "group_id": 1},
        {"label": "dog", "points": [[5, 5], [7, 5], [5, 7]], "shape_type": "polygon", "group_id": 1},
        {"label": "tip", "points": [[1, 1]], "shape_type": "point", "group_id": None},
    ]
    for name, held in (("a", shapes), ("b", [])):
        (tmp_path / f"{name}.json").write_text(
            json.dumps({"version": "5.0", "shapes": held, "imagePath": f"{name}.jpg", "imageData": "AAAA"})
        )
        (tmp_path / f"{name}.jpg").touch()
    counts, notes = count_path(tmp_path)
    assert (as_dict(counts), counts.items) == ({"cat": 2, "dog": 1}, 2)
    assert counts.also["area in pixels"].tolist() == [44, 4]
    assert "1 points and lines left out: they are no boxes" in notes


def test_panoptic_coco_counts_segments_and_their_pixels(tmp_path):
    data = {
        "images": [{"id": 1}, {"id": 2}],
        "categories": [{"id": 1, "name": "sky", "isthing": 0}, {"id": 2, "name": "cat", "isthing": 1}],
        "annotations": [
            {
                "image_id": 1,
                "file_name": "1.png",
                "segments_info": [
                    {"id": 5, "category_id": 1, "area": 90, "bbox": [0, 0, 10, 10], "iscrowd": 0},
                    {"id": 6, "category_id": 2, "area": 10, "bbox": [0, 0, 5, 5], "iscrowd": 0},
                    {"id": 7, "category_id": 2, "area": 7, "bbox": [0, 0, 5, 5], "iscrowd": 1},
                ],
            },
            {"image_id": 2, "file_name": "2.png", "segments_info": [{"id": 5, "category_id": 2, "area": 30}]},
        ],
    }
    (tmp_path / "panoptic.json").write_text(json.dumps(data))
    counts, notes = count_path(tmp_path / "panoptic.json")
    assert as_dict(counts) == {"sky": 1, "cat": 2}
    assert counts.by("area in pixels").per_class.tolist() == [90, 40]
    assert any("panoptic" in note for note in notes)


CVAT = """<?xml version="1.0" encoding="utf-8"?>
<annotations><version>1.1</version><meta><job><labels><label><name>cat</name></label><label><name>dog</name></label>
<label><name>yak</name></label></labels></job></meta>
<image id="0" name="a.jpg" width="100" height="50">
  <box label="cat" occluded="0" xtl="1" ytl="1" xbr="11" ybr="5"/>
  <polygon label="dog" points="0.0,0.0;5.0,0.0;5.0,5.0;0.0,5.0"/>
  <mask label="cat" rle="3, 2, 4, 1" left="0" top="0" width="5" height="2"/>
  <points label="cat" points="1,1;2,2"/>
</image>
<image id="1" name="b.jpg" width="100" height="50"/></annotations>"""


def test_cvat_for_images(tmp_path):
    (tmp_path / "annotations.xml").write_text(CVAT)
    counts, notes = count_path(tmp_path / "annotations.xml")
    assert (as_dict(counts), counts.items) == ({"cat": 2, "dog": 1, "yak": 0}, 2)
    assert counts.also["area in pixels"].tolist() == [43, 25, 0]
    assert counts.also["images"].tolist() == [1, 1, 0]
    assert "1 <points> left out: they are no boxes" in notes
    (tmp_path / "annotations.xml").write_text("<annotations><track id='0' label='cat'/></annotations>")
    with pytest.raises(ValueError, match="CVAT for video"):
        count(tmp_path / "annotations.xml")


# COCO


def test_ids_that_pandas_made_fractions(tmp_path):
    file = change(
        coco(tmp_path / "c.json"),
        annotations=lambda a: [x.update(image_id=float(x["image_id"]), category_id=float(x["category_id"])) for x in a],
        categories=lambda c: c.append({"id": 7.0, "name": "dog"}),  # the same once more says nothing new
    )
    assert as_dict(count(file)) == {"cat": 3, "dog": 1, "yak": 0}


def test_one_bad_annotation_is_left_out_with_its_name_where_that_is_asked_for(tmp_path):
    file = change(coco(tmp_path / "c.json"), annotations=lambda a: a[1].update(category_id=99))
    with pytest.raises(ValueError, match=r"category 99.*on_error='report'"):
        count(file)
    counts, notes = count_path(file, on_error="report")
    assert as_dict(counts) == {"cat": 2, "dog": 1, "yak": 0}
    assert any(note.startswith("1 annotations could not be read and are left out") and "99" in note for note in notes)


@pytest.mark.parametrize("box", [[5, 5, 0, 9], [5, 5, 9, 0], [5, 5, 0, 0]])
def test_boxes_without_a_size_are_told(tmp_path, box):
    file = change(coco(tmp_path / "c.json"), annotations=lambda a: a[0].update(bbox=box))
    counts, notes = count_path(file)
    assert as_dict(counts) == {"cat": 3, "dog": 1, "yak": 0}
    assert any(note.startswith("1 boxes of width or height 0 count too") for note in notes)


@pytest.mark.parametrize(
    ("entry", "area"),
    [
        ({"bbox": [50, 50, 10, 4, 30.0]}, 40),  # x y width height angle
        ({"bbox": [0, 0, 10, 0, 10, 4, 0, 4]}, 40),  # corners
        ({"bbox": [0, 0, 10, 4], "area": 0}, 40),  # what converters write that do not know it
        ({"bbox": [], "area": 31}, 31),
    ],
)
def test_polygons_rotated_boxes_and_areas(tmp_path, entry, area):
    counts = count(change(coco(tmp_path / "c.json"), annotations=lambda a: a[0].update(entry)))
    assert counts.also["area in pixels"].tolist() == [area + 4, 25, 0]


def test_coco_in_other_encodings(tmp_path):
    file = change(coco(tmp_path / "c.json"), images=lambda images: images[0].update(file_name="M\u00fcnchen.jpg"))
    data = json.loads(file.read_text())
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "latin-1"):
        file.write_text(json.dumps(data, ensure_ascii=False), encoding=encoding)
        assert as_dict(count(file)) == {"cat": 3, "dog": 1, "yak": 0}
    data["categories"][0]["name"] = "K\u00e4fer"
    file.write_text(json.dumps(data, ensure_ascii=False), encoding="utf-16")
    assert as_dict(count(file)) == {"cat": 3, "K\u00e4fer": 1, "yak": 0}
    file.write_text(json.dumps(data, ensure_ascii=False), encoding="latin-1")
    with pytest.raises(ValueError, match="not UTF-8"):
        count(file)


# VOC


def xml(tmp_path, inside: str, encoding: str = "utf-8", head: str = "") -> Path:
    file = tmp_path / "a.xml"
    file.write_bytes(f"{head}<annotation><filename>x</filename>{inside}</annotation>".encode(encoding))
    return file


BOX = "<bndbox><xmin>1</xmin><ymin>1</ymin><xmax>11</xmax><ymax>5</ymax></bndbox>"


def test_an_empty_object_is_no_object(tmp_path):
    counts, notes = count_path(xml(tmp_path, f"<object/><object><name>cat</name>{BOX}</object>"))
    assert as_dict(counts) == {"cat": 1}
    assert "1 empty <object/> taken for no object" in notes


@pytest.mark.parametrize(
    "shape",
    [
        BOX,
        "<robndbox><cx>9</cx><cy>9</cy><w>10</w><h>4</h><angle>.5</angle></robndbox>",
        "<bndbox><x0>0</x0><y0>0</y0><x1>10</x1><y1>0</y1><x2>10</x2><y2>4</y2><x3>0</x3><y3>4</y3></bndbox>",
        "<polygon><x1>0</x1><y1>0</y1><x2>10</x2><y2>0</y2><x3>10</x3><y3>4</y3><x4>0</x4><y4>4</y4></polygon>",
        "<polygon><pt><x>0</x><y>0</y></pt><pt><x>10</x><y>0</y></pt><pt><x>10</x><y>4</y></pt><pt><x>0</x><y>4</y></pt></polygon>",
        f"<polygon><x1>0</x1><y1>0</y1></polygon>{BOX}",
    ],
)
def test_boxes_rotated_boxes_and_outlines(tmp_path, shape):
    counts = count(xml(tmp_path, f"<object><name>cat</name>{shape}</object>"))
    assert (as_dict(counts), counts.also["area in pixels"].tolist()) == ({"cat": 1}, [40])


def test_a_box_without_a_size_is_told(tmp_path):
    flat = BOX.replace("11", "1")
    counts, notes = count_path(
        xml(tmp_path, f"<object><name>cat</name>{flat}</object><object><name>cat</name>{BOX}</object>")
    )
    assert as_dict(counts) == {"cat": 2}
    assert any("width or height 0" in note for note in notes)


@pytest.mark.parametrize(
    ("encoding", "name"),
    [
        ("gbk", "\u732b"),
        ("gb2312", "\u732b"),
        ("shift_jis", "\u732b"),
        ("euc-kr", "\uace0"),
        ("windows-1252", "K\u00e4fer"),
    ],
)
def test_legacy_encodings_that_are_declared(tmp_path, encoding, name):
    head = f'<?xml version="1.0" encoding="{encoding}"?>\n'
    assert as_dict(count(xml(tmp_path, f"<object><name>{name}</name>{BOX}</object>", encoding, head))) == {name: 1}


def test_an_encoding_that_is_not_declared_matters_for_names_alone(tmp_path):
    inside = f"<path>C:\\Bilder\\K\u00e4fer.jpg</path><object><name>cat</name>{BOX}</object>"
    for head in ("", '<?xml version="1.0" encoding="utf-8"?>'):
        assert as_dict(count(xml(tmp_path, inside, "cp1252", head))) == {"cat": 1}
        with pytest.raises(ValueError, match=r"K\u00e4fer.*may be misread; save it as UTF-8"):
            count(xml(tmp_path, inside.replace("cat", "K\u00e4fer"), "cp1252", head))


def test_masks_with_an_underscore_are_masks(tmp_path):
    folder = masks(tmp_path / "m")
    (folder / "a.png").rename(folder / "_DSC0001.png")
    assert count(folder, ignore=255).items == 3


# masks as exports lay them out


def cvat_segmentation(folder: Path) -> Path:
    import numpy as np
    from PIL import Image

    (folder / "SegmentationClass").mkdir(parents=True)
    (folder / "SegmentationObject").mkdir()
    (folder / "ImageSets" / "Segmentation").mkdir(parents=True)
    (folder / "ImageSets" / "Segmentation" / "default.txt").write_text("1\n2\n")
    (folder / "labelmap.txt").write_text(
        "# label:color_rgb:parts:actions\nbackground:0,0,0::\ncat:128,0,0::\nbig dog:0,128,0::\nyak:0,0,128::\n"
    )
    classes = np.zeros((4, 5, 3), np.uint8)
    Image.fromarray(classes).save(folder / "SegmentationClass" / "2.png")
    Image.fromarray(classes).save(folder / "SegmentationObject" / "2.png")
    classes[0, :3], classes[1, :2] = (128, 0, 0), (0, 128, 0)
    Image.fromarray(classes).save(folder / "SegmentationClass" / "1.png")
    Image.fromarray(classes[::-1] // 2).save(folder / "SegmentationObject" / "1.png")
    return folder


def test_cvat_segmentation_counts_the_classes_once_by_their_names(tmp_path):
    counts, notes = count_path(cvat_segmentation(tmp_path / "cvat"))
    assert as_dict(counts) == {"background": 35, "cat": 3, "big dog": 2, "yak": 0}
    assert counts.items == 2
    assert any("SegmentationObject" in note for note in notes)
    for where in ("cvat/SegmentationClass", "."):
        assert as_dict(count(tmp_path / where)) == as_dict(counts)
    assert as_dict(count(tmp_path / "cvat", ignore="#000000", classes={"#800000": "c", "#008000": "d"})) == {
        "c": 3,
        "d": 2,
    }


def test_cvat_segmentation_with_numbers(tmp_path):
    import numpy as np
    from PIL import Image

    folder = cvat_segmentation(tmp_path / "cvat")
    for name in ("1", "2"):
        Image.fromarray(np.array([[0, 1, 2, 1]], np.uint8)).save(folder / "SegmentationClass" / f"{name}.png")
    assert as_dict(count(folder)) == {"background": 2, "cat": 4, "big dog": 2, "yak": 0}


def test_the_same_pixels_in_several_forms_are_not_added_up(tmp_path):
    import numpy as np

    for form in ("labelIds", "instanceIds"):
        np.save(tmp_path / f"a_gtFine_{form}.npy", np.array([[0, 7]]))
    with pytest.raises(ValueError, match=r"\*_labelIds\.png, \*_instanceIds\.png; give one of them as a glob"):
        count(tmp_path)


def test_an_npz_says_what_to_save(tmp_path):
    import numpy as np

    np.savez(tmp_path / "a.npz", labels=np.array([0, 1]))
    for where in (tmp_path, tmp_path / "a.npz"):
        with pytest.raises(ValueError, match=r"NPZ holds several arrays; save the one with the labels"):
            count(where)
    (tmp_path / "a.npz").rename(tmp_path / "a.npy")
    with pytest.raises(ValueError, match="archive"):
        count(tmp_path / "a.npy")


def test_a_folder_of_jpegs_says_why_it_is_none_of_masks(tmp_path):
    (tmp_path / "a.jpg").touch()
    with pytest.raises(ValueError, match=r"nothing to count.*JPEG changes the numbers of a mask"):
        count(tmp_path)
