"""What a job printed, piece by piece."""

from hypothesis import given
from hypothesis import strategies as st

from cas.memory import MemoryStore
from porcelain.views.printed import read_piece


@given(st.binary(max_size=400).map(lambda data: data.replace(b"\x01", b"\n")), st.integers(1, 50))
def test_pieces_that_follow_each_other_are_the_whole(data, size):
    store = MemoryStore()
    blob = store.put(data)
    pieces = [read_piece(store, blob, start, start + size) for start in range(0, len(data) or 1, size)]
    assert [piece.start for piece in pieces] == [0, *(piece.end for piece in pieces[:-1])]
    assert pieces[-1].end == len(data)


def test_a_piece_begins_and_ends_with_a_line():
    store = MemoryStore()
    blob = store.put(b"one\ntwo\nthree\n")
    assert read_piece(store, blob, 2, 6) == ("two\n", 4, 8)
    assert read_piece(store, blob, 4, 8) == ("two\n", 4, 8)


def test_a_line_without_end_is_cut():
    store = MemoryStore()
    blob = store.put(b"x" * 300_000)
    assert read_piece(store, blob, 100_000, 150_000) == ("x" * 50_000, 100_000, 150_000)
