"""Pascal VOC: boxes, splits, and what is wrong with a file."""

from pathlib import Path

import pytest
from tests.data.examples import voc

from steelyard import count, median_frequency
from steelyard.data import count_path


def as_dict(counts, numbers=None):
    return dict(zip(counts.classes, (counts.per_class if numbers is None else numbers).tolist(), strict=True))


def test_voc_counts_the_same(tmp_path):
    folder = voc(tmp_path / "voc")
    counts, notes = count_path(folder)
    assert as_dict(counts) == {"cat": 3, "dog": 1}
    assert as_dict(counts, counts.also["images"]) == {"cat": 2, "dog": 1}
    assert as_dict(counts, counts.also["area in pixels"]) == {"cat": 45, "dog": 25}
    assert counts.items == 3
    assert any("1 boxes marked as difficult" in note for note in notes)
    assert any("takes one of 'train'" in note for note in notes)
    assert count(folder / "Annotations", classes=["dog", "cat"]).per_class.tolist() == [1, 3]
    assert as_dict(count(folder, split="train")) == {"cat": 2, "dog": 1}
    assert count(folder / "Annotations", split="train").items == 2


def test_median_frequency_uses_the_boxes_of_images_with_the_class(tmp_path):
    weight = median_frequency(count(voc(tmp_path / "voc"))).label_weights()
    assert weight[1] / weight[0] == pytest.approx((3 / 4) / (1 / 3))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("<annotation><object><name>cat</name></object></annotation>", r"object 1 \('cat'\) has no proper <bndbox>"),
        ("<annotation><object><bndbox/></object></annotation>", "object 1 has no name"),
        ("<html/>", "<html>, not the <annotation>"),
        ("<annotation>", "not XML"),
        ("", "not XML"),
    ],
)
def test_a_damaged_voc_file_is_named(tmp_path, content, says):
    folder = voc(tmp_path / "voc") / "Annotations"
    (folder / "9.xml").write_text(content)
    with pytest.raises(ValueError, match=says) as error:
        count(folder)
    assert "9.xml" in str(error.value)
    counts, notes = count_path(folder, on_error="report")
    assert counts.items == 3
    assert "1 file could not be read" in notes[-1]
    assert "9.xml" in notes[-1]


def test_a_list_with_an_image_that_has_no_annotation_is_named(tmp_path):
    folder = voc(tmp_path / "voc")
    (folder / "ImageSets" / "Main" / "train.txt").write_text("1\n77\n")
    with pytest.raises(ValueError, match=r"lists '77', which has no \.xml"):
        count(folder, split="train")


def test_real_blood_cells(shared_data):
    counts = count(shared_data / "detection" / "bccd")
    assert as_dict(counts) == {"Platelets": 361, "RBC": 4155, "WBC": 372}
    assert counts.items == 364
    parts = [count(shared_data / "detection" / "bccd", split=s) for s in ("train", "val", "test")]
    assert [p.items for p in parts] == [205, 87, 72]
    assert sum(p.per_class for p in parts).tolist() == counts.per_class.tolist()
    assert (parts[0] + parts[1] + parts[2]).digest == counts.digest


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
