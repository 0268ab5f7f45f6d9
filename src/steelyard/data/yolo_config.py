"""What describes a YOLO data set: data.yaml, or Darknet's obj.data beside obj.names."""

from pathlib import Path
from typing import Any

from .labels import listed, some
from .plain_yaml import load_yaml

DARKNET = {"train": "train", "val": "valid", "test": "test"}


MOST = 1_000_000  # classes that a number may stand for


def read_yaml(file: Path) -> dict[str, Any]:
    data = load_yaml(file, _text(file))
    if not isinstance(data, dict) or ("names" not in data and "nc" not in data):
        raise ValueError(f"{file}: it has no 'names' and no 'nc', so it does not describe a YOLO data set.")
    return data


def read_darknet(file: Path) -> dict[str, Any] | None:
    """obj.data: lines such as "train = data/train.txt"; None if it is something else."""
    try:
        pairs = [line.partition("=") for line in text_lines(file)]
    except ValueError:
        return None
    data: dict[str, Any] = {key.strip(): value.strip() for key, equals, value in pairs if equals}
    if "names" not in data or "train" not in data:
        return None
    names = _here(file.parent, str(data["names"]))
    if not names.is_file():
        raise FileNotFoundError(f"{file}: it names {str(data['names'])[:200]!r}, but there is no {str(names)[:300]!r}.")
    return {
        **{split: str(_here(file.parent, str(data[key]))) for split, key in DARKNET.items() if key in data},
        "names": text_lines(names),
    }


def _here(folder: Path, place: str) -> Path:
    """data/train.txt of obj.data, which exports put beside obj.data itself."""
    there = folder / place.replace("\\", "/")
    return there if there.exists() else folder / there.name


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{file}: this is not UTF-8 text (byte {error.start:,}); save it as UTF-8.") from None


def text_lines(file: Path) -> list[str]:
    return [line.strip() for line in _text(file).splitlines() if line.strip()]


def class_names(file: Path, data: dict[str, Any]) -> list[str]:
    """`names`, a list or {number: name}; without them class_0, class_1, ... for `nc` classes, as Ultralytics calls them."""
    nc = data.get("nc")
    if nc is not None and not (isinstance(nc, int) and 0 < nc <= MOST):
        raise ValueError(f"{file}: 'nc' must be the number of classes, at most {MOST:,}, got {str(nc)[:60]}.")
    names = data.get("names")
    if names is None:
        return [f"class_{i}" for i in range(nc or 0)]
    if isinstance(names, dict):
        by_number = {int(k) if str(k).isdecimal() else k: name for k, name in names.items()}
        if len(by_number) < len(names) or set(by_number) != set(range(len(names))):
            raise ValueError(
                f"{file}: the numbers of 'names' must be 0 to {len(names) - 1}, got {some([str(k) for k in names])}."
            )
        names = [by_number[i] for i in range(len(names))]
    names = [str(n) for n in listed(names)]
    if nc is not None and nc != len(names):
        raise ValueError(f"{file}: it says nc: {nc}, but names {len(names)} classes; correct one of them.")
    return names


def keypoint_numbers(file: Path, data: dict[str, Any]) -> int:
    """How many numbers of keypoints stand behind a box."""
    shape = data["kpt_shape"]
    if not (isinstance(shape, (list, tuple)) and len(shape) == 2 and all(isinstance(n, int) and n > 0 for n in shape)):
        raise ValueError(f"{file}: kpt_shape must be [keypoints, 2 or 3], got {shape!r:.60}.")
    return shape[0] * shape[1]
