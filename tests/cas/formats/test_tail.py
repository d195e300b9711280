import os

import pytest

from cas.formats.frame import encode_table
from cas.formats.seal import Seal
from cas.formats.tail import encode_tail, find_tail
from tests.cas.formats.test_frame import SEAL, TABLE, flips, table_seal

SMALL = Seal(SEAL.digest, 100, 50, 7)


def found(path, data, digest=SEAL.digest):
    path.write_bytes(data)
    fd = os.open(path, os.O_RDONLY)
    try:
        return find_tail(fd, len(data), digest)
    finally:
        os.close(fd)


def file_of(table, *, named):
    """Return a stored form of the right length, and its tail behind it."""
    if table is None:
        return SMALL, bytes(50) + encode_tail(SMALL, None, named=named)
    seal = table_seal(table)
    return seal, bytes(seal.stored_bytes) + encode_tail(seal, table, named=named)


@pytest.mark.parametrize("named", [False, True], ids=["short", "named"])
@pytest.mark.parametrize("table", [None, TABLE], ids=["one frame", "many"])
class TestEveryTail:
    def test_it_is_found_from_the_end(self, tmp_path, table, named):
        seal, data = file_of(table, named=named)
        tail = found(tmp_path / "f", data)
        assert (tail.seal, tail.start, tail.named) == (seal, seal.stored_bytes, named)

    def test_a_stored_form_of_another_length_has_none(self, tmp_path, table, named):
        _, data = file_of(table, named=named)
        assert found(tmp_path / "f", b"x" + data) is None
        assert found(tmp_path / "f", data[1:]) is None

    def test_what_is_cut_short_has_none(self, tmp_path, table, named):
        seal, data = file_of(table, named=named)
        whole = seal.stored_bytes + (72 if named else 24)
        for end in range(len(data) - 100, len(data)):
            # without its seek table an object is still read, and fsck misses that
            assert (found(tmp_path / "f", data[:end]) is None) == (end != whole)


def test_a_named_seal_of_another_object_is_not_taken(tmp_path):
    _, data = file_of(None, named=True)
    assert found(tmp_path / "f", data, bytes(32)) is None


def test_every_flipped_bit_of_a_small_tail_is_seen(tmp_path):
    _, data = file_of(None, named=False)
    for flipped in flips(data[50:]):
        assert found(tmp_path / "f", data[:50] + flipped) is None


@pytest.mark.parametrize("data", [b"", b"\xb1\xea\x92\x8f", bytes(72), b"x" * 72, b"\xb1\xea\x92\x8f" * 30])
def test_other_bytes_have_no_tail(tmp_path, data):
    assert found(tmp_path / "f", data) is None


def test_a_very_large_object_has_a_named_seal():
    large = SEAL._replace(raw_bytes=1 << 32)
    assert encode_tail(large, None) == encode_tail(large, None, named=True)
    assert len(encode_tail(SEAL._replace(raw_bytes=(1 << 32) - 1), None)) == 24


def test_the_seek_table_counts_frames_table_and_seal():
    assert len(encode_table(SEAL.digest, TABLE)) == 72 + 32 * 3
