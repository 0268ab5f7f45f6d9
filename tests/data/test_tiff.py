"""TIFFs of every depth, written by hand; what holds several numbers for a pixel is refused."""

import numpy as np
import pytest

from steelyard import count
from steelyard.data.masks import read_mask


def as_dict(counts):
    return dict(zip(counts.classes, counts.per_class.tolist(), strict=True))


def tiff(pages, *, deflate=False, order="<", samples=1, photometric=1, text=b"") -> bytes:
    """A TIFF of whole pages in one strip each, written by hand, because Pillow does not write 64 bits or many channels."""
    import struct
    import zlib

    out = bytearray((b"II*\0" if order == "<" else b"MM\0*") + b"\0\0\0\0")
    link = 4
    for page in pages:
        data = page.astype(page.dtype.newbyteorder(order)).tobytes()
        data = zlib.compress(data) if deflate else data
        start = len(out)
        out += data + b"\0" * (len(data) % 2)
        kind = {"u": 1, "i": 2, "f": 3}[page.dtype.kind]
        entries = [
            (256, 4, [page.shape[1]]), (257, 4, [page.shape[0]]), (258, 3, [8 * page.dtype.itemsize] * samples),
            (259, 3, [8 if deflate else 1]), (262, 3, [photometric]), (273, 4, [start]), (277, 3, [samples]),
            (278, 4, [page.shape[0]]), (279, 4, [len(data)]), (339, 3, [kind] * samples),
        ]  # fmt: skip
        if text:
            entries.insert(5, (270, 2, list(text)))
        more = bytearray()
        at = len(out)
        head = at + 2 + 12 * len(entries) + 4
        table = struct.pack(order + "H", len(entries))
        for tag, form, values in entries:
            letter = {2: "B", 3: "H", 4: "I"}[form]
            packed = struct.pack(f"{order}{len(values)}{letter}", *values)
            if len(packed) <= 4:
                field = packed.ljust(4, b"\0")
            else:
                field = struct.pack(order + "I", head + len(more))
                more += packed
            table += struct.pack(order + "HHI", tag, form, len(values)) + field
        out[link : link + 4] = struct.pack(order + "I", at)
        link = at + 2 + 12 * len(entries)
        out += table + b"\0\0\0\0" + more
    return bytes(out)


@pytest.mark.parametrize("dtype", ["u1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8"])
@pytest.mark.parametrize(("order", "deflate"), [("<", False), (">", True)])
def test_tiffs_of_every_depth(tmp_path, dtype, order, deflate):
    mask = np.array([[0, 1, 2], [2, 2, 100]]).astype(dtype)
    (tmp_path / "m.tif").write_bytes(tiff([mask], deflate=deflate, order=order))
    assert as_dict(count(tmp_path / "m.tif")) == {"0": 1, "1": 1, "2": 3, "100": 1}
    assert read_mask(tmp_path / "m.tif").tolist() == [[0, 1, 2], [2, 2, 100]]


def test_large_numbers_of_32_bits_stay_what_they_are(tmp_path):
    (tmp_path / "m.tif").write_bytes(tiff([np.array([[3_000_000_000, 7]], np.uint32)]))
    assert as_dict(count(tmp_path / "m.tif")) == {"7": 1, "3000000000": 1}


def test_pages_of_64_bits_are_a_volume(tmp_path):
    (tmp_path / "m.tif").write_bytes(tiff([np.full((2, 3), i) for i in range(3)]))
    assert read_mask(tmp_path / "m.tif").shape == (3, 2, 3)


def test_several_numbers_for_each_pixel_are_refused(tmp_path):
    for samples in (2, 3, 5):
        pixels = np.zeros((4, 4 * samples), np.uint8)
        page = tiff([pixels], samples=samples).replace(
            (4 * samples).to_bytes(4, "little"), (4).to_bytes(4, "little"), 1
        )
        (tmp_path / "m.tif").write_bytes(page)
        with pytest.raises(ValueError, match=f"it has {samples} numbers for each pixel; a mask has one"):
            count(tmp_path / "m.tif")
    text = b"ImageJ=1.53\nimages=2\nchannels=2\n\0"
    (tmp_path / "m.tif").write_bytes(tiff([np.zeros((2, 2), np.uint8)] * 2, text=text))
    with pytest.raises(ValueError, match="several channels"):
        count(tmp_path / "m.tif")


def test_pages_of_different_sizes_are_refused_for_maps(tmp_path):
    (tmp_path / "m.tif").write_bytes(tiff([np.zeros((4, 4), np.int64), np.zeros((2, 2), np.int64)]))
    with pytest.raises(ValueError, match="different sizes"):
        read_mask(tmp_path / "m.tif")
