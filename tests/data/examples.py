"""Small data sets of every kind that is read from files, with what they hold."""

import gzip
import json
import struct
from pathlib import Path

import numpy as np
from PIL import Image

CELLS = {
    "a": np.array([[0, 0, 1, 1], [0, 2, 1, 255]]),
    "b": np.array([[0, 0, 0, 0], [0, 0, 0, 255]]),
    "c": np.array([[1, 1], [2, 2], [2, 0]]),
}
PIXELS = {"0": 4 + 7 + 1 - 1, "1": 3 + 2, "2": 1 + 3, "255": 2}


def masks(folder: Path, kind: str = "png") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, mask in CELLS.items():
        if kind == "npy":
            np.save(folder / f"{name}.npy", mask)
        else:
            Image.fromarray(mask.astype(np.uint8)).save(folder / f"{name}.{kind}")
    return folder


def coco(file: Path) -> Path:
    """Two images with boxes, one without; category ids with a gap, not in order; one crowd; one absent class."""
    data = {
        "images": [{"id": i, "width": 100, "height": 50} for i in (10, 20, 30)],
        "categories": [{"id": 7, "name": "dog"}, {"id": 3, "name": "cat"}, {"id": 9, "name": "yak"}],
        "annotations": [
            {
                "id": 1,
                "image_id": 10,
                "category_id": 3,
                "bbox": [0, 0, 10, 4],
                "iscrowd": 0,
                "segmentation": [[1, 2, 3, 4]],
            },
            {"id": 2, "image_id": 10, "category_id": 3, "bbox": [0, 0, 2, 2], "area": 3.4},
            {"id": 3, "image_id": 10, "category_id": 7, "bbox": [0, 0, 5, 5]},
            {"id": 4, "image_id": 20, "category_id": 3, "bbox": [0, 0, 1, 1]},
            {"id": 5, "image_id": 20, "category_id": 7, "bbox": [0, 0, 9, 9], "iscrowd": 1},
        ],
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(data))
    return file


def voc(folder: Path) -> Path:
    objects = {"1": [("cat", 10, 4), ("cat", 2, 2), ("dog", 5, 5)], "2": [("cat", 1, 1)], "3": []}
    (folder / "Annotations").mkdir(parents=True)
    (folder / "ImageSets" / "Main").mkdir(parents=True)
    (folder / "ImageSets" / "Main" / "train.txt").write_text("1\n3\n")
    for name, boxes in objects.items():
        inside = "".join(
            f"<object><name>{c}</name><difficult>{int(c == 'dog')}</difficult>"
            f"<bndbox><xmin>1</xmin><ymin>1</ymin><xmax>{1 + w}</xmax><ymax>{1 + h}</ymax></bndbox></object>"
            for c, w, h in boxes
        )
        (folder / "Annotations" / f"{name}.xml").write_text(f"<annotation><folder>x</folder>{inside}</annotation>")
    return folder


def yolo(folder: Path) -> Path:
    for split in ("train", "val"):
        (folder / "images" / split).mkdir(parents=True)
        (folder / "labels" / split).mkdir(parents=True)
    for name in ("1", "2", "3"):
        (folder / "images" / "train" / f"{name}.jpg").touch()
    (folder / "images" / "val" / "4.jpg").touch()
    (folder / "labels" / "train" / "1.txt").write_text("0 .5 .5 .1 .2\n0 .1 .1 .1 .1\n1 0 0 .5 0 .5 .5 0 .5\n")
    (folder / "labels" / "train" / "2.txt").write_text("0 .5 .5 1 1\n\n")
    (folder / "labels" / "val" / "4.txt").write_text("2 .5 .5 .1 .1\n")
    (folder / "data.yaml").write_text("train: images/train\nval: images/val\nnames: {0: cat, 1: dog, 2: yak}\n")
    return folder


def arff(file: Path) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(
        "% a comment\n@RELATION 'two words'\n\n@attribute 'a length' REAL\n@attribute kind {no, 'may be', yes}\n"
        "@attribute A {0,1}\n@attribute B {0,1}\n@DATA\n1.5,yes,1,0\n?,'may be',0,0\n{0 2.5, 3 1}\n{}\n2,?,1,1\n"
    )
    file.with_suffix(".xml").write_text(
        '<labels xmlns="http://mulan.sourceforge.net/labels"><label name="B"><label name="A"/></label></labels>'
    )
    return file


CODES = {"u1": 2, "i2": 4, "i4": 8, "f4": 16, "f8": 64, "i1": 256, "u2": 512, "u4": 768, "i8": 1024, "u8": 1280}
VOLUME = np.zeros((4, 3, 2), int)
VOLUME[0, 1, :] = 1
VOLUME[3, 2, 1] = 2


def nifti(array, kind="i2", order="<", version=1, slope=0.0, inter=0.0, steps=(0.5, 0.75, 3.0)) -> bytes:
    dims = [array.ndim, *array.shape, *[1] * (7 - array.ndim)]
    pixdim = [1.0, *steps, *[1.0] * (7 - len(steps))]
    data = array.astype(order + kind).tobytes(order="F")
    code, bits = CODES[kind], 8 * int(kind[1:])
    if version == 1:
        head = bytearray(352)
        struct.pack_into(order + "i", head, 0, 348)
        struct.pack_into(order + "8h", head, 40, *dims)
        struct.pack_into(order + "2h", head, 70, code, bits)
        struct.pack_into(order + "8f", head, 76, *pixdim)
        struct.pack_into(order + "3f", head, 108, 352, slope, inter)
        head[344:348] = b"n+1\0"
    else:
        head = bytearray(544)
        struct.pack_into(order + "i", head, 0, 540)
        head[4:12] = b"n+2\0\r\n\x1a\n"
        struct.pack_into(order + "2h", head, 12, code, bits)
        struct.pack_into(order + "8q", head, 16, *dims)
        struct.pack_into(order + "8d", head, 104, *pixdim)
        struct.pack_into(order + "q2d", head, 168, 544, slope, inter)
    return bytes(head) + data


def nnunet(folder: Path, labels: dict, values: np.ndarray = VOLUME) -> Path:
    for part in ("imagesTr", "labelsTr"):
        (folder / part).mkdir(parents=True)
    for case in ("a", "b"):
        (folder / "imagesTr" / f"{case}_0000.nii.gz").write_bytes(gzip.compress(nifti(VOLUME + 0.5, "f4")))
        (folder / "labelsTr" / f"{case}.nii.gz").write_bytes(gzip.compress(nifti(values, "u1")))
    about = {"channel_names": {"0": "CT"}, "labels": labels, "numTraining": 2, "file_ending": ".nii.gz"}
    (folder / "dataset.json").write_text(json.dumps(about))
    return folder
