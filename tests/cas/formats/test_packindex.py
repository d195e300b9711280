import random
import struct
from mmap import mmap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cas.errors import UnknownFormat
from cas.formats.frame import check_of
from cas.formats.packindex import Entry, encode_index, find_index, find_index_bytes
from cas.oid import oid_of
from tests.cas.formats.test_frame import flips

digests = st.binary(min_size=32, max_size=32)
entries = st.dictionaries(
    digests,
    st.tuples(*[st.integers(0, 2**32 - 1)] * 3),
    max_size=20,
).map(lambda found: [Entry(digest, *rest) for digest, rest in found.items()])


def some_entries(count):
    source = random.Random(count)
    return [Entry(source.randbytes(32), n * 100, n + 1, n) for n in range(count)]


def read_index(data):
    assert find_index_bytes(data[-8:]) == len(data)
    return find_index(data, 0, "")


@given(entries, digests)
def test_every_entry_is_found_and_no_other(written, absent):
    index = read_index(encode_index(written, 12345))
    assert list(index) == sorted(written)
    assert list(index.digests()) == sorted(entry.digest for entry in written)
    assert all(index.find(entry.digest) == entry for entry in written)
    assert index.find(absent) is None or absent in list(index.digests())
    assert (len(index), index.end) == (len(written), 12345)


# one below and one above each width of the fan-out
@pytest.mark.parametrize("count", [0, 1, 1023, 1024, 65_535, 65_536])
def test_a_fan_out_of_any_width_finds_all(count):
    written = some_entries(count)
    index = read_index(encode_index(written, 0))
    assert all(index.find(entry.digest) == entry for entry in written[:2000])
    lowest, highest = bytes(32), b"\xff" * 32
    assert index.find(lowest) is None
    assert index.find(highest) is None


def test_ids_that_share_their_first_digits_are_told_apart():
    written = [Entry(b"\xab\xcd" + n.to_bytes(30, "big"), n, n, n) for n in range(70_000)]
    index = read_index(encode_index(written, 0))
    assert all(index.find(entry.digest) == entry for entry in written[::1000])
    assert index.find(b"\xab\xcc" + bytes(30)) is None


def test_the_index_of_a_few_objects_is_short():
    assert len(encode_index(some_entries(3), 0)) == 32 + 3 * 44 + 16 + 8


@pytest.mark.parametrize("prefix", ["", "0", "00", "7f1", "fff", "f" * 64])
@pytest.mark.parametrize("count", [50, 2000])
def test_ids_by_prefix(prefix, count):
    written = some_entries(count)
    found = list(read_index(encode_index(written, 0)).digests(prefix))
    assert found == sorted(entry.digest for entry in written if entry.digest.hex().startswith(prefix))


def test_every_damaged_bit_is_seen():
    data = encode_index(some_entries(3), 500)
    for flipped in flips(data):
        size = find_index_bytes(flipped[-8:])
        assert size != len(data) or find_index(flipped, 0, "") is None


def test_a_truncated_index_is_seen():
    data = encode_index(some_entries(3), 500)
    for end in range(len(data)):
        assert find_index_bytes(data[:end][-8:]) is None


def test_an_index_of_a_later_version_is_refused():
    data = encode_index([], 0)
    start = data[:12] + bytes([3]) + data[13:32]
    with pytest.raises(UnknownFormat, match="'here' has version 3"):
        find_index(start + check_of(start) + data[-8:], 0, "here")


def test_an_index_of_another_fan_out_is_no_index():
    data = encode_index([], 0)
    start = data[:13] + bytes([3]) + data[14:32] + bytes(4 << 3)
    sized = start[:4] + struct.pack("<I", len(start) + 16) + start[8:]
    assert find_index(sized + check_of(sized) + struct.pack("<I4s", len(start) + 24, b"Icca"), 0, "") is None


def test_an_index_can_stand_behind_other_bytes_and_be_mapped(tmp_path):
    written = some_entries(2000)
    path = tmp_path / "pack"
    path.write_bytes(b"before" + encode_index(written, 6))
    with open(path, "rb") as file, mmap(file.fileno(), 0, prot=1) as data:
        index = find_index(data, 6, "")
        assert list(index) == sorted(written)
        assert index.find(written[7].digest) == written[7]


def test_an_index_is_written_so():
    written = [Entry(bytes([n]) * 32, 16 + 100 * n, 20 + n, 10 + n) for n in (2, 1)]
    data = encode_index(written, 300)
    assert data[:32].hex(" ", 4) == "5c2a4d18 88000000 61636349 02000000 02000000 00000000 2c010000 00000000"
    assert data[32:76] == b"\x01" * 32 + struct.pack("<III", 116, 21, 11)
    assert data[120:136] == check_of(data[:120])
    assert data[136:] == struct.pack("<I4s", 144, b"Icca")


@pytest.mark.parametrize(
    ("count", "oid"),
    [
        (1023, "474a2ae88c2e2f535dc13b4662a3c768f5626879fd2916706d32ffac20610ef4"),
        (1024, "3c0cf9377b400bd7c9a057056c7c07f2c29f5329ca8f451b80da5600b21b69cc"),
        (65_536, "d70623294c399b33682c4fbd0c3c0210860cd43f8ebe3a626f3543bad4eed9a2"),
    ],
)
def test_an_index_keeps_its_bytes(count, oid):
    written = [Entry(bytes.fromhex(oid_of(b"%d" % n)), 16 + 100 * n, n + 1, n) for n in range(count)]
    assert oid_of(encode_index(written, 10_000_000)) == oid
