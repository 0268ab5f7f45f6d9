"""Arrays as bytes: read back as they were, or refused."""

import json

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


def forged(header: object, body: bytes = bytes(8)) -> bytes:
    """With a checksum that fits."""
    text = json.dumps(header).encode() if not isinstance(header, bytes) else header
    payload = [len(text).to_bytes(4, "little"), text, body]
    return b"".join([stored.MAGIC, stored._digest(payload), *payload])


@pytest.mark.parametrize(
    "header",
    [
        b"{", b"\xff", b"[" * 5000, {}, [1], [["a", "<f8"]], [["a", "|O", [1]]], [["a", "<f8", [-1]]], [["a", "<f8", [2]]], [["a", "<f8", 3]],
        [["a", "<f8", [2**40, 2**40]]], [["a", "<M8[s]", [1]]], [[None, "<f8", [1]]], [["a", "<f8", [1.5]]],
    ],
)  # fmt: skip
def test_a_checksum_makes_no_header_good(header):
    assert stored.unpack(forged([["a", "<f8", [1]]]))["a"].tolist() == [0.0]
    with pytest.raises(stored.Damaged):
        stored.unpack(forged(header))
