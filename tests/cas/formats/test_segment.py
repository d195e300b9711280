import pytest
from hypothesis import given
from hypothesis import strategies as st

from cas.errors import CorruptObject
from cas.formats.pack import read_entries
from cas.formats.segment import Segment, scan_segment
from tests.cas.formats.test_pack import OBJECTS, part_of
from tests.strategies import blobs


@given(st.lists(blobs, max_size=5))
def test_a_segment_is_scanned(tmp_path_factory, objects):
    folder = tmp_path_factory.mktemp("segment")
    segment = Segment(str(folder / "1.segment"))
    entries = [segment.add(*part_of(data)) for data in objects]
    segment.close()
    assert scan_segment(segment.path, 0) == entries
    assert list(read_entries(segment.path, entries)) == list(map(part_of, objects))


def test_a_segment_is_read_while_it_grows(tmp_path):
    segment = Segment(str(tmp_path / "1.segment"))
    first = segment.add(*part_of(b"first"))
    assert scan_segment(segment.path, 0) == [first]
    second = segment.add(*part_of(b"second"))
    assert scan_segment(segment.path, first.end) == [second]
    assert scan_segment(segment.path, segment.end) == []
    segment.close()


def test_of_a_torn_segment_the_whole_entries_are_left(tmp_path):
    segment = Segment(str(tmp_path / "1.segment"))
    entries = [segment.add(*part_of(data)) for data in OBJECTS]
    segment.close()
    good = (tmp_path / "1.segment").read_bytes()
    for end in range(len(good) + 1):
        (tmp_path / "torn.segment").write_bytes(good[:end])
        whole = [entry for entry in entries if entry.end <= end]
        assert scan_segment(str(tmp_path / "torn.segment"), 0) == whole


def test_changed_bytes_are_not_copied_on(tmp_path):
    segment = Segment(str(tmp_path / "1.segment"))
    entry = segment.add(*part_of(b"some bytes"))
    segment.close()
    with open(segment.path, "r+b") as file:
        file.seek(entry.start + 9)
        file.write(b"?")
    with pytest.raises(CorruptObject, match="have changed"):
        list(read_entries(segment.path, [entry]))
