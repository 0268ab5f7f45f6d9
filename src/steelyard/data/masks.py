"""Masks from files. Provisional: the two names below stay, what is behind them will be replaced."""

import glob
from os import PathLike, fspath
from pathlib import Path

import numpy as np

KINDS = (".png", ".tif", ".tiff", ".npy")


def mask_files(path: str | PathLike[str]) -> list[Path]:
    """A file, all masks in a folder and below, or what a glob matches; sorted."""
    text = fspath(path)
    where = Path(text).expanduser()
    if where.is_file():
        return [where]
    if where.is_dir():
        found = sorted(f for f in where.rglob("*") if f.suffix.lower() in KINDS and f.is_file())
    elif glob.has_magic(text):
        found = sorted(f for name in glob.glob(str(where), recursive=True) if (f := Path(name)).is_file())
    else:
        raise FileNotFoundError(f"no such file: {text!r}.")
    if not found:
        raise FileNotFoundError(f"{text}: there are no masks; PNG, TIFF and NPY files are read.")
    return found


def read_mask(path: str | PathLike[str]) -> np.ndarray:
    """The labels, 2-D or 3-D integers."""
    path = Path(path)
    if path.suffix.lower() == ".npy":
        try:
            found = np.load(path, allow_pickle=False)
        except (ValueError, EOFError) as error:
            raise ValueError(f"{path}: this is no .npy file of numbers ({error}).") from None
    else:
        from PIL import Image, ImageSequence, UnidentifiedImageError

        try:
            with Image.open(path) as image:
                pages = [np.array(page) for page in ImageSequence.Iterator(image)]
        except (UnidentifiedImageError, OSError) as error:
            raise ValueError(f"{path}: this cannot be read as an image ({error}).") from None
        found = pages[0] if len(pages) == 1 else np.stack(pages)
    if found.dtype.kind not in "iub" or found.ndim not in (2, 3):
        raise ValueError(f"{path}: a mask holds labels, integers [H, W] or [D, H, W]; got {found.dtype} {found.shape}.")
    return found
