"""What annotation tools write that is not read: each recognised by what it holds, with the way to a form that is."""

from typing import Any

from .labels import some

DATUMARO = "convert it to COCO (in Python: datumaro's Dataset.import_from(folder, {form!r}).export(out, 'coco'))"


def other_json(data: Any) -> str:
    """A sentence about a JSON that is none of COCO's, or "" where it is not known."""
    if isinstance(data, list):
        first = data[0] if data else None
        keys = set(first) if isinstance(first, dict) else set()
        if ("annotations" in keys and "data" in keys) or "completions" in keys:
            return "this is Label Studio's JSON; export the project again as 'COCO' or 'YOLO' (label-studio-converter does it for a file)."
        if {"image_id", "score"} <= keys:
            return "these are detections with scores, not labels; give the file of the annotations."
        if "annotations" in keys and "image" in keys:
            return "this is CreateML's JSON; export the labels as COCO, VOC or YOLO."
        if keys & {"image", "img", "ocr"} and keys & {"label", "bbox", "annotator", "lead_time"}:
            return "this is Label Studio's JSON_MIN; export the project again as 'COCO' or 'YOLO'."
        if {"External ID", "Labeled Data"} & keys:
            return "this is Labelbox's JSON; export the labels as COCO."
        rows = "if these are the rows of a table, say which column holds the labels, with --label or label=: "
        return f"{rows}{some(list(map(str, first)))}." if isinstance(first, dict) and first else ""
    if not isinstance(data, dict):
        return ""
    values = list(data.values())
    if "_via_img_metadata" in data or (values and all(isinstance(v, dict) and "regions" in v for v in values)):
        return "this is the JSON of the VGG Image Annotator (VIA); export the annotations there in COCO's format."
    if "items" in data and "categories" in data:
        return "this is Datumaro's JSON; " + DATUMARO.format(form="datumaro") + "."
    if "objects" in data and "size" in data:
        return "this is Supervisely's JSON; export the project as COCO."
    if "objects" in data and "imgHeight" in data:
        return "these are Cityscapes' polygons; count its masks, such as '*_gtFine_labelIds.png'."
    first = next(iter(data.get("annotations") or []), None)
    if isinstance(first, dict) and "caption" in first:
        return "these are COCO's captions; give the instances_*.json beside them."
    return ""


def other_text(line: str) -> str:
    """A sentence about a line of a text file that is none of YOLO's, or "" where it is not known."""
    words = line.split()
    numbers = [_is_number(word) for word in words]
    if len(words) in (15, 16) and not numbers[0] and all(numbers[1:]):
        return "these are KITTI's labels; " + DATUMARO.format(form="kitti")
    if (len(words) in (9, 10) and all(numbers[:8]) and not numbers[8]) or line.startswith(("imagesource:", "gsd:")):
        return (
            "these are DOTA's labels; ultralytics.data.converter.convert_dota_to_yolo_obb(folder) makes YOLO's of them"
        )
    return ""


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
