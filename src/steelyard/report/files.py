"""report.json, report.html and recipe.json: written whole or not at all."""

import json
import os
from pathlib import Path

from ..files import write_text_atomically
from . import document
from .document import Data
from .page import html

NAME = "report.json"


def write(data: Data, folder: str | os.PathLike[str]) -> list[Path]:
    """Write report.json, report.html and recipe.json into `folder`, which is made if it is absent; their paths.

    All three are made before the first is written. recipe.json is the recipe to train with: the winner's, else plain.
    ValueError for data that is no report; OSError, naming the folder, where it cannot be written.
    """
    document.check(data)
    folder = Path(folder)
    texts = {
        NAME: json.dumps(data, indent=1, allow_nan=False, ensure_ascii=False) + "\n",
        "report.html": html(data),
        "recipe.json": document.final_recipe(data).to_json() + "\n",
    }
    folder.mkdir(parents=True, exist_ok=True)
    return [write_text_atomically(folder / name, text) for name, text in texts.items()]


def read(where: str | os.PathLike[str]) -> Data:
    """The data of a report: a folder that `tune` wrote, or its report.json. ValueError for anything else."""
    path = Path(where)
    path = path / NAME if path.is_dir() else path
    if not path.is_file():
        raise ValueError(f"report: there is no {NAME} in {where}; `steelyard tune ... --out {where}` writes one.")
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ValueError(f"report: {path} is not JSON ({error}).") from None
    try:
        document.check(data)
    except ValueError as error:
        raise ValueError(f"{error} File: {path}.") from None
    return data
