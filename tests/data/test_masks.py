"""Masks: pixels, images and objects of each class, whatever the file format."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from tests.data.examples import CELLS, PIXELS, masks

from steelyard import count
from steelyard.data import count_path
from steelyard.data.masks import mask_files, read_mask


def as_dict(counts):
    return dict(zip(counts.classes, counts.per_class.tolist(), strict=True))


@pytest.mark.parametrize("kind", ["png", "tif", "npy", "bmp"])
def test_pixels_and_images_of_each_class(tmp_path, kind):
    counts = count(masks(tmp_path / kind, kind))
    assert as_dict(counts) == PIXELS
    assert (counts.unit, counts.items) == ("pixels", 3)
    assert counts.also["images"].tolist() == [3, 2, 2, 2]
    assert counts.containing.tolist() == [8 + 8 + 6, 8 + 6, 8 + 6, 8 + 8]


def test_ignored_pixels_are_absent_everywhere(tmp_path):
    counts = count(masks(tmp_path / "m"), ignore=255)
    assert as_dict(counts) == {k: v for k, v in PIXELS.items() if k != "255"}
    assert counts.containing.tolist() == [7 + 7 + 6, 7 + 6, 7 + 6]
    assert count(masks(tmp_path / "m"), ignore=["255"]) == counts


def test_classes_name_the_values_in_their_order_or_by_a_dictionary(tmp_path):
    folder = masks(tmp_path / "m")
    listed = count(folder, ignore=255, classes=["road", "car", "man", "never"])
    assert as_dict(listed) == {"road": 11, "car": 5, "man": 4, "never": 0}
    named = count(folder, classes={0: "road", 1: "thing", 2: "thing", 255: "void"})
    assert as_dict(named) == {"road": 11, "thing": 9, "void": 2}
    assert named.also["images"].tolist() == [3, 2, 2]  # an image with both values holds a thing once
    assert named.containing.tolist() == [22, 14, 16]
    with pytest.raises(ValueError, match=r"hold the value 255, but classes= names 0 to 2.* ignore=255"):
        count(folder, classes=["a", "b", "c"])
    assert as_dict(count(folder, classes=[255, 2, 1, 0])) == {"255": 2, "2": 4, "1": 5, "0": 11}


@pytest.mark.parametrize(("bits", "top"), [(1, 1), (2, 3), (4, 15), (8, 255), (16, 65535)])
def test_grey_pngs_of_every_depth_keep_their_numbers(tmp_path, bits, top):
    import struct
    import zlib

    values = np.array([[0, top, 1, 0], [top, 0, 0, 1]], dtype=np.uint16)
    if bits == 16:
        rows = [b"\0" + row.astype(">u2").tobytes() for row in values]
    else:
        packed = [np.unpackbits(row.astype(np.uint8)[:, None], axis=1)[:, 8 - bits :].ravel() for row in values]
        rows = [b"\0" + np.packbits(row).tobytes() for row in packed]

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", 4, 2, bits, 0, 0, 0, 0)
    png = (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b"".join(rows)))
        + chunk(b"IEND", b"")
    )
    (tmp_path / "m.png").write_bytes(png)
    assert read_mask(tmp_path / "m.png").tolist() == values.tolist()


def test_palette_numbers_are_classes_not_colours(tmp_path):
    image = Image.new("P", (2, 2))
    image.putpalette([0, 0, 0, 128, 0, 0, 0, 128, 0])
    image.putdata([0, 1, 2, 1])
    image.save(tmp_path / "m.png")
    assert as_dict(count(tmp_path / "m.png")) == {"0": 1, "1": 2, "2": 1}


def test_colours_are_counted_by_their_names(tmp_path):
    colours = np.zeros((2, 3, 3), dtype=np.uint8)
    colours[0, :2] = (128, 64, 128)
    for i in range(2):
        Image.fromarray(colours).save(tmp_path / f"{i}.png")
    assert as_dict(count(tmp_path)) == {"#000000": 8, "#804080": 4}
    assert as_dict(count(tmp_path, classes={"#000000": "void", "#804080": "road"})) == {"void": 8, "road": 4}
    assert as_dict(count(tmp_path, ignore="#000000")) == {"#804080": 4}
    with pytest.raises(ValueError, match="colours"):
        read_mask(tmp_path / "0.png")
    Image.fromarray(np.zeros((2, 2), dtype=np.uint8)).save(tmp_path / "grey.png")
    with pytest.raises(ValueError, match="some masks hold numbers and others colours"):
        count(tmp_path)


def test_objects_become_background_and_object(tmp_path):
    np.save(tmp_path / "a.npy", np.array([[0, 3, 3], [7, 7, 7]]))
    np.save(tmp_path / "b.npy", np.array([[0, 0, 0], [0, 1, 0]]))
    counts = count(tmp_path, instances="objects")
    assert as_dict(counts) == {"background": 6, "object": 6}
    assert counts.also["objects"].tolist() == [0, 3]
    assert counts.also["images"].tolist() == [2, 2]


def test_a_divisor_splits_class_and_object(tmp_path):
    np.save(tmp_path / "a.npy", np.array([[7, 7, 26001], [26002, 24000, 26001]], dtype=np.int32))
    counts = count(tmp_path, instances=1000)
    assert as_dict(counts) == {"7": 2, "24": 1, "26": 3}
    assert counts.also["objects"].tolist() == [0, 1, 2]
    assert count(tmp_path, instances="1000") == counts


def test_pages_of_a_tiff_are_a_volume(tmp_path):
    pages = [Image.fromarray(np.full((2, 3), i, dtype=np.uint16)) for i in range(4)]
    pages[0].save(tmp_path / "v.tif", save_all=True, append_images=pages[1:])
    assert read_mask(tmp_path / "v.tif").shape == (4, 2, 3)
    counts = count(tmp_path / "v.tif")
    assert as_dict(counts) == {str(i): 6 for i in range(4)}
    assert counts.items == 1


def test_pictures_and_object_numbers_are_not_taken_for_classes(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (40, 40)).astype(np.uint8)
    (tmp_path / "p").mkdir()
    Image.fromarray(noise).save(tmp_path / "p" / "a.png")
    with pytest.raises(ValueError, match=r"25\d different values on average.*instances="):
        count(tmp_path / "p")
    assert count(tmp_path / "p", classes=range(256)).per_class.sum() == 1600
    (tmp_path / "o").mkdir()
    for i in range(10):
        np.save(tmp_path / "o" / f"{i}.npy", np.arange(3 + 2 * i))
    with pytest.raises(ValueError, match="number objects, not classes"):
        count(tmp_path / "o")
    (tmp_path / "c").mkdir()
    for i in range(10):
        np.save(tmp_path / "c" / f"{i}.npy", np.arange(19))  # all classes in every mask
    assert len(count(tmp_path / "c")) == 19


def test_other_files_in_the_folder_are_named(tmp_path):
    folder = masks(tmp_path / "m")
    (folder / "x.jpg").write_bytes(b"\xff\xd8")
    (folder / "readme.txt").write_text("hello")
    _, notes = count_path(folder)
    assert notes == ["not masks, so not counted: 1 file (.jpg), 1 file (.txt)"]
    with pytest.raises(ValueError, match="JPEG changes the numbers"):
        count(folder / "x.jpg")


def test_a_list_of_paths_is_counted_as_it_stands(tmp_path):
    folder = masks(tmp_path / "m")
    chosen = count([folder / "a.png", folder / "c.png"])
    assert as_dict(chosen) == {"0": 4, "1": 5, "2": 4, "255": 1}
    assert chosen.source.endswith("a.png and 1 more")
    assert count([folder / "a.png"]) == count(folder / "a.png")


def test_the_files_are_those_of_the_folder_the_glob_or_the_file(tmp_path):
    folder = masks(tmp_path / "m")
    (folder / ".hidden.png").touch()
    assert [f.name for f in mask_files(folder)] == ["a.png", "b.png", "c.png"]
    assert [f.name for f in mask_files(f"{folder}/[ab].png")] == ["a.png", "b.png"]
    assert mask_files(folder / "c.png") == [folder / "c.png"]
    with pytest.raises(FileNotFoundError, match=r"Did you mean 'c.png'"):
        mask_files(folder / "d.png")


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("m.png", b"", "no image that can be read"),
        ("m.png", b"\x89PNG\r\n\x1a\n" + b"\0" * 30, "no image that can be read"),
        ("m.npy", b"\x93NUMPY\x01\0", "cannot be read"),
        ("m.npy", np.array([1.5]), "holds float64, not the whole numbers"),
        ("m.npy", np.array(["a"]), "not the whole numbers"),
        ("m.npy", np.zeros((0, 3), dtype=int), "has no pixels"),
    ],
)
def test_what_is_no_mask_is_named_with_the_reason(tmp_path, name, content, says):
    if isinstance(content, bytes):
        (tmp_path / name).write_bytes(content)
    else:
        np.save(tmp_path / name, content)
    with pytest.raises(ValueError, match=says) as error:
        count(tmp_path / name)
    assert name in str(error.value)


def test_a_pickle_in_an_npy_is_never_opened(tmp_path):
    np.save(tmp_path / "m.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match="cannot be read"):
        count(tmp_path / "m.npy")


def test_a_cut_png_is_named_not_counted_in_part(tmp_path):
    Image.fromarray(np.random.default_rng(0).integers(0, 5, (64, 64)).astype(np.uint8)).save(tmp_path / "m.png")
    whole = (tmp_path / "m.png").read_bytes()
    for length in range(8, len(whole) - 20, 97):
        (tmp_path / "m.png").write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"m\.png"):
            count(tmp_path / "m.png")


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's own, about what it met before it gave up
@given(st.binary(max_size=300))
def test_any_bytes_are_counted_or_refused_in_words(tmp_path_factory, content):
    folder = tmp_path_factory.mktemp("fuzz")
    for head, name in ((b"\x89PNG\r\n\x1a\n", "m.png"), (b"II*\0", "m.tif"), (b"\x93NUMPY", "m.npy")):
        (folder / name).write_bytes(head + content)
        said = name
        try:
            count(folder / name)
        except ValueError as error:
            said = str(error)
        assert name in said


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"label": "y"}, "there is no table|this is not text|not a table|cannot be read"),
        ({"instances": "things"}, "instances must be 'objects' or a divisor"),
        ({"instances": 0}, "instances must be"),
        ({"instances": "1"}, "instances must be"),
        ({"split": "train"}, "split= .* is for VOC and YOLO"),
        ({"ignore": "void"}, "ignore= holds 'void', but masks hold whole numbers"),
        ({"on_error": "skip"}, "on_error must be 'raise' or 'report'"),
        ({"engine": "dask"}, "engine must be one of local, ray"),
    ],
)
def test_options_that_do_not_fit_are_refused(tmp_path, options, says):
    with pytest.raises(ValueError, match=says):
        count(masks(tmp_path / "m") / "a.png", **options)


def test_real_cells(shared_data):
    counts = count(shared_data / "segmentation" / "dsb2018_nuclei" / "labels", instances="objects")
    assert counts.items == 249
    assert counts.also["objects"].tolist() == [0, 7331]
    expected = total = 0
    for file in sorted((shared_data / "segmentation" / "dsb2018_nuclei" / "labels").iterdir())[:249:50]:
        mask = np.asarray(Image.open(file))
        expected, total = expected + int((mask > 0).sum()), total + mask.size
        one = count(file, instances="objects")
        assert one.per_class.tolist() == [int((mask == 0).sum()), int((mask > 0).sum())]
    assert counts.per_class.sum() > total > expected


def test_the_masks_are_what_the_examples_say():
    values, times = np.unique(np.concatenate([m.ravel() for m in CELLS.values()]), return_counts=True)
    assert dict(zip(map(str, values.tolist()), times.tolist(), strict=True)) == PIXELS
