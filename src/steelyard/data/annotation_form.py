"""The forms of annotations in JSON, declared once: COCO's and LVIS's entries, panoptic ones, labelme's files, nnU-Net's dataset.json.

Other names in an entry are left alone; `segmentation` and `imageData` are never looked at.
"""

from pathlib import Path
from typing import Any

from ..schema import ByName, Either, Flag, Form, Many, Misfit, Number, Row, Text, record

NUMBER = Number(-1e100, 1e100)  # an area is a product, and many are added up
ID = Either((Number(whole=True), Text()))
SIZES = {"area": NUMBER, "bbox": Many(NUMBER), "iscrowd": Either((Flag(), NUMBER))}

CATEGORY = record({"id": ID, "name": ID}, {})
IMAGES = record({"id": ID}, {"file_name": Either((Text(), NUMBER))})
BOX = record({"image_id": ID, "category_id": ID}, SIZES)
PANOPTIC = record({"image_id": ID, "segments_info": Many(record({"category_id": ID}, SIZES))}, {})
SHAPE = record({"label": ID, "points": Many(Row((NUMBER, NUMBER)))}, {"shape_type": Text(), "group_id": ID})
LABELME = record({"shapes": Many(SHAPE)}, {})
DATASET = record({"labels": ByName(Either((Number(0, 1e9, whole=True), Text(), Many(NUMBER))))}, {})


def fitting(file: Path, where: str, value: Any, form: Form) -> Any:
    """The value that stands there in a file. ValueError, with its place, where it has another form."""
    try:
        form.check(value)
    except Misfit as misfit:
        raise ValueError(f"{file}: {misfit.within(where)}; correct it.") from None
    return value
