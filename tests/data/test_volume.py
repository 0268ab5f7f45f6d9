"""NIfTI and NRRD, written byte by byte as their standards say."""

import bz2
import functools
import gzip

import numpy as np
import pytest
from tests.data.examples import CODES, nifti
from tests.data.examples import VOLUME as LABELS

from steelyard import count
from steelyard.data.image import decode
from steelyard.data.masks import read_mask
from steelyard.data.volume import volume

COUNTED = {"0": 21, "1": 2, "2": 1}


def as_dict(counts):
    return dict(zip(counts.classes, counts.per_class.tolist(), strict=True))


def nrrd(array, kind="short", encoding="raw", endian="little", more="", sizes=None) -> bytes:
    code = {"short": "i2", "unsigned char": "u1", "uint64": "u8", "float": "f4"}[kind]
    data = array.astype((">" if endian == "big" else "<") + code).tobytes(order="F")
    data = {"gzip": functools.partial(gzip.compress, mtime=0), "bzip2": bz2.compress}.get(encoding, bytes)(data)
    shape = " ".join(map(str, sizes or array.shape))
    head = f"NRRD0004\n# a comment\ntype: {kind}\ndimension: {array.ndim}\nsizes: {shape}\nencoding: {encoding}\nendian: {endian}\n{more}\n"
    return head.encode() + data


@pytest.mark.parametrize("kind", CODES)
@pytest.mark.parametrize(("order", "version"), [("<", 1), (">", 1), ("<", 2), (">", 2)])
def test_nifti_of_every_type(tmp_path, kind, order, version):
    file = tmp_path / "case.nii.gz"
    file.write_bytes(gzip.compress(nifti(LABELS, kind, order, version)))
    (tmp_path / "other.nii").write_bytes(nifti(LABELS, kind, order, version))
    assert as_dict(count(file)) == COUNTED
    counts = count(tmp_path)
    assert as_dict(counts) == {name: 2 * n for name, n in COUNTED.items()}
    assert (counts.items, counts.unit) == (2, "pixels")
    assert read_mask(file).tolist() == LABELS.tolist()
    assert volume(file, file.read_bytes()).spacing == (0.5, 0.75, 3.0)


def test_scaled_labels_are_what_they_stand_for(tmp_path):
    file = tmp_path / "a.nii"
    file.write_bytes(nifti(LABELS * 2, "u1", slope=0.5))
    assert as_dict(count(file)) == COUNTED
    file.write_bytes(nifti(LABELS, "u1", slope=1.0, inter=0.0))
    assert as_dict(count(file)) == COUNTED
    file.write_bytes(nifti(LABELS, "u1", slope=0.37))
    with pytest.raises(ValueError, match=r"a\.nii: its voxels are scaled .* not labels"):
        count(file)


def test_an_axis_of_one_more_is_none(tmp_path):
    (tmp_path / "a.nii").write_bytes(nifti(LABELS[..., None], "u1"))
    assert read_mask(tmp_path / "a.nii").shape == (4, 3, 2)


@pytest.mark.parametrize(
    ("kind", "encoding", "endian"),
    [("short", "raw", "little"), ("short", "gzip", "big"), ("unsigned char", "bzip2", "little"), ("uint64", "gzip", "little"), ("float", "raw", "big")],
)  # fmt: skip
def test_nrrd(tmp_path, kind, encoding, endian):
    file = tmp_path / "a.seg.nrrd"
    more = "space directions: (0.5,0,0) (0,0.75,0) (0,0,3)\nspace: left-posterior-superior\nSegment0_Name:=liver\n"
    file.write_bytes(nrrd(LABELS, kind, encoding, endian, more))
    assert as_dict(count(file)) == COUNTED
    assert decode(file, file.read_bytes()).tolist() == LABELS.tolist()
    assert volume(file, file.read_bytes()).spacing == (0.5, 0.75, 3.0)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.nii", nifti(LABELS)[:-5], "cut off"),
        ("a.nii.gz", gzip.compress(nifti(LABELS), mtime=0)[:-12], "damaged or was cut off"),
        ("a.nii", nifti(np.stack([LABELS] * 3, -1)), "has 4 axes"),
        ("a.nii", nifti(LABELS).replace(b"n+1", b"ni1"), r"pair \(.hdr and .img\)"),
        ("a.nii", nifti(LABELS + 0.5, "f4"), "not the whole numbers of a mask"),
        ("a.nrrd", nrrd(LABELS, encoding="gzip")[:-9], "damaged or was cut off"),
        ("a.nrrd", nrrd(LABELS, encoding="raw")[:-1], "cut off"),
        ("a.nrrd", nrrd(LABELS, more="data file: a.raw\n"), "in another file"),
        ("a.nrrd", nrrd(LABELS, more="space directions: none (1,0,0) (0,1,0)\n"), "several layers"),
        ("a.nrrd", nrrd(LABELS).replace(b"encoding: raw", b"encoding: hex"), "encoding 'hex' is not read"),
    ],
    ids=range(10),  # bytes make no name that two workers agree on
)
def test_what_is_no_label_map_is_named(tmp_path, name, content, says):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=says) as error:
        count(tmp_path / name)
    assert name in str(error.value)
