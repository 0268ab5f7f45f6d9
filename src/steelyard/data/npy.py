"""An array as numpy.save writes it, checked against the size of its file before anything is made of it."""

import io
import math
from pathlib import Path

import numpy as np

from .gate import one_line

NPY = b"\x93NUMPY"
AXES = 32


def array_of(path: Path, raw: bytes) -> np.ndarray:
    """The array in the bytes of an NPY file, not copied. ValueError, naming the file, if its header is damaged, promises more than the
    file holds, or asks for Python objects, which would run code."""
    file = io.BytesIO(raw)
    try:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, fortran, dtype = read(file)
        if dtype.hasobject:
            raise ValueError("it holds Python objects")
        many = math.prod(shape)
        if len(shape) > AXES or min(shape, default=0) < 0 or not dtype.itemsize:
            raise ValueError(f"its shape is {list(shape)[:4]}")
        if many * dtype.itemsize > len(raw) - file.tell():
            raise ValueError(
                f"its shape {list(shape)} needs {many * dtype.itemsize:,} bytes, and {len(raw) - file.tell():,} follow"
            )
        array = np.frombuffer(raw, dtype, count=many, offset=file.tell())
        return array.reshape(shape[::-1]).T if fortran else array.reshape(shape)
    except Exception as error:  # numpy gives the header to Python's own parser, which may raise anything
        raise ValueError(f"{path}: this NPY file cannot be read ({one_line(error)}).") from None
