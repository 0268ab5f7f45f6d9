"""Whole numbers are counted alike by the C++ core and by numpy, whatever their type, range and order in memory.

Files: core.py, data/arrays.py.
"""

from collections import Counter

import hypothesis.extra.numpy as arrays_of
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples_of import examples

from steelyard.core import load
from steelyard.data import tally
from steelyard.data.tally import count_codes, tally_integers

TYPES = [np.dtype(f"{kind}{size}") for kind in "iu" for size in (1, 2, 4, 8)]
CORES = ["numpy"] + ["native"] * (load() is not None)


@pytest.fixture(params=CORES)
def core(request, monkeypatch):
    if request.param == "numpy":
        monkeypatch.setattr(tally, "load", lambda: None)
    return request.param


def expected(x):
    values, times = np.unique(x, return_counts=True)
    return dict(zip(values.tolist(), times.tolist(), strict=True))


@pytest.mark.parametrize("dtype", TYPES, ids=str)
@settings(max_examples=examples(40))  # of each of eight types
@given(data=st.data())
def test_every_value_of_every_type_is_counted(core_of, dtype, data):
    x = data.draw(arrays_of.arrays(dtype, st.integers(1, 50)))
    for name in CORES:
        with core_of(name):
            assert tally_integers(x) == expected(x)
            assert tally_integers(x[::2]) == expected(x[::2])
            assert tally_integers(x.astype(dtype.newbyteorder())) == expected(x)


@pytest.fixture(scope="module")
def core_of():
    from contextlib import contextmanager

    @contextmanager
    def choose(name):
        before = tally.load
        tally.load = before if name == "native" else lambda: None
        try:
            yield
        finally:
            tally.load = before

    return choose


@pytest.mark.parametrize("dtype", TYPES, ids=str)
@pytest.mark.parametrize(("low", "high"), [(0, 1), (0, 100), (-100, 100), (-30_000, 30_000), (0, 2**40)])
def test_ranges_of_every_width(core, dtype, low, high):
    info = np.iinfo(dtype)
    low, high = max(low, info.min), min(high, info.max)
    x = np.random.default_rng(0).integers(low, high, 20_011, dtype=dtype, endpoint=True)
    assert tally_integers(x) == expected(x)


@pytest.mark.parametrize("dtype", TYPES, ids=str)
def test_few_many_and_large_numbers_by_every_instruction_set(dtype):
    kernels = load()
    if kernels is None:
        pytest.skip("the native core is not built")
    before, random = kernels.current(), np.random.default_rng(0)
    for size in (1, 8, 10, 16, 17, 32, 60, 100, 110, 128, 200, 4000):
        x = random.integers(0, min(size, np.iinfo(dtype).max + 1), 40_000).astype(dtype)
        x[20_000] = 0
        if size == 128:  # runs, as in masks
            x[5_000:25_000] = x[5_000:25_000:500].repeat(500)
        if size == 17:  # and what a mask leaves out
            x[::50] = min(255, np.iinfo(dtype).max)
        odd = x.copy()
        odd[30_000] = np.iinfo(dtype).min or np.iinfo(dtype).max
        for instructions in kernels.sets():
            kernels.choose(instructions)
            try:
                assert tally_integers(x) == expected(x)
                assert tally_integers(x[1:-1]) == expected(x[1:-1])
                assert tally_integers(odd) == expected(odd)
            finally:
                kernels.choose(before)


def test_threads_do_not_change_the_answer(core):
    x = np.random.default_rng(0).integers(0, 50, 1_000_019).astype(np.int16)
    assert tally_integers(x) == tally_integers(x, threads=5) == expected(x)


def test_a_number_outside_the_table_is_said(core):
    x = np.array([3, 4, 5, 3], dtype=np.int64)
    assert count_codes(x, 3, start=3).tolist() == [2, 1, 1]
    assert count_codes(x, 2, start=3) is None
    assert count_codes(x, 3, start=4) is None
    assert count_codes(x.astype(np.uint8), 3, start=4) is None
    assert count_codes(np.array([2**64 - 1], dtype=np.uint64), 10) is None


def test_one_class_for_all_is_counted_exactly_beyond_a_chunk(core):
    x = np.zeros((1 << 23) + 5, dtype=np.uint8)
    x[-1] = 255
    assert tally_integers(x, threads=2) == {0: (1 << 23) + 4, 255: 1}


def test_a_long_array_is_counted_exactly_by_every_instruction_set():
    """Bits are added up in place until they have to be put aside."""
    kernels = load()
    if kernels is None:
        pytest.skip("the native core is not built")
    before, random = kernels.current(), np.random.default_rng(0)
    x = random.permutation(np.repeat(np.array([0, 3, 9, 255], np.uint8), [2_500_000, 700_000, 40_001, 7]))
    for instructions in kernels.sets():
        kernels.choose(instructions)
        try:
            assert tally_integers(x) == {0: 2_500_000, 3: 700_000, 9: 40_001, 255: 7}
        finally:
            kernels.choose(before)


@pytest.mark.usefixtures("native_core")
@given(st.lists(st.one_of(st.sampled_from(["a", "b", "c"]), st.text(max_size=2))))
def test_objects_are_counted_by_where_they_lie(items):
    found = load().tally_objects(items, 10)
    distinct = {id(v) for v in items}
    if len(distinct) > 10:
        assert found is None
    else:
        assert {id(v): n for v, n in found} == {key: sum(id(v) == key for v in items) for key in distinct}
        assert [id(v) for v, _ in found] == list(dict.fromkeys(map(id, items)))


@given(st.lists(st.sampled_from(["a", "b", None, "long " * 3]), min_size=1), st.booleans())
def test_equal_texts_are_one_label_however_many_objects_they_are(words, copied):
    from steelyard.data.arrays import tally_labels

    items = [w if w is None or not copied else "".join(list(w)) for w in words]
    found, indices = tally_labels(items)
    assert Counter(found) == Counter(words)
    assert list(found) == list(dict.fromkeys(words))
    assert not indices


def test_more_objects_than_are_told_apart_still_count():
    from steelyard.data.arrays import OBJECTS, tally_labels

    items = [str(i % 5000) for i in range(3 * OBJECTS)]
    assert tally_labels(items)[0] == Counter(items)
