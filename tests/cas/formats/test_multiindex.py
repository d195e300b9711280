import random

import pytest

from cas.formats.multiindex import NAME, open_multi_index, write_multi_index
from cas.formats.packindex import Entry, encode_index, find_index
from cas.oid import oid_of
from tests.cas.formats.test_frame import flips

_NO_RECORDS = find_index(encode_index([], 0), 0, "").records


def entries_of(pack, count):
    source = random.Random(f"{pack} {count}")
    return [Entry(source.randbytes(32), n * 100, n + 1, n) for n in range(count)]


def written(folder, packs):
    """Write the index over packs with these entries into `folder`, and open it."""
    records = [find_index(encode_index(entries, 0), 0, "").records for entries in packs]
    write_multi_index(
        folder / NAME, [(oid_of(b"%d" % n), found) for n, found in enumerate(records)], durable=False
    )
    return open_multi_index(str(folder / NAME))


# one below and one above each width of the fan-out, and packs of nothing
@pytest.mark.parametrize("counts", [[], [0], [1], [3, 0, 5], [1000, 23], [1000, 24], [40_000, 40_000]])
def test_every_entry_of_every_pack_is_found_and_no_other(tmp_path, counts):
    packs = [entries_of(n, count) for n, count in enumerate(counts)]
    index = written(tmp_path, packs)
    assert index.is_sound()
    assert index.packs == tuple(oid_of(b"%d" % n) for n in range(len(counts)))
    assert len(index) == sum(counts)
    for number, entries in enumerate(packs):
        assert all(index.find(entry.digest) == (number, entry) for entry in entries[:500])
    assert index.find(bytes(32)) is None
    assert index.find(b"\xff" * 32) is None
    assert list(index.records.digests()) == sorted(entry.digest for pack in packs for entry in pack)


def test_an_object_in_several_packs_is_told_of_in_the_first(tmp_path):
    entries = entries_of(1, 5)
    moved = [entry._replace(offset=7) for entry in entries[:3]]
    index = written(tmp_path, [moved, entries])
    assert len(index) == 5
    assert [index.find(entry.digest) for entry in entries] == [(0, e) for e in moved] + [
        (1, e) for e in entries[3:]
    ]


def test_it_replaces_the_one_before_and_leaves_nothing_else(tmp_path):
    written(tmp_path, [entries_of(1, 5)])
    index = written(tmp_path, [entries_of(2, 3)])
    assert len(index) == 3
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


def test_every_damaged_bit_is_seen_at_once_or_when_it_is_asked(tmp_path):
    written(tmp_path, [entries_of(1, 3), entries_of(2, 2)])
    path = tmp_path / NAME
    good = path.read_bytes()
    for flipped in flips(good):
        path.unlink()
        path.write_bytes(flipped)
        index = open_multi_index(str(path))
        assert index is None or not index.is_sound()


def test_a_truncated_or_missing_one_is_none(tmp_path):
    written(tmp_path, [entries_of(1, 3)])
    path = tmp_path / NAME
    good = path.read_bytes()
    for end in range(len(good)):
        path.unlink()
        path.write_bytes(good[:end])
        assert open_multi_index(str(path)) is None
    path.unlink()
    assert open_multi_index(str(path)) is None


def test_a_failed_one_leaves_nothing(tmp_path):
    with pytest.raises(ValueError, match="fromhex"):
        write_multi_index(tmp_path / NAME, [("no name", _NO_RECORDS)], durable=False)
    assert not list(tmp_path.iterdir())
