"""Files that mean harm, by format: small, and large or endless once they are read. Each with what is counted of it, and what is said.

What is said is a pattern, or None where the file is odd and can be counted all the same.
"""

import bz2
import gzip
import io
import json
import lzma
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

GOOD_MASK = np.array([[0, 1], [1, 1]], np.uint8)


@dataclass(frozen=True)
class Hostile:
    """`content` makes the bytes; `says` is None where it may be counted; `heavy`: it takes seconds or hundreds of MB to make or read."""

    file: str
    content: Callable[[], bytes]
    says: str | None
    options: dict[str, Any] = field(default_factory=dict)
    heavy: bool = False
    beside: dict[str, Callable[[], bytes]] = field(default_factory=dict)

    def write(self, folder: Path) -> Path:
        """The path to count."""
        for name, content in {self.file: self.content, **self.beside}.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content())
        return folder / self.file


# pictures --------------------------------------------------------------------------------------------------------------


def png(width: int, height: int, *, depth: int = 8, colour: int = 0, before: bytes = b"", after: bytes = b"") -> bytes:
    """Of zeros, of any size."""
    row = (width * {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour] * depth + 7) // 8 + 1
    plte = chunk(b"PLTE", bytes(6)) if colour == 3 else b""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    body = chunk(b"IDAT", zeros(row * height))
    return b"\x89PNG\r\n\x1a\n" + head + before + plte + body + after + chunk(b"IEND", b"")


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def zeros(many: int, bits: int = 15) -> bytes:
    """So many zero bytes, deflated, without holding them."""
    packer, block, parts = zlib.compressobj(9, zlib.DEFLATED, bits), bytes(1 << 20), []
    for start in range(0, many, len(block)):
        parts.append(packer.compress(block[: many - start]))
    return b"".join([*parts, packer.flush()])


def apng(frames: int, side: int) -> bytes:
    """Frames of one pixel on a large canvas, which is drawn anew for each."""
    control = chunk(b"acTL", struct.pack(">II", frames, 0))
    first = chunk(b"fcTL", struct.pack(">IIIIIHHBB", 0, side, side, 0, 0, 1, 1, 0, 0))
    one = zlib.compress(bytes(2))
    rest = b"".join(
        chunk(b"fcTL", struct.pack(">IIIIIHHBB", 2 * i + 1, 1, 1, 0, 0, 1, 1, 0, 0))
        + chunk(b"fdAT", struct.pack(">I", 2 * i + 2) + one)
        for i in range(frames - 1)
    )
    return png(side, side, before=control + first, after=rest)


def tiff(
    width: int, height: int, strips: list[bytes], *, bits: int = 8, compression: int = 1, pages: int = 1, more: Any = ()
) -> bytes:
    """Pages that share their strips."""
    out = bytearray(b"II*\0\0\0\0\0")
    places = []
    for strip in strips:
        places.append(len(out))
        out += strip
    lists = len(out)
    out += struct.pack(f"<{len(places)}I", *places) + struct.pack(f"<{len(places)}I", *map(len, strips))
    tags = {
        256: (4, width),
        257: (4, height),
        258: (3, bits),
        259: (3, compression),
        262: (3, 1),
        277: (3, 1),
        278: (4, height),
        339: (3, 1),
    }
    tags |= dict(more)
    link = 4
    for _ in range(pages):
        struct.pack_into("<I", out, link, len(out))
        out += struct.pack("<H", len(tags) + 2)
        for tag in sorted([*tags, 273, 279]):
            if tag in tags:
                kind, value = tags[tag]
                out += struct.pack("<HHI", tag, kind, 1) + struct.pack("<I", value)
            elif len(places) == 1:
                out += struct.pack("<HHII", tag, 4, 1, places[0] if tag == 273 else len(strips[0]))
            else:
                out += struct.pack("<HHII", tag, 4, len(places), lists + (0 if tag == 273 else 4 * len(places)))
        link = len(out)
        out += bytes(4)
    return bytes(out)


def overlapping(big: bool) -> bytes:
    """Directories in each other's bytes: a TIFF of 1 MB whose directories are many gigabytes."""
    size, step = 900_000, 40
    if big:
        out = bytearray(b"II+\0\x08\0\0\0" + struct.pack("<Q", 16) + bytes(size))
        for at in range(16, size - 400_000, step):
            struct.pack_into("<Q", out, at, 19_000)
            struct.pack_into("<Q", out, at + 8 + 20 * 19_000, at + step) if at + 8 + 20 * 19_000 + 8 < len(
                out
            ) else None
        return bytes(out)
    out = bytearray(b"II*\0" + struct.pack("<I", 8) + bytes(size))
    many, entry = 30_000, struct.pack("<HHII", 273, 1, 800_000, 8)
    out[10 : 10 + 12 * many] = entry * many
    struct.pack_into("<H", out, 8, many)
    return bytes(out)


def npy(header: str) -> bytes:
    text = header.encode()
    return b"\x93NUMPY\x01\0" + struct.pack("<H", len(text)) + text


def array_header(shape: str, descr: str = "|u1") -> bytes:
    return npy(f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n") + bytes(64)


def saved(array: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


def nifti(shape: tuple[int, ...], body: bytes = b"", *, kind: int = 2, slope: float = 0, start: float = 352) -> bytes:
    head = bytearray(352)
    struct.pack_into("<i", head, 0, 348)
    struct.pack_into("<8h", head, 40, len(shape), *shape, *[1] * (7 - len(shape)))
    struct.pack_into("<h", head, 70, kind)
    struct.pack_into("<3f", head, 108, start, slope, 0)
    head[344:348] = b"n+1\0"
    return bytes(head) + body


def nrrd(fields: str, body: bytes = b"") -> bytes:
    return b"NRRD0004\n" + fields.encode() + b"\n\n" + body


ENORMOUS = np.array([[0, 1], [2**64 - 1, 1]], np.uint64)
TOO_LARGE, DAMAGED = r"takes .* of memory, and a file of", "damaged|cannot be read|no image"
PICTURES = {
    "a palette of 60,000 x 60,000": Hostile("a.png", lambda: png(60_000, 60_000, depth=1, colour=3), TOO_LARGE, heavy=True),
    "colours of 18,000 x 18,000": Hostile("a.png", lambda: png(18_000, 18_000, colour=2), TOO_LARGE, heavy=True),
    "as large as may be, grey": Hostile("a.png", lambda: png(22_000, 22_000), None, heavy=True),
    "as large as may be, colours": Hostile("a.png", lambda: png(11_500, 11_500, colour=2), None, heavy=True),
    "16 bits as large as may be": Hostile("a.png", lambda: png(16_000, 16_000, depth=16), None, heavy=True),
    "a header of 2^31 pixels a side": Hostile("a.png", lambda: png(4, 4).replace(struct.pack(">II", 4, 4), b"\x7f\xff\xff\xff" * 2), DAMAGED),
    "no pixels": Hostile("a.png", lambda: png(4, 4).replace(struct.pack(">II", 4, 4), bytes(8)), DAMAGED),
    "10,000 frames on a large canvas": Hostile("a.png", lambda: apng(9_000, 6_000), r"9,000 pages .*of memory", heavy=True),
    "frames that are not there": Hostile("a.png", lambda: png(4, 4, before=chunk(b"acTL", struct.pack(">II", 2**31 - 1, 0))), TOO_LARGE),
    "text that unpacks to 1 GB": Hostile("a.png", lambda: png(4, 4, before=chunk(b"zTXt", b"a\0\0" + zeros(1 << 29))), DAMAGED, heavy=True),
    "a TIFF of 60,000 x 60,000": Hostile("a.tif", lambda: tiff(60_000, 60_000, [zeros(1 << 20)], compression=8), TOO_LARGE),
    "a strip that unpacks to 1 GB": Hostile("a.tif", lambda: tiff(9, 9, [zeros(1 << 29)], bits=32, compression=8), None, heavy=True),
    "64-bit fractions, 8,000 x 8,000": Hostile("a.tif", lambda: tiff(8_000, 8_000, [zeros(512_000_000)], bits=64, compression=8, more={339: (3, 3)}), TOO_LARGE, heavy=True),
    "64-bit fractions as large as may be": Hostile("a.tif", lambda: tiff(5_700, 5_700, [zeros(5_700 * 5_700 * 8)], bits=64, compression=8, more={339: (3, 3)}), None, heavy=True),
    "a strip 50,000 times": Hostile("a.tif", lambda: tiff(9_000, 9_000, [bytes(10)] * 50_000, bits=32), "damaged or was cut off|of memory", heavy=True),
    "20,000 pages of one strip": Hostile("a.tif", lambda: tiff(3_000, 3_000, [zeros(9_000_000)], compression=8, pages=4_000), r"4,000 pages .*of memory"),
    "directories in each other": Hostile("a.tif", lambda: overlapping(big=False), r"directories take more room", heavy=True),
    "directories of BigTIFF in each other": Hostile("a.tif", lambda: overlapping(big=True), r"directories take more room", heavy=True),
    "a directory that is its own next": Hostile("a.tif", lambda: b"II*\0\x08\0\0\0\0\0\x08\0\0\0" + bytes(40), DAMAGED),
    "a BMP of 2^31 pixels": Hostile("a.bmp", lambda: b"BM" + struct.pack("<IIIIiiHHIIiiII", 99, 0, 54, 40, 2**31 - 1, 2**30, 1, 24, 0, 0, 0, 0, 0, 0) + bytes(99), f"{TOO_LARGE}|{DAMAGED}"),
    "PostScript that calls itself PNG": Hostile("a.png", lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", DAMAGED),
    "an NPY with a header of brackets": Hostile("a.npy", lambda: npy("((((" * 200), "NPY file cannot be read"),
    "an NPY that calls": Hostile("a.npy", lambda: npy("__import__('os').system('true')"), "NPY file cannot be read"),
    "an NPY of more than it has": Hostile("a.npy", lambda: array_header("(1000000, 1000000)"), "its shape .* needs"),
    "an NPY whose shape overflows": Hostile("a.npy", lambda: array_header("(4294967296, 4294967296)"), "its shape .* needs"),
    "an NPY of negative sides": Hostile("a.npy", lambda: array_header("(-1, -64)"), "its shape is"),
    "an NPY of 100 axes": Hostile("a.npy", lambda: array_header(f"({'1, ' * 100})"), "its shape is"),
    "an NPY of nothings": Hostile("a.npy", lambda: array_header("(9,)", "|V0"), "NPY file cannot be read"),
    "an NPY of objects": Hostile("a.npy", lambda: array_header("(9,)", "|O"), "Python objects"),
    "an NPZ": Hostile("a.npy", lambda: b"PK\x03\x04" + bytes(99), "archive"),
    "a NIfTI of zeros": Hostile("a.nii.gz", lambda: gzip_of(nifti((1000, 1000, 400)), 400_000_000), None, heavy=True),
    "a NIfTI of 10 GB": Hostile("a.nii.gz", lambda: gzip_of(nifti((30_000, 30_000, 12), kind=4), 1 << 20), TOO_LARGE),
    "a NIfTI of 64-bit fractions": Hostile("a.nii.gz", lambda: gzip_of(nifti((400, 400, 390), kind=64), 400 * 400 * 390 * 8), None, heavy=True),
    "a NIfTI that is not all there": Hostile("a.nii.gz", lambda: gzip.compress(nifti((900, 900, 9)), mtime=0), "cut off"),
    "a NIfTI with scaled voxels": Hostile("a.nii.gz", lambda: gzip_of(nifti((1000, 1000, 400), slope=2), 400_000_000), None, heavy=True),
    "a NIfTI that starts nowhere": Hostile("a.nii", lambda: nifti((2, 2), bytes(4), start=-1e30), DAMAGED),
    "a NIfTI that starts at NaN": Hostile("a.nii", lambda: nifti((2, 2), bytes(4), start=float("nan")), DAMAGED),
    "a gzip of a gzip": Hostile("a.nii.gz", lambda: gzip.compress(zeros(1 << 24, 31), mtime=0), DAMAGED),
    "an NRRD of 10 TB": Hostile("a.nrrd", lambda: nrrd("type: uchar\nencoding: gzip\nsizes: 100000 100000 1000", zeros(1 << 20, 31)), TOO_LARGE),
    "an NRRD of bzip2": Hostile("a.nrrd", lambda: nrrd("type: uchar\nencoding: bzip2\nsizes: 20000 20000", bz2_zeros(400_000_000)), None, heavy=True),
    "an NRRD of negative sides": Hostile("a.nrrd", lambda: nrrd("type: uchar\nencoding: raw\nsizes: -1 -1", bytes(9)), DAMAGED),
    "an NRRD of brackets": Hostile("a.nrrd", lambda: nrrd("type: uchar\nencoding: raw\nsizes: 2 2\nspace directions: " + "(" * 900_000, bytes(9)), "another file"),
    "an NRRD of long numbers": Hostile("a.nrrd", lambda: nrrd(f"type: uchar\nencoding: raw\nsizes: {'9' * 50_000} 2", bytes(9)), DAMAGED),
    **{
        f"2^64 - 1 in {name}": Hostile(name, content, "too large")
        for name, content in {
            "a.npy": lambda: saved(ENORMOUS),
            "b.npy": lambda: saved(ENORMOUS.astype(">u8")),
            "a.tif": lambda: tiff(2, 2, [ENORMOUS.tobytes()], bits=64),
            "b.tif": lambda: tiff(2, 2, [zlib.compress(ENORMOUS.tobytes())], bits=64, compression=8),
            "a.nii": lambda: nifti((2, 2), ENORMOUS.tobytes(), kind=1280),
            "b.nii": lambda: nifti((2, 2), ENORMOUS.tobytes(), kind=1280, slope=2),
            "c.nii": lambda: nifti((2, 2), ENORMOUS.astype(">u8").tobytes(), kind=1280),
            "a.nrrd": lambda: nrrd("type: uint64\nencoding: raw\nendian: little\nsizes: 2 2", ENORMOUS.tobytes()),
            "b.nrrd": lambda: nrrd("type: uint64\nencoding: gzip\nendian: big\nsizes: 2 2", gzip.compress(ENORMOUS.astype(">u8").tobytes())),
        }.items()
    },
}  # fmt: skip


def gzip_of(head: bytes, more: int) -> bytes:
    """A gzip of `head` and so many zeros, as two members."""
    return gzip.compress(head, mtime=0) + zeros(more, 31)


def bz2_zeros(many: int) -> bytes:
    packer, block, parts = bz2.BZ2Compressor(), bytes(1 << 20), []
    for start in range(0, many, len(block)):
        parts.append(packer.compress(block[: many - start]))
    return b"".join([*parts, packer.flush()])


# boxes -----------------------------------------------------------------------------------------------------------------

BOX = "<bndbox><xmin>0</xmin><ymin>0</ymin><xmax>2</xmax><ymax>2</ymax></bndbox>"


def voc(name: str = "cat", *, head: str = "", encoding: str = "utf-8") -> bytes:
    return f"{head}<annotation><object><name>{name}</name>{BOX}</object></annotation>".encode(encoding)


LAUGHS = "".join(f"<!ENTITY l{i} '{f'&l{i - 1};' * 10 if i else 'ha'}'>" for i in range(10))
NINE = "".join(f"l{i}: &l{i} [{', '.join([f'*l{i - 1}' if i else 'ha'] * 10)}]\n" for i in range(10))
MERGED = "".join(f"m{i}: &m{i} {{<<: [{', '.join([f'*m{i - 1}'] * 10) if i else '{a: 1}'}]}}\n" for i in range(10))
IMAGES = {"images/1.png": lambda: png(4, 4), "labels/1.txt": lambda: b"0 .5 .5 .1 .1\n"}


def yolo(text: str) -> dict[str, Any]:
    return {"file": "data.yaml", "content": lambda: text.encode(), "beside": IMAGES}


def coco(**parts: Any) -> bytes:
    plain = {
        "images": [{"id": 1, "file_name": "a.jpg"}],
        "categories": [{"id": 1, "name": "cat"}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [0, 0, 2, 2]}],
    }
    return json.dumps({**plain, **parts}).encode()


MANY = 20_000
BOXES = {
    "XML in rot13": Hostile("a.xml", lambda: voc(head='<?xml version="1.0" encoding="rot13"?>'), None),
    "XML in no encoding": Hostile("a.xml", lambda: voc(head='<?xml version="1.0" encoding="klingon"?>'), None),
    "XML in punycode": Hostile("a.xml", lambda: voc("a" * 500_000, head='<?xml version="1.0" encoding="punycode"?>'), None),
    "XML with an entity that grows": Hostile("a.xml", lambda: voc("&l9;", head=f"<!DOCTYPE a [{LAUGHS}]>"), "document type"),
    "XML with an entity of a file": Hostile("a.xml", lambda: voc("&e;", head='<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]>'), "document type"),
    "XML in UTF-16 with an entity": Hostile("a.xml", lambda: voc("&l9;", head=f"<!DOCTYPE a [{LAUGHS}]>", encoding="utf-16"), "document type"),
    "XML of another page's type": Hostile("a.xml", lambda: voc(head='<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd">'), "document type"),
    "XML 100,000 deep": Hostile("a.xml", lambda: b"<annotation>" + b"<a>" * 100_000 + b"</a>" * 100_000 + voc().removeprefix(b"<annotation>"), None),
    "XML that is cut": Hostile("a.xml", lambda: voc()[:-20], "not XML"),
    "a label of 500,000 letters": Hostile("a.xml", lambda: voc("x" * 500_000), "is not one of the classes", {"classes": ["dog", "cat"]}),
    "YAML of nine levels": Hostile(**yolo(f"{NINE}names: *l9\ntrain: images\n"), says="unfolds to"),
    "YAML of nine merges": Hostile(**yolo(f"{MERGED}names: [cat]\ntrain: images\n"), says="unfolds to"),
    "YAML that holds itself": Hostile(**yolo("names: &a [*a]\ntrain: images\n"), says="holds itself"),
    "YAML 2,000 deep": Hostile(**yolo("names: " + "[" * 2_000 + "]" * 2_000), says="nested too deep|not YAML"),
    "YAML 900 deep": Hostile(**yolo("train: images\nnames: " + "[" * 300 + "]" * 300), says=None),
    "YAML of mixed keys": Hostile(**yolo("names: {0: cat, x: dog, null: bird}\ntrain: images\n"), says="numbers of 'names'"),
    "YAML of dates": Hostile(**yolo("names: {2001-01-01: cat}\ntrain: images\n"), says="numbers of 'names'"),
    "YAML of impossible dates": Hostile(**yolo("names: [2001-99-99]\ntrain: images\n"), says="cannot be read|not YAML"),
    "YAML with a long number": Hostile(**yolo(f"names: [cat]\nnc: {':'.join(['1'] * 200_000)}\ntrain: images\n"), says="'nc' must be"),
    "YAML that calls": Hostile(**yolo("names: !!python/object/apply:os.system ['true']\ntrain: images\n"), says="not YAML"),
    "YAML with a list of paths in it": Hostile(**yolo("names: [cat]\ntrain: {a: [1]}\n"), says="there is no"),
    "YAML of a billion classes": Hostile(**yolo("nc: 1000000000\ntrain: images\n"), says="'nc' must be"),
    "YAML with a path of 100,000 letters": Hostile(**yolo(f"names: [cat]\ntrain: {'a/' * 50_000}\n"), says="a path of 1"),
    "YOLO of infinite classes": Hostile("a.txt", lambda: b"inf .5 .5 .1 .1\n", "line 1 is no", beside={"classes.txt": lambda: b"cat\n"}),
    "YOLO of no number": Hostile("a.txt", lambda: b"nan nan nan nan nan\n", "line 1 is no", beside={"classes.txt": lambda: b"cat\n"}),
    "YOLO of large classes": Hostile("a.txt", lambda: b"1e300 .5 .5 .1 .1\n", "the labels hold class", beside={"classes.txt": lambda: b"cat\n"}),
    "JSON 300,000 deep": Hostile("a.json", lambda: b"[" * 300_000 + b"]" * 300_000, "not JSON|nested too deep"),
    "JSON of objects, deep": Hostile("a.json", lambda: b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "not JSON|nested too deep"),
    "JSON with a number of 10,000 digits": Hostile("a.json", lambda: b'{"images": [{"id": ' + b"9" * 10_000 + b"}]}", "not JSON"),
    "JSON with NaN as an id": Hostile("a.json", lambda: coco(images=[{"id": float("nan")}]), "'?images"),
    "JSON with true as a name": Hostile("a.json", lambda: coco(categories=[{"id": 1, "name": True}]), "categories"),
    "20,000 categories": Hostile("a.json", lambda: coco(categories=[{"id": i, "name": f"c{i}"} for i in range(MANY)]), None),
    "20,000 categories of one name": Hostile("a.json", lambda: coco(categories=[{"id": i, "name": "cat"} for i in range(MANY)]), "called 'cat'"),
    "boxes that are no lists": Hostile("a.json", lambda: coco(annotations=[{"id": 1, "image_id": 1, "category_id": 1, "bbox": 7}]), "bbox"),
    "boxes of infinite size": Hostile("a.json", lambda: coco(annotations=[{"id": 1, "image_id": 1, "category_id": 1, "bbox": [0, 0, 1e308, 1e308]}]), r"bbox\[2\] must be a number"),
    "lists in the place of ids": Hostile("a.json", lambda: coco(annotations=[{"id": 1, "image_id": [1], "category_id": {}}]), "image_id"),
}  # fmt: skip


# tables ----------------------------------------------------------------------------------------------------------------


def parquet(table: Any, **options: Any) -> bytes:
    import pyarrow.parquet as pq

    out = io.BytesIO()
    pq.write_table(table, out, **options)
    return out.getvalue()


def twice() -> bytes:
    import pyarrow as pa

    return parquet(pa.table([pa.array(["a", "b"]), pa.array(["c", "d"])], names=["y", "y"]))


def year_10000() -> bytes:
    import pyarrow as pa

    return parquet(pa.table({"y": pa.array([253402300800, 0], pa.timestamp("s"))}))


def one_text_many_times() -> bytes:
    import pyarrow as pa

    codes = pa.array(np.zeros(2_000_000, np.int32))
    return parquet(
        pa.table(
            {
                "x": pa.DictionaryArray.from_arrays(codes, ["long " * 50_000]),
                "y": pa.array(np.zeros(2_000_000, np.int8)),
            }
        )
    )


def constant(rows: int) -> bytes:
    import pyarrow as pa

    return parquet(
        pa.table(
            {f"x{i}": pa.array(np.zeros(rows, np.int64)) for i in range(40)} | {"y": pa.array(np.zeros(rows, np.int8))}
        )
    )


def packed(opened: Any, line: bytes, many: int) -> bytes:
    out, block = io.BytesIO(), line * 10_000
    with opened(out) as file:
        for _ in range(many // 10_000):
            file.write(block)
    return out.getvalue()


def zipped(line: bytes, many: int) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("t.csv", "w") as file:
        file.write(b"y\n")
        for _ in range(many // 10_000):
            file.write(line * 10_000)
    return out.getvalue()


LABEL = {"label": "y"}
ARFF = "@relation r\n@attribute x numeric\n@attribute y {a,b}\n@data\n"
TOO_MUCH = "unpack to over"
TABLES = {
    "gzip of 900 MB": Hostile("t.csv.gz", lambda: packed(lambda f: gzip.GzipFile(fileobj=f, mode="wb"), b"y\n", 400_000_000), TOO_MUCH, {"label": 1}, heavy=True),
    "bzip2 of 4 GB": Hostile("t.csv.bz2", lambda: bz2.compress(b"y\n" * 1_000_000) * 2_000, TOO_MUCH, {"label": 1}, heavy=True),
    "xz of 4 GB": Hostile("t.csv.xz", lambda: lzma.compress(b"y\n" * 1_000_000, preset=0) * 2_000, TOO_MUCH, {"label": 1}, heavy=True),
    "a zip of 900 MB": Hostile("t.csv.zip", lambda: zipped(b"a\n", 400_000_000), TOO_MUCH, LABEL, heavy=True),
    "JSON Lines of nothing, packed": Hostile("t.jsonl.gz", lambda: packed(lambda f: gzip.GzipFile(fileobj=f, mode="wb"), b'{"y":1}\n', 60_000_000), TOO_MUCH, LABEL, heavy=True),
    "an ARFF, packed": Hostile("t.arff", lambda: gzip_of(ARFF.encode(), 900_000_000), TOO_MUCH, LABEL, heavy=True),
    "CoNLL that never ends": Hostile("t.conll.gz", lambda: packed(lambda f: gzip.GzipFile(fileobj=f, mode="wb"), b"a\tO\n", 100_000_000), TOO_MUCH, {"label": -1}, heavy=True),
    "CoNLL as long as may be": Hostile("t.conll.gz", lambda: packed(lambda f: gzip.GzipFile(fileobj=f, mode="wb"), b"a\tO\n", 4_190_000), None, {"label": -1}, heavy=True),
    "CoNLL of one wide line": Hostile("t.conll.gz", lambda: gzip.compress(b"a\tO\n\n" + b"\t".join([b"a"] * 8_000_000) + b"\n", mtime=0), "has 8000000 cells", {"label": -1}, heavy=True),
    "gzip that is cut": Hostile("t.csv.gz", lambda: gzip.compress(b"y\na\n" * 999, mtime=0)[:-9], "cannot be read|damaged", LABEL),
    "a zip with a broken sum": Hostile("t.csv.zip", lambda: zipped(b"a\n", 10_000).replace(b"PK\x03\x04", b"PK\x03\x04", 1)[:-30], "damaged|cannot be read", LABEL),
    "JSON Lines, deep": Hostile("t.jsonl", lambda: b'{"y": ' + b"[" * 100_000 + b"]" * 100_000 + b"}\n", "nested too deep", LABEL),
    "JSON Lines with a long number": Hostile("t.jsonl", lambda: b'{"y": ' + b"9" * 9_000 + b"}\n", "cannot be read|is no JSON", LABEL),
    "JSON of 10,000 keys and many rows": Hostile("t.jsonl", lambda: json.dumps({f"k{i}": 1 for i in range(9_000)}).encode() + b"\n" + b"{}\n" * 250_000, r"rows of 9,000 keys", {"read": True}, heavy=True),
    "an ARFF of blanks": Hostile("t.arff", lambda: ARFF.encode() + b"'1'" + b" " * 900_000 + b"x,a\n", None, LABEL),
    "an ARFF of blanks in a sparse row": Hostile("t.arff", lambda: ARFF.encode() + b"{1 a" + b" " * 900_000 + b"x y}\n", None, LABEL),
    "an ARFF of many columns and rows": Hostile("t.arff", lambda: b"@relation r\n" + b"".join(b"@attribute a%d numeric\n" % i for i in range(20_000)) + b"@data\n" + b"{}\n" * 150_000, "rows of 20,000 columns", {"read": True}, heavy=True),
    "a sparse ARFF, one column": Hostile("t.arff", lambda: b"@relation r\n" + b"".join(b"@attribute a%d numeric\n" % i for i in range(20_000)) + b"@data\n" + b"{}\n" * 150_000, None, {"label": "a7"}, heavy=True),
    "Mulan's labels twice": Hostile("t.arff", lambda: ARFF.encode() + b"1,a\n", "names the label 'y' 2 times", beside={"t.xml": lambda: b"<labels><label name='y'/><label name='y'/></labels>"}),
    "Mulan's labels in a document type": Hostile("t.arff", lambda: ARFF.encode() + b"1,a\n", "document type", beside={"t.xml": lambda: f"<!DOCTYPE a [{LAUGHS}]><labels/>".encode()}),
    "20,000 labels of Mulan's": Hostile("t.arff", lambda: b"@relation r\n" + b"".join(b"@attribute a%d {0,1}\n" % i for i in range(20_000)) + b"@data\n{7 1}\n{}\n", None, beside={"t.xml": lambda: b"<labels>" + b"".join(b"<label name='a%d'/>" % i for i in range(20_000)) + b"</labels>"}, heavy=True),
    "Parquet with a column twice": Hostile("t.parquet", twice, "cannot be read|twice|y.2|Duplicate|multiple", LABEL),
    "Parquet of the year 10000": Hostile("t.parquet", year_10000, None, LABEL),
    "Parquet of one long text": Hostile("t.parquet", one_text_many_times, "texts of column 'x' take over", {"read": True}, heavy=True),
    "Parquet of a billion zeros": Hostile("t.parquet", lambda: constant(4_000_000), "rows and 41 columns takes", {"read": True}, heavy=True),
    "Parquet that is cut": Hostile("t.parquet", lambda: constant(9)[:-4], "cannot be read", LABEL),
    "Parquet of marks alone": Hostile("t.parquet", lambda: b"PAR1" + bytes(20) + b"\xff\xff\xff\x7fPAR1", "cannot be read", LABEL),
    "Arrow of marks alone": Hostile("t.feather", lambda: b"ARROW1\0\0" + b"\xff" * 40 + b"ARROW1", "cannot be read", LABEL),
    "100,000 columns": Hostile("t.csv", lambda: b",".join(b"x%d" % i for i in range(60_000)) + b",y\n" + b"," * 60_000 + b"a\n", None, LABEL, heavy=True),
    "a label of 30,000 letters": Hostile("t.csv", lambda: b"y,x\n" + b"a" * 30_000 + b",1\nb,2\n", None, LABEL),
    "a quote that never ends": Hostile("t.csv", lambda: b'x,y\n1,"' + b"a,b\n" * 200_000, "quote|no rows can be read", LABEL),
    "500,000 empty lines": Hostile("t.csv", lambda: b"\n" * 500_000, "no rows|empty|no column|header", LABEL),
    "zero bytes alone": Hostile("t.csv", lambda: bytes(900_000), "zero bytes|empty", LABEL),
    "900,000 commas": Hostile("t.csv", lambda: b"," * 900_000 + b"\n", "no rows|no column", LABEL, heavy=True),
}  # fmt: skip

HOSTILE = {**PICTURES, **BOXES, **TABLES}
