"""What every store holds to. A subclass makes the store, and knows how to damage what is stored in it."""

import io
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cas.errors import CorruptObject, ObjectNotFound
from cas.oid import oid_of
from cas.store import Store
from tests.strategies import blobs

# one store serves all examples of a property (objects of other examples must not disturb), and a property is
# inherited by each store's class
shared_store = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors]
)

ABSENT = oid_of(b"never stored")
# several frames, and no period that a frame could hide behind
LARGE = random.Random(1).randbytes(5 << 20) + bytes(3 << 20) + b"the end"

moves = st.lists(
    st.one_of(
        st.tuples(st.just("read"), st.integers(-1, 300)),
        st.tuples(st.just("seek"), st.integers(0, 2500)),
        st.tuples(st.just("forward"), st.integers(0, 100)),
        st.tuples(st.just("back from the end"), st.integers(0, 200)),
    ),
    max_size=8,
)


def follow(stream, move):
    """Make one move on `stream`; return what came of it, and where it stands now."""
    verb, number = move
    if verb == "read":
        return stream.read(number), stream.tell()
    if verb == "seek":
        return stream.seek(number), stream.tell()
    if verb == "forward":
        return stream.seek(number, io.SEEK_CUR), stream.tell()
    size = stream.seek(0, io.SEEK_END)
    return stream.seek(-min(number, size), io.SEEK_END), stream.tell()


def read_by_pieces(store, oid, got):
    """Append to `got` all that a stream of the object hands out."""
    with store.open(oid) as stream:
        while piece := stream.read(100_000):
            got += piece


class StoreSuite:
    @pytest.fixture
    def store(self, tmp_path) -> Store:
        raise NotImplementedError("a subclass returns an empty store")

    def damage(self, store, oid) -> None:
        """Change a bit of the stored bytes of `oid`, behind the back of `store`."""
        raise NotImplementedError("a subclass knows where its bytes lie")

    # put and get

    def test_what_is_put_is_got(self, store):
        oid = store.put(b"hello")
        assert oid == oid_of(b"hello")
        assert store.get(oid) == b"hello"
        assert store.has(oid)
        assert store.size_of(oid) == 5

    def test_a_store_has_a_name(self, store):
        assert isinstance(store.name, str)

    def test_the_empty_object_is_an_object(self, store):
        oid = store.put(b"")
        assert store.get(oid) == b""
        assert store.size_of(oid) == 0
        assert store.has(oid)
        with store.open(oid) as stream:
            assert stream.read() == b""

    def test_a_put_twice_stores_once(self, store):
        first, second = store.put(b"same"), store.put(b"same")
        assert first == second
        assert list(store.ids()) == [first]

    @pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
    def test_any_buffer_can_be_put(self, store, kind):
        oid = store.put(kind(b"some bytes"))
        assert oid == oid_of(b"some bytes")
        assert store.get(oid) == b"some bytes"
        assert type(store.get(oid)) is bytes

    def test_an_object_does_not_change_with_the_buffer_it_came_from(self, store):
        buffer = bytearray(b"before")
        oid = store.put(buffer)
        buffer[:] = b"after!"
        assert store.get(oid) == b"before"

    def test_a_large_object_comes_back(self, store):
        oid = store.put(LARGE)
        assert oid == oid_of(LARGE)
        assert store.get(oid) == LARGE
        assert store.size_of(oid) == len(LARGE)

    @shared_store
    @given(data=blobs)
    def test_every_object_comes_back(self, store, data):
        oid = store.put(data)
        assert oid == oid_of(data)
        assert store.get(oid) == data
        assert store.size_of(oid) == len(data)

    @pytest.mark.parametrize("data", [b"", b"little", LARGE], ids=["empty", "small", "large"])
    def test_an_object_has_a_raw_and_a_stored_size(self, store, data):
        sizes = store.sizes_of(store.put(data))
        assert sizes.raw_bytes == len(data)
        assert len(data) // 2 <= sizes.stored_bytes <= len(data) + 100

    @pytest.mark.parametrize("data", [b"", b"little", LARGE], ids=["empty", "small", "large"])
    def test_pieces_are_the_object(self, store, data):
        assert b"".join(store.pieces(store.put(data))) == data

    @pytest.mark.parametrize("data", [b"", b"little", LARGE], ids=["empty", "small", "large"])
    def test_an_exported_object_is_all_that_is_in_the_file(self, store, data, tmp_path):
        oid = store.put(data)
        with open(tmp_path / "file", "w+b") as file:
            file.write(b"what was there before")
            file.flush()
            store.export(oid, file.fileno())
        assert (tmp_path / "file").read_bytes() == data

    # many at once

    def test_put_many_keeps_the_order(self, store):
        items = [b"b", b"a", b"", b"b"]
        assert store.put_many(iter(items)) == [oid_of(item) for item in items]
        assert set(store.ids()) == {oid_of(item) for item in items}

    def test_put_many_of_nothing_is_nothing(self, store):
        assert store.put_many([]) == []
        assert list(store.ids()) == []

    @shared_store
    @given(items=st.lists(blobs, max_size=6))
    def test_get_many_is_get_of_each(self, store, items):
        oids = store.put_many(items)
        assert store.get_many(oids) == {oid: store.get(oid) for oid in oids}

    def test_get_many_names_the_first_missing_object(self, store):
        present = store.put(b"present")
        absent = [oid_of(b"no 1"), oid_of(b"no 2")]
        with pytest.raises(ObjectNotFound) as caught:
            store.get_many([present, *absent])
        assert caught.value.oid == absent[0]

    def test_has_many_returns_those_that_are_there(self, store):
        present = store.put_many([b"1", b"2"])
        assert store.has_many(iter([*present, ABSENT])) == set(present)
        assert store.has_many([]) == set()

    # missing objects

    @pytest.mark.parametrize("question", ["get", "open", "pieces", "size_of", "sizes_of", "delete"])
    def test_a_missing_object_is_named(self, store, question):
        store.put(b"another")
        with pytest.raises(ObjectNotFound) as caught:
            list(getattr(store, question)(ABSENT))
        assert caught.value.oid == ABSENT

    def test_a_missing_object_is_not_there(self, store):
        assert not store.has(ABSENT)

    # ids

    def test_ids_yields_each_object_once(self, store):
        oids = store.put_many(str(number).encode() for number in range(50))
        assert sorted(store.ids()) == sorted(oids)

    @pytest.mark.parametrize("length", [1, 2, 3, 4, 5, 63, 64])
    def test_ids_by_prefix(self, store, length):
        oids = store.put_many(str(number).encode() for number in range(50))
        prefix = oids[0][:length]
        assert sorted(store.ids(prefix)) == sorted(oid for oid in oids if oid.startswith(prefix))

    def test_ids_of_a_prefix_that_nothing_has(self, store):
        store.put(b"")
        assert list(store.ids("0000")) == []

    # streams

    @shared_store
    @given(data=blobs, moves=moves)
    def test_a_stream_moves_as_a_file_does(self, store, data, moves):
        like = io.BytesIO(data)
        with store.open(store.put(data)) as stream:
            for move in moves:
                assert follow(stream, move) == follow(like, move)

    @pytest.mark.parametrize(
        "start", [0, 1, (4 << 20) - 3, 4 << 20, (5 << 20) + 7, len(LARGE) - 2, len(LARGE) + 9]
    )
    @pytest.mark.parametrize("size", [0, 10, (4 << 20) + 1])
    def test_a_large_object_is_read_in_any_place(self, store, start, size):
        with store.open(store.put(LARGE)) as stream:
            stream.seek(start)
            assert stream.read(size) == LARGE[start : start + size]
            assert stream.read(3) == LARGE[start + size :][:3]

    def test_a_stream_is_read_by_lines(self, store):
        lines = [b"one\n", b"\n", b"three"]
        with store.open(store.put(b"".join(lines))) as stream:
            assert list(stream) == lines
            stream.seek(0)
            assert stream.readline() == lines[0]

    def test_a_stream_is_only_read(self, store):
        with store.open(store.put(b"x")) as stream:
            assert stream.readable()
            assert stream.seekable()
            assert not stream.writable()
            with pytest.raises(io.UnsupportedOperation):
                stream.write(b"y")

    def test_a_closed_stream_refuses(self, store):
        stream = store.open(store.put(b"x"))
        stream.close()
        assert stream.closed
        with pytest.raises(ValueError):  # noqa: PT011 - the text is Python's own
            stream.read()

    def test_two_streams_of_an_object_stand_apart(self, store):
        oid = store.put(b"0123456789")
        with store.open(oid) as one, store.open(oid) as two:
            assert one.read(3) == b"012"
            assert two.read(5) == b"01234"
            assert one.read() == b"3456789"

    def test_a_stream_reads_into_a_buffer(self, store):
        with store.open(store.put(b"0123456789")) as stream:
            buffer = bytearray(4)
            assert stream.readinto(buffer) == 4
            assert buffer == b"0123"

    # writers

    @shared_store
    @given(pieces=st.lists(blobs, max_size=5), cuts=st.sets(st.integers(0, 5)))
    def test_a_writer_stores_what_put_would(self, store, pieces, cuts):
        writer = store.writer()
        for number, piece in enumerate(pieces):
            if number in cuts:
                writer.cut()
            writer.write(piece)
        data = b"".join(pieces)
        oid = writer.commit()
        assert oid == oid_of(data)
        assert store.get(oid) == data

    @pytest.mark.parametrize("piece", [10_007, 1 << 20, 5_000_000])
    def test_a_large_object_is_written_in_pieces(self, store, piece):
        writer = store.writer()
        for start in range(0, len(LARGE), piece):
            writer.write(memoryview(LARGE)[start : start + piece])
        oid = writer.commit()
        assert oid == oid_of(LARGE)
        assert store.get(oid) == LARGE
        with store.open(oid) as stream:
            stream.seek(5_000_000)
            assert stream.read(100) == LARGE[5_000_000:5_000_100]

    def test_cuts_do_not_change_the_object(self, store):
        writer = store.writer()
        for start in range(0, len(LARGE), 1_000_000):
            writer.write(LARGE[start : start + 1_000_000])
            writer.cut()
        assert writer.commit() == oid_of(LARGE)
        assert store.get(oid_of(LARGE)) == LARGE

    def test_nobody_sees_an_object_before_its_commit(self, store):
        writer = store.writer()
        writer.write(b"half done")
        assert not store.has(oid_of(b"half done"))
        assert list(store.ids()) == []
        writer.commit()
        assert store.has(oid_of(b"half done"))

    @pytest.mark.parametrize("data", [b"", b"little", LARGE])
    def test_an_aborted_writer_leaves_nothing(self, store, data):
        writer = store.writer()
        writer.write(data)
        writer.abort()
        assert list(store.ids()) == []

    def test_abort_after_commit_does_nothing(self, store):
        writer = store.writer()
        writer.write(b"kept")
        oid = writer.commit()
        writer.abort()
        assert store.get(oid) == b"kept"

    def test_a_writer_of_nothing_stores_the_empty_object(self, store):
        oid = store.writer().commit()
        assert store.get(oid) == b""

    def test_a_writer_of_what_is_there_stores_it_once(self, store):
        oid = store.put(b"twice")
        writer = store.writer()
        writer.write(b"twice")
        assert writer.commit() == oid
        assert list(store.ids()) == [oid]

    def test_two_writers_stand_apart(self, store):
        one, two = store.writer(), store.writer()
        one.write(b"1")
        two.write(b"2")
        one.write(b"1")
        assert one.commit() == oid_of(b"11")
        two.write(b"2")
        assert two.commit() == oid_of(b"22")
        assert sorted(store.ids()) == sorted([oid_of(b"11"), oid_of(b"22")])

    def test_a_writer_does_not_change_with_the_buffer_it_was_given(self, store):
        writer, buffer = store.writer(), bytearray(b"before")
        writer.write(buffer)
        buffer[:] = b"after!"
        assert store.get(writer.commit()) == b"before"

    # delete

    def test_a_deleted_object_is_gone(self, store):
        victim, survivor = store.put_many([b"victim", b"survivor"])
        store.delete(victim)
        assert not store.has(victim)
        assert list(store.ids()) == [survivor]
        with pytest.raises(ObjectNotFound):
            store.get(victim)
        assert store.get(survivor) == b"survivor"

    def test_a_deleted_object_can_be_put_again(self, store):
        oid = store.put(b"back again")
        store.delete(oid)
        assert store.put(b"back again") == oid
        assert store.get(oid) == b"back again"

    # damage

    @pytest.mark.parametrize("data", [b"", b"a few bytes", LARGE], ids=["empty", "small", "large"])
    def test_damaged_bytes_are_never_handed_out(self, store, data):
        oid = store.put(data)
        self.damage(store, oid)
        with pytest.raises(CorruptObject) as caught:
            store.get(oid)
        assert caught.value.oid == oid

    @pytest.mark.parametrize("data", [b"a few bytes", LARGE], ids=["small", "large"])
    def test_a_damaged_stream_never_hands_out_a_wrong_byte(self, store, data):
        oid = store.put(data)
        self.damage(store, oid)
        got = bytearray()
        with pytest.raises(CorruptObject):
            read_by_pieces(store, oid, got)
        assert data.startswith(got)

    @pytest.mark.parametrize("data", [b"a few bytes", LARGE], ids=["small", "large"])
    def test_a_damaged_object_cannot_be_exported(self, store, data, tmp_path):
        oid = store.put(data)
        self.damage(store, oid)
        with open(tmp_path / "file", "wb") as file, pytest.raises(CorruptObject):
            store.export(oid, file.fileno())
