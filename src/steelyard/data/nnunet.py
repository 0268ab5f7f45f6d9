"""nnU-Net's data sets: dataset.json names the labels of the volumes in labelsTr, and which of them is ignored."""

from typing import Any

from ..schema import brief, parsed
from .annotation_form import DATASET as FORM
from .annotation_form import fitting
from .gate import one_line
from .paths import expanded

DATASET, LABELS, IGNORE = "dataset.json", "labelsTr", "ignore"
MOST = 9  # digits of a value in a mask


def of_nnunet(path: str) -> dict[str, Any]:
    """{"path": labelsTr, "classes": {value: name}, "ignore": value or None} for the folder of a data set, its dataset.json or its
    labelsTr; {} for anything else. ValueError for a dataset.json that does not name labels.

    Source: github.com/MIC-DKFZ/nnUNet, documentation/dataset_format.md; version 1 wrote {"0": name}.
    """
    where = expanded(path)
    root = where.parent if where.name in (DATASET, LABELS) else where
    file = root / DATASET
    if not (file.is_file() and (root / LABELS).is_dir()) or not (where.is_dir() or where.name == DATASET):
        return {}
    try:
        data = parsed(file.read_text(encoding="utf-8-sig"))
    except ValueError as error:
        raise ValueError(f"{file}: this is not JSON ({one_line(error)}); write it again.") from None
    labels = fitting(file, "", data, FORM)["labels"]
    if not labels:
        raise ValueError(f"{file}: it has no 'labels', so it does not describe one of nnU-Net's data sets.")
    named: dict[int, str] = {}
    for key, value in labels.items():
        name, number = (value, key) if str(key).isdecimal() and isinstance(value, str) else (key, value)
        if isinstance(number, list):
            raise ValueError(
                f"{file}: the label {brief(name)} is a region, {brief(number)}, and regions overlap; count the labels that they are made of:"
                f" count({str(root / LABELS)!r}, classes={{value: name}})."
            )
        if not str(number).isdecimal() or len(str(number)) > MOST or int(number) in named:
            raise ValueError(
                f"{file}: the label {brief(name)} has the number {brief(number)}, which is none of its own; correct it."
            )
        named[int(number)] = str(name)
    ignored = next((number for number, name in named.items() if name == IGNORE), None)
    classes = {number: named[number] for number in sorted(named) if number != ignored}
    return {"path": str(root / LABELS), "classes": classes, "ignore": ignored}
