"""Arrays as bytes: read back as they were, or refused."""

import hypothesis
import hypothesis.extra.numpy as arrays_of
import hypothesis.strategies as st
import numpy as np
import pytest

from steelyard.tuning.store import arrays as stored

DTYPES = st.one_of(
    arrays_of.boolean_dtypes(),
    arrays_of.integer_dtypes(endianness="?"),
    arrays_of.unsigned_integer_dtypes(endianness="?"),
    arrays_of.floating_dtypes(endianness="?"),
)
ARRAYS = st.dictionaries(
    st.text(max_size=8),
    arrays_of.arrays(DTYPES, arrays_of.array_shapes(min_dims=0, min_side=0, max_side=4)),
    max_size=3,
)


@hypothesis.given(ARRAYS)
def test_unpack_undoes_pack(arrays):
    back = stored.unpack(stored.pack(arrays))
    assert list(back) == list(arrays)
    for name, values in arrays.items():
        native = values.astype(values.dtype.newbyteorder("="))
        assert back[name].tobytes() == native.tobytes()
        assert back[name].shape == values.shape
        assert back[name].flags.writeable


@hypothesis.given(ARRAYS, st.data())
def test_no_changed_or_shortened_bytes_are_unpacked(arrays, data):
    packed = stored.pack(arrays)
    at = data.draw(st.integers(0, len(packed) - 1))
    changed = bytearray(packed)
    changed[at] ^= data.draw(st.integers(1, 255))
    for broken in (bytes(changed), packed[:at], packed + b"\0"):
        with pytest.raises(stored.Damaged):
            stored.unpack(broken)


def test_what_would_need_pickle_is_refused():
    with pytest.raises(ValueError, match="'names' holds object; only booleans and numbers"):
        stored.pack({"names": np.array([{}, "a"], dtype=object)})
