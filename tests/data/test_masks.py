"""Masks: pixels, images and objects of each class, whatever the file format. Files: data/image.py."""

from pathlib import Path

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
    counts = count(masks(tmp_path / kind, kind), classes=[0, 1, 2, 255])
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
    _, notes = count_path(folder, ignore=255)
    assert "not masks, so not counted: 1 file (.jpg), 1 file (.txt)" in notes
    with pytest.raises(ValueError, match="JPEG changes the numbers"):
        count(folder / "x.jpg")


def test_a_list_of_paths_is_counted_as_it_stands(tmp_path):
    folder = masks(tmp_path / "m")
    chosen = count([folder / "a.png", folder / "c.png"], ignore=255)
    assert as_dict(chosen) == {"0": 4, "1": 5, "2": 4}
    assert chosen.source.endswith("a.png and 1 more")
    assert count([folder / "a.png"], ignore=255) == count(folder / "a.png", ignore=255)


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


# what a number means


@pytest.mark.parametrize(
    ("values", "void"),
    [([0, 1, 2, 255], 255), ([1, 255], 255), ([0, 1, 65535], 65535), ([0, 1, -1], -1), ([0, -100], -100)],
)
def test_a_number_apart_from_the_others_is_asked_about(tmp_path, values, void):
    np.save(tmp_path / "m.npy", np.array([values]))
    with pytest.raises(ValueError, match=rf"hold {void} beside .* ignore={void} .* classes="):
        count(tmp_path / "m.npy")
    assert void not in as_dict(count(tmp_path / "m.npy", ignore=void))
    assert as_dict(count(tmp_path / "m.npy", classes=values)) == {str(v): 1 for v in values}


@pytest.mark.parametrize("values", [list(range(256)), [0, 1, 2], [0, 3, 100, 240, 255]])
def test_numbers_that_go_on_to_255_are_not_asked_about(tmp_path, values):
    np.save(tmp_path / "m.npy", np.array([values]))
    assert count(tmp_path / "m.npy", classes=values if len(values) > 64 else None).per_class.sum() == len(values)


def test_0_and_255_are_one_class_of_objects(tmp_path):
    Image.fromarray(np.array([[0, 255, 255, 0, 0]], dtype=np.uint8)).save(tmp_path / "a.png")
    Image.fromarray(np.zeros((1, 5), dtype=np.uint8)).save(tmp_path / "b.png")
    counts, notes = count_path(tmp_path)
    assert as_dict(counts) == {"0": 8, "255": 2}
    assert any("is index 1 of these weights: train on (mask > 127)" in note for note in notes)
    counts, notes = count_path(tmp_path, classes=["tissue", "nucleus"])
    assert as_dict(counts) == {"tissue": 8, "nucleus": 2}
    assert any("index 1" in note for note in notes)
    flipped, notes = count_path(tmp_path, classes={255: "nucleus", 0: "tissue"})
    assert any(f"index {flipped.classes.index('nucleus')}" in note for note in notes)
    for names in (["nucleus"], ["a", "b", "c"]):
        with pytest.raises(ValueError, match="one class of objects") as error:
            count(tmp_path, classes=names)
        assert "ignore" not in str(error.value)


def test_jpeg_noise_around_black_and_white_is_known(tmp_path):
    import io

    rng = np.random.default_rng(0)
    for i in range(3):
        mask = np.zeros((64, 64), np.uint8)
        x, y = rng.integers(5, 30, 2)
        mask[x : x + 25, y : y + 20] = 255
        file = io.BytesIO()
        Image.fromarray(mask).save(file, "JPEG", quality=90)
        Image.open(file).save(tmp_path / f"{i}.png")
    with pytest.raises(ValueError, match=r"gather around 0 and 255 .*one class drawn in black and white.*mask > 127"):
        count(tmp_path)


def test_smooth_edges_of_black_and_white_are_known(tmp_path):
    mask = np.zeros((64, 64), np.uint8)
    mask[10:40, 20:50] = 255
    Image.fromarray(mask).resize((97, 97), Image.Resampling.BICUBIC).save(tmp_path / "m.png")
    with pytest.raises(ValueError, match="gather around 0 and 255"):
        count(tmp_path)


def test_two_grey_ends_without_a_middle_are_noise(tmp_path):
    for values in ([0, 254, 255], [0, 3, 250, 255], [1, 240, 255]):
        np.save(tmp_path / "m.npy", np.array([values]))
        with pytest.raises(ValueError, match="gather around 0 and 255"):
            count(tmp_path)
        assert as_dict(count(tmp_path, classes=values)) == {str(v): 1 for v in values}


def test_many_classes_with_large_numbers_are_no_noise(tmp_path):
    """FreeSurfer's labels: mostly background, small numbers, and 251 to 255 for the corpus callosum."""
    mask = np.zeros((200, 200), np.int32)
    mask[:30] = np.tile(np.array([2, 3, 4, 10, 11, 41, 42, 77, 85, 100]), 20)
    mask[40, :10] = [251, 251, 252, 252, 253, 253, 254, 254, 255, 255]
    np.save(tmp_path / "m.npy", mask)
    assert len(count(tmp_path)) == 16


def test_jpeg_under_another_name_is_refused(tmp_path):
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / "m.jpg")
    (tmp_path / "m.jpg").rename(tmp_path / "m.png")
    with pytest.raises(ValueError, match=r"m\.png: this is JPEG"):
        count(tmp_path)


def test_grey_in_three_channels_is_a_number(tmp_path):
    for i, mask in enumerate(CELLS.values()):
        Image.fromarray(np.stack([mask.astype(np.uint8)] * 3, -1)).save(tmp_path / f"{i}.png")
    counts = count(tmp_path, ignore=255)
    assert counts.per_class.tolist() == [11, 5, 4]
    assert counts.classes == ("0", "1", "2")
    assert counts.also["images"].tolist() == [3, 2, 2]
    assert as_dict(count(tmp_path, classes=["a", "b", "c"], ignore="255")) == {"a": 11, "b": 5, "c": 4}
    assert as_dict(count(tmp_path, classes={0: "a", 1: "b", 2: "b"}, ignore="#ffffff")) == {"a": 11, "b": 9}
    assert read_mask(tmp_path / "0.png").tolist() == CELLS["a"].tolist()
    with pytest.raises(ValueError, match="hold 255 beside 0, 1, 2"):
        count(tmp_path)


def test_black_alone_in_one_of_many_colour_masks_is_a_colour(tmp_path):
    colours = np.zeros((2, 3, 3), dtype=np.uint8)
    Image.fromarray(colours).save(tmp_path / "a.png")
    colours[0, :2] = (128, 64, 128)
    colours[1, 0] = (9, 9, 9)
    Image.fromarray(colours).save(tmp_path / "b.png")
    assert as_dict(count(tmp_path)) == {"#000000": 9, "#090909": 1, "#804080": 2}
    assert as_dict(count(tmp_path, ignore="#000000")) == {"#090909": 1, "#804080": 2}
    assert as_dict(count(tmp_path / "a.png", classes={"#000000": "void"})) == {"void": 6}


# what is no mask


ONE_HOT = np.eye(3, dtype=np.uint8)[np.array([[0, 1, 2, 0, 0, 1], [2, 2, 0, 0, 1, 1]] * 3)]


@pytest.mark.parametrize(
    ("array", "says"),
    [
        (ONE_HOT, r"is one-hot: axis 2 .*argmax\(2\)"),
        (np.moveaxis(ONE_HOT, -1, 0).astype(float), r"is one-hot: axis 0 .*argmax\(0\)"),
        (np.moveaxis(ONE_HOT, -1, 0)[None].astype(bool), r"is one-hot: axis 1 .*argmax\(1\)"),
        (np.array([[0.0, 255.0], [255.0, 0.0]]), "the scale of pictures"),
        (np.random.default_rng(0).integers(0, 4, (8, 8, 3)), r"3 numbers for each pixel.*np\.moveaxis"),
        (np.repeat(np.arange(64).reshape(8, 8, 1) % 4, 3, axis=2), r"the same numbers 3 times.*array\[\.\.\., 0\]"),
        (np.array([[2**63, 1]], dtype=np.uint64), "too large"),
    ],
)
def test_arrays_that_are_no_labels_are_refused(tmp_path, array, says):
    np.save(tmp_path / "m.npy", array)
    with pytest.raises(ValueError, match=says) as error:
        count(tmp_path / "m.npy")
    assert "m.npy" in str(error.value)


def test_volumes_of_any_order_and_one_pixel_wide_are_labels(tmp_path):
    volume = np.zeros((3, 8, 8), np.uint8)
    volume[1, 2:4, 2:4] = 1
    for array in (volume, np.asfortranarray(volume), volume.astype(">i4"), volume.astype(np.float32), volume > 0):
        np.save(tmp_path / "m.npy", array)
        assert as_dict(count(tmp_path / "m.npy")) == {"0": 188, "1": 4}


def test_nan_pixels_are_asked_about(tmp_path):
    np.save(tmp_path / "m.npy", np.array([[0, 1, np.nan, 1]]))
    Image.fromarray(np.array([[0, 1, np.nan]], dtype=np.float32)).save(tmp_path / "m.tif")
    for name, expected in (("m.npy", {"0": 1, "1": 2}), ("m.tif", {"0": 1, "1": 1})):
        with pytest.raises(ValueError, match=r"1 pixels are NaN; .*--ignore nan"):
            count(tmp_path / name)
        for nan in (float("nan"), "nan", [np.nan, 7]):
            assert as_dict(count(tmp_path / name, ignore=nan)) == expected
        with pytest.raises(ValueError, match="NaN"):
            read_mask(tmp_path / name)


@pytest.mark.parametrize("kind", ["png", "npy", "tif"])
def test_stripes_give_what_the_whole_gives(tmp_path, monkeypatch, kind):
    from steelyard.data import image

    mask = np.random.default_rng(0).integers(0, 5, (53, 47)).astype(np.uint8)
    np.save(tmp_path / "m.npy", mask) if kind == "npy" else Image.fromarray(mask).save(tmp_path / f"m.{kind}")
    whole = count(tmp_path)
    monkeypatch.setattr(image, "PIECE", 100)
    assert count(tmp_path) == whole
    assert whole.per_class.tolist() == np.bincount(mask.ravel()).tolist()


def test_a_slide_of_14000_pixels_a_side_is_read_in_stripes(tmp_path):
    import tracemalloc

    side = 14_000
    image = Image.new("L", (side, side))
    image.paste(1, (0, 0, 1000, 1000))
    image.save(tmp_path / "m.png", compress_level=1)
    del image
    tracemalloc.start()
    counts = count(tmp_path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert as_dict(counts) == {"0": side * side - 10**6, "1": 10**6}
    assert peak < 64e6  # Pillow's own copy, a byte for each pixel, is not Python's


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


def test_masks_with_an_underscore_are_masks(tmp_path):
    folder = masks(tmp_path / "m")
    (folder / "a.png").rename(folder / "_DSC0001.png")
    assert count(folder, ignore=255).items == 3


# masks as exports lay them out


def cvat_segmentation(folder: Path) -> Path:
    (folder / "SegmentationClass").mkdir(parents=True)
    (folder / "SegmentationObject").mkdir()
    (folder / "ImageSets" / "Segmentation").mkdir(parents=True)
    (folder / "ImageSets" / "Segmentation" / "default.txt").write_text("1\n2\n")
    (folder / "labelmap.txt").write_text(
        "# label:color_rgb:parts:actions\nbackground:0,0,0::\ncat:128,0,0::\nbig dog:0,128,0::\nyak:0,0,128::\n"
    )
    classes = np.zeros((4, 5, 3), np.uint8)
    Image.fromarray(classes).save(folder / "SegmentationClass" / "2.png")
    Image.fromarray(classes).save(folder / "SegmentationObject" / "2.png")
    classes[0, :3], classes[1, :2] = (128, 0, 0), (0, 128, 0)
    Image.fromarray(classes).save(folder / "SegmentationClass" / "1.png")
    Image.fromarray(classes[::-1] // 2).save(folder / "SegmentationObject" / "1.png")
    return folder


def test_cvat_segmentation_counts_the_classes_once_by_their_names(tmp_path):
    counts, notes = count_path(cvat_segmentation(tmp_path / "cvat"))
    assert as_dict(counts) == {"background": 35, "cat": 3, "big dog": 2, "yak": 0}
    assert counts.items == 2
    assert any("SegmentationObject" in note for note in notes)
    for where in ("cvat/SegmentationClass", "."):
        assert as_dict(count(tmp_path / where)) == as_dict(counts)
    assert as_dict(count(tmp_path / "cvat", ignore="#000000", classes={"#800000": "c", "#008000": "d"})) == {
        "c": 3,
        "d": 2,
    }


def test_cvat_segmentation_with_numbers(tmp_path):
    folder = cvat_segmentation(tmp_path / "cvat")
    for name in ("1", "2"):
        Image.fromarray(np.array([[0, 1, 2, 1]], np.uint8)).save(folder / "SegmentationClass" / f"{name}.png")
    assert as_dict(count(folder)) == {"background": 2, "cat": 4, "big dog": 2, "yak": 0}


def test_the_same_pixels_in_several_forms_are_not_added_up(tmp_path):
    for form in ("labelIds", "instanceIds"):
        np.save(tmp_path / f"a_gtFine_{form}.npy", np.array([[0, 7]]))
    with pytest.raises(ValueError, match=r"\*_labelIds\.png, \*_instanceIds\.png; give one of them as a glob"):
        count(tmp_path)


def test_an_npz_says_what_to_save(tmp_path):
    np.savez(tmp_path / "a.npz", labels=np.array([0, 1]))
    for where in (tmp_path, tmp_path / "a.npz"):
        with pytest.raises(ValueError, match=r"NPZ holds several arrays; save the one with the labels"):
            count(where)
    (tmp_path / "a.npz").rename(tmp_path / "a.npy")
    with pytest.raises(ValueError, match="archive"):
        count(tmp_path / "a.npy")
