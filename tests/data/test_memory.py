"""Labels in memory, against collections.Counter, numpy.unique and pandas.value_counts.

Files: data/arrays.py, data/labels.py.
"""

from collections import Counter

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from steelyard import Counts, ReadingWarning
from steelyard.data import count

NAN = float("nan")
INTEGERS = [np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.int64, np.uint64]


def as_dict(counts: Counts) -> dict[str, int]:
    return dict(zip(counts.classes, counts.per_class.tolist(), strict=True))


@given(st.lists(st.integers(0, 30), min_size=1), st.sampled_from(INTEGERS))
def test_integers_are_logit_indices_and_gaps_count_0(labels, dtype):
    counts = count(np.array(labels, dtype=dtype))
    assert counts.classes == tuple(str(i) for i in range(max(labels) + 1))
    assert {k: n for k, n in as_dict(counts).items() if n} == {str(k): n for k, n in Counter(labels).items()}
    assert counts.items == len(labels)


@pytest.mark.filterwarnings("ignore::steelyard.ReadingWarning")  # some of them look alike
@given(st.lists(st.text(max_size=3), min_size=1))
def test_text_gives_the_distinct_values_ascending(labels):
    counts = count(labels)
    assert list(counts.classes) == sorted(set(labels))
    assert as_dict(counts) == Counter(labels)


@given(st.lists(st.integers(0, 5), min_size=1))
def test_every_container_gives_the_same_counts(labels):
    expected = count(labels)
    for container in (tuple, np.array, torch.tensor, pd.Series, pa.array, lambda v: pa.chunked_array([v[:1], v[1:]])):
        assert count(container(labels)) == expected
    assert count([np.int32(v) for v in labels]) == expected
    assert count([torch.tensor(v) for v in labels]) == expected
    assert count(np.array(labels, dtype=np.float32)) == expected
    assert count(torch.tensor(labels, dtype=torch.bfloat16)) == expected
    assert count(np.array(labels, dtype=object)) == expected


def test_chunks_meet_without_losing_a_label():
    labels = np.random.default_rng(0).integers(0, 256, 200_001)
    for dtype in (np.uint8, np.int16, np.int64):
        assert count(labels.astype(dtype)).per_class.tolist() == np.bincount(labels, minlength=256).tolist()
    assert count(labels[::2]).per_class.tolist() == np.bincount(labels[::2], minlength=256).tolist()


def test_a_wide_range_of_integers_counts_by_value():
    ids = np.array([5, 10**12, 5, -(10**12)])
    assert as_dict(count(ids, classes=[5, 10**12, -(10**12)])) == {"5": 2, str(10**12): 1, str(-(10**12)): 1}


@pytest.mark.parametrize("dtype", ["object", "str", "category"])
def test_pandas_text_agrees_with_value_counts(dtype):
    series = pd.Series(["ill", "well", "well", "unknown"] * 7, dtype=dtype)
    assert as_dict(count(series)) == series.astype(object).value_counts().to_dict()


def test_booleans_are_named_false_and_true():
    for data in ([True, False, True], np.array([True, False, True]), pd.Series([True, False, True])):
        assert as_dict(count(data)) == {"False": 1, "True": 2}


def test_classes_fix_names_order_and_length():
    assert as_dict(count(["b", "a", "b"], classes=["b", "c", "a"])) == {"b": 2, "c": 0, "a": 1}
    assert as_dict(count([0, 1, 1], classes=["well", "ill", "dead"])) == {"well": 1, "ill": 2, "dead": 0}


def test_whole_numbers_as_classes_are_matched_by_value():
    assert as_dict(count([1, 2, 2], classes=[2, 1])) == {"2": 2, "1": 1}
    assert as_dict(count(np.array([-1, 1, 1]), classes=[-1, 1])) == {"-1": 1, "1": 2}


def test_ignored_values_do_not_count_and_do_not_lengthen():
    assert as_dict(count(np.array([0, 1, 255], dtype=np.uint8), ignore=255)) == {"0": 1, "1": 1}
    assert as_dict(count([0, -100, 2, -1], ignore=[-100, -1])) == {"0": 1, "1": 0, "2": 1}
    assert as_dict(count(["a", "void"], ignore="void")) == {"a": 1}


@pytest.mark.parametrize(
    "data", [[0, None, 1], [0.0, NAN, 1.0], np.array([0, NAN, 1]), pd.Series([0, None, 1], dtype="Int64")]
)
def test_a_missing_label_is_an_error_unless_nan_is_ignored(data):
    with pytest.raises(ValueError, match=r"1 label is missing.*ignore=float\('nan'\)"):
        count(data)
    assert as_dict(count(data, ignore=NAN)) == {"0": 1, "1": 1}


@pytest.mark.parametrize("data", [["a", None], pd.Series(["a", None]), pd.Series(["a", NAN], dtype=object)])
def test_missing_text_is_an_error_too(data):
    with pytest.raises(ValueError, match="1 label is missing"):
        count(data)
    assert as_dict(count(data, ignore=NAN)) == {"a": 1}


@pytest.mark.parametrize("make", [np.array, torch.tensor, lambda v: v])
def test_two_dimensions_of_0_and_1_are_multilabel(make):
    counts = count(make([[1, 0, 1], [0, 0, 1]]))
    assert counts.kind == "multilabel"
    assert counts.items == 2
    assert counts.per_class.tolist() == [1, 0, 2]


def test_kind_exclusive_counts_every_element():
    mask = np.array([[0, 1], [1, 1]])
    counts = count(mask, kind="exclusive")
    assert (counts.kind, counts.unit, counts.per_class.tolist()) == ("exclusive", "elements", [1, 3])


@pytest.mark.parametrize("dtype", ["float32", "int8", "bool"])
def test_counting_together_is_adding(dtype):
    a, b = np.array([0, 1, 1], dtype=dtype), np.array([0, 0, 1], dtype=dtype)
    assert count(np.concatenate([a, b])).per_class.tolist() == (count(a) + count(b)).per_class.tolist()


@pytest.mark.parametrize(
    ("data", "options", "says"),
    [
        ([-100, 0, 1], {}, "pass ignore=-100"),
        ([-1, 1], {}, r"classes=\[-1, 1\]"),
        ([0.5, 1.0], {}, "look continuous: 0.5"),
        (np.array([np.inf, 1.0]), {}, "look continuous"),
        ([0, 3], {"classes": ["a", "b"]}, "label 3 .*names 2 logits"),
        (["a", "weel"], {"classes": ["a", "well"]}, "'weel'.*Did you mean 'well'"),
        ([1, "a"], {}, "mixed kinds"),
        ([], {}, "nothing|no label"),
        (np.array(3), {}, "one value"),
        (3, {}, "cannot count int"),
        (None, {}, "cannot count NoneType"),
        ({"a": 3}, {}, r"Counts\("),
        ([[0, 1], [1]], {}, "different lengths"),
        ([{"a": 1}], {}, "dict"),
        ([object()], {}, "not labels"),
        (np.array([[0.2, 0.8]]), {}, "multi-label.*0.2"),
        (np.zeros((2, 2, 2, 2), int), {}, "kind='exclusive'"),
        (np.array([10**12]), {}, "classes="),
        ([0, 1], {"label": "y"}, "label= names a column"),
        ([0, 1], {"kind": "binary"}, "exclusive"),
        (np.array([1 + 2j]), {}, "complex"),
        (np.array([[0, 1]]), {"ignore": 1}, "ignore="),
        (np.ma.masked_equal([0, 1], 1), {}, "compressed"),
        (iter([0, 1]), {}, "list"),
    ],
)
def test_what_cannot_be_counted_is_a_named_error(data, options, says):
    with pytest.raises(ValueError, match=says):
        count(data, **options)


def test_counting_never_writes_into_its_argument():
    labels = np.array([3, 1, 255, 0], dtype=np.uint8)
    before = labels.copy()
    labels.setflags(write=False)
    count(labels, ignore=255)
    assert np.array_equal(labels, before)


def loader(batch_size=4):
    inputs, targets = torch.zeros(10, 2), torch.arange(10) % 3
    return torch.utils.data.DataLoader(torch.utils.data.TensorDataset(inputs, targets), batch_size=batch_size)


def test_a_dataloader_counts_as_its_labels_do():
    assert count(loader(), key=1) == count(torch.arange(10) % 3)


def test_batches_may_be_dictionaries_and_text():
    batches = [{"y": ["b", "a"]}, {"y": ["b"]}]
    assert as_dict(count(batches, key="y")) == {"a": 1, "b": 2}


def test_batches_may_be_multilabel():
    batches = [(0, np.array([[1, 0], [1, 1]])), (0, np.array([[0, 0]]))]
    counts = count(batches, key=1)
    assert (counts.kind, counts.items, counts.per_class.tolist()) == ("multilabel", 3, [2, 1])


@pytest.mark.parametrize(("key", "says"), [(None, "say with key="), (2, r"has no \[2\]"), ("y", "has no")])
def test_a_batch_without_the_key_is_a_named_error(key, says):
    with pytest.raises(ValueError, match=says):
        count(loader(), key=key)


# masks in memory know their images, as masks in files do

THREE = np.array([[[0, 0, 1], [0, 2, 255]], [[0, 0, 0], [0, 0, 255]], [[1, 1, 2], [2, 2, 0]]])


def test_median_frequency_is_the_same_by_every_way(tmp_path):
    import torch
    from torch.utils.data import DataLoader, TensorDataset

    from steelyard import median_frequency

    for i, mask in enumerate(THREE):
        np.save(tmp_path / f"{i}.npy", mask)
    from_files = count(tmp_path, ignore=255)
    masks = torch.from_numpy(THREE)
    loader = DataLoader(TensorDataset(torch.zeros(3, 1), masks), batch_size=2)
    ways = [
        count(THREE, kind="exclusive", ignore=255),
        count(masks, kind="exclusive", ignore=255),
        count(masks[:, None].to(torch.uint8), kind="exclusive", ignore=255),
        count(list(THREE), kind="exclusive", ignore=255),
        count(loader, key=1, kind="exclusive", ignore=255),
    ]
    for way in ways:
        assert way.per_class.tolist() == from_files.per_class.tolist() == [9, 3, 4]
        assert way.containing.tolist() == from_files.containing.tolist() == [16, 11, 11]
        assert way.also["images"].tolist() == from_files.also["images"].tolist()
        assert (way.unit, way.items) == ("pixels", 3)
        assert median_frequency(way).label_weights().tolist() == median_frequency(from_files).label_weights().tolist()


def test_masks_of_different_sizes_are_images_of_one_list():
    counts = count([THREE[0], np.array([[0, 1]])], kind="exclusive", ignore=255, classes=["a", "b", "c", "d"])
    assert as_dict(counts) == {"a": 4, "b": 2, "c": 1, "d": 0}
    assert (counts.items, counts.also["images"].tolist(), counts.containing.tolist()) == (2, [2, 2, 1, 0], [7, 7, 5, 0])


@pytest.mark.parametrize(
    ("masks", "says"),
    [
        (THREE, r"hold 255 beside 0, 1, 2 .*ignore=255"),
        (np.where(THREE == 255, -1, THREE), r"hold -1 beside 0, 1, 2"),
        (np.where(THREE > 0, 255, 0), "one class of objects, whose index is 1"),
        (np.eye(3)[np.where(THREE == 255, 0, THREE)], r"one-hot: axis 3"),
        (np.moveaxis(np.eye(3, dtype=int)[np.where(THREE == 255, 0, THREE)], -1, 1), r"one-hot: axis 1"),
        (np.where(THREE > 0, 255.0, 0.0), "the scale of pictures"),
        (np.random.default_rng(0).integers(0, 9, (2, 8, 8, 3)), "3 numbers for each pixel on axis 3"),
        (np.random.default_rng(0).integers(0, 9, (2, 3, 8, 8)), "3 numbers for each pixel on axis 1"),
        (np.random.default_rng(0).integers(0, 9, (8, 8, 3)), "3 numbers for each pixel, as a picture"),
    ],
)
def test_what_is_no_mask_is_refused_in_memory_too(masks, says):
    with pytest.raises(ValueError, match=says):
        count(masks, kind="exclusive")
    with pytest.raises(ValueError, match=says):
        count([(0, masks)], key=1, kind="exclusive")


def test_numbers_that_stand_apart_may_be_classes():
    values, times = np.unique(THREE, return_counts=True)
    counts = count(THREE, kind="exclusive", classes=[0, 1, 2, 255])
    assert as_dict(counts) == dict(zip(map(str, values.tolist()), times.tolist(), strict=True))
    assert counts.also["images"].tolist() == [3, 2, 2, 2]


@pytest.mark.parametrize(
    ("mask", "says"),
    [
        ([[0, 1, 255]], "hold 255 beside 0, 1"),
        ([[0, 255], [0, 0]], "index is 1"),
        ([[0.0, 255.0]], "index is 1|scale of pictures"),
    ],
)
def test_one_mask_of_two_axes_is_asked_too(mask, says):
    with pytest.raises(ValueError, match=says):
        count(np.array(mask), kind="exclusive")
    assert count(np.array(mask), kind="exclusive", ignore=255).per_class[0] >= 1


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ([0, 1, 2, 3], r"If it marks what does not count pass ignore=3; if it is a class, add its name to classes="),
        ([0, 1, 2, 255], r"pass ignore=255; if it is a class"),
        (
            [1, 2, 3],
            r"No label is 0, so they may start at 1: subtract 1 .*classes=\{1: 'a', ...\}.* pass ignore=3; if it is a class",
        ),
    ],
)
def test_a_label_too_high_is_told_all_that_it_may_mean(data, says):
    with pytest.raises(ValueError, match=says):
        count(data, classes=["a", "b", "c"])


def test_the_ways_out_of_labels_that_start_at_one_work():
    expected = {"a": 1, "b": 1, "c": 2}
    assert as_dict(count([1, 2, 3, 3], classes={1: "a", 2: "b", 3: "c"})) == expected
    assert as_dict(count(np.array([1, 2, 3, 3]) - 1, classes=["a", "b", "c"])) == expected


def test_masks_are_exclusive_without_being_told():
    """[N, H, W] of labels was asked for its kind, and nothing multi-label has that shape."""
    masks = np.random.default_rng(0).integers(0, 3, (4, 6, 5))
    expected = count(masks, kind="exclusive")
    for data in (masks, masks[:, None], torch.from_numpy(masks), list(masks), masks.astype(np.uint8)):
        counts = count(data)
        assert counts == expected
        assert counts.kind == "exclusive"
    both = count((masks > 0).astype(int))
    assert both.per_class.tolist() == [int((masks == 0).sum()), int((masks > 0).sum())]
    batches = torch.utils.data.DataLoader(torch.from_numpy(masks), batch_size=3)
    assert count(iter([(0, batch) for batch in batches]), key=1) == expected
    with pytest.raises(ValueError, match="kind='exclusive'"):  # [N, H, W, C] may be one-hot
        count(np.eye(3, dtype=int)[masks])


@pytest.mark.parametrize(
    "data",
    [
        np.repeat(np.uint8([[[0, 128], [0, 0]]]), 2, axis=0),  # greys of a mask that was saved as a picture
        np.array([7, 4021, 7, 9]),  # ids of a catalogue
        torch.tensor([0, 500]),
    ],
    ids=["greys", "ids", "tensor"],
)
def test_labels_far_apart_are_doubted(data):
    with pytest.warns(ReadingWarning, match=r"only .* occur, and a loss needs a logit for each of .*classes=\["):
        count(data)
    named = count(data, classes=sorted(set(np.asarray(data).ravel().tolist())))  # no warning, which would be an error
    assert named.per_class.min() > 0


@pytest.mark.parametrize(
    "labels",
    [[0, 1, 5], list(range(0, 33, 3)), [3] * 4, list(range(100)), [0, 19]],
    ids=["few", "gaps", "one", "all", "near"],
)
def test_labels_of_a_sample_are_not(labels):
    count(np.array(labels))  # any warning is an error
