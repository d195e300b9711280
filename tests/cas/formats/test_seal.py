import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cas.errors import UnknownFormat
from cas.formats.seal import (
    MOST_BYTES,
    NAMED_SEAL_BYTES,
    SEAL_BYTES,
    Seal,
    encode_named_seal,
    encode_seal,
    find_named_seal,
    find_seal,
)
from tests.cas.formats.test_frame import SEAL, flips

seals = st.builds(
    Seal,
    st.binary(min_size=32, max_size=32),
    st.integers(0, 2**64 - 1),
    st.integers(0, 2**64 - 1),
    st.integers(0, 2**32 - 1),
)
short_seals = st.builds(Seal, st.binary(min_size=32, max_size=32), *[st.integers(0, MOST_BYTES)] * 3)


@given(short_seals, st.binary(max_size=5))
def test_a_seal_is_found_again(seal, before):
    assert find_seal(before + encode_seal(seal) + b"rest", len(before), seal.digest) == seal
    assert len(encode_seal(seal)) == SEAL_BYTES


@given(seals, st.binary(max_size=5))
def test_a_named_seal_is_found_again(seal, before):
    assert find_named_seal(before + encode_named_seal(seal) + b"rest", len(before)) == seal
    assert len(encode_named_seal(seal)) == NAMED_SEAL_BYTES


def test_a_seal_is_written_so():
    assert encode_seal(Seal(bytes(32), 258, 22, 0x01020304)).hex(" ", 4) == (
        "5d2a4d18 10000000 02010000 16000000 04030201 6cae1f36"
    )


def test_a_named_seal_is_written_so():
    seal = Seal(bytes(range(32)), 258, 22, 0x01020304)
    assert encode_named_seal(seal).hex(" ", 4) == (
        "5c2a4d18 40000000 6163634f 00000000"
        " 00010203 04050607 08090a0b 0c0d0e0f 10111213 14151617 18191a1b 1c1d1e1f"
        " 02010000 00000000 16000000 00000000 04030201 9a13e5b1"
    )


def find(data):
    return find_seal(data, 0, SEAL.digest)


@pytest.mark.parametrize(("encode", "find"), [(encode_seal, find), (encode_named_seal, find_named_seal)])
class TestBothKinds:
    def test_a_damaged_seal_is_none(self, encode, find):
        assert not any(map(find, flips(encode(SEAL))))

    def test_a_truncated_seal_is_none(self, encode, find):
        data = encode(SEAL)
        assert not any(find(data[:end]) for end in range(len(data)))


def test_neither_kind_is_taken_for_the_other():
    assert find_named_seal(encode_seal(SEAL) + bytes(80)) is None
    assert find(encode_named_seal(SEAL)) is None


def test_another_form_is_refused():
    from zlib import crc32

    data = bytearray(encode_named_seal(SEAL))
    data[12] = 1
    data[-4:] = struct.pack("<I", crc32(data[:-4]))
    with pytest.raises(UnknownFormat, match="stored in a form"):
        find_named_seal(bytes(data))
