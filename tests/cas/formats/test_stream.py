import os
import random
import shutil
import subprocess
import threading
import tracemalloc
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile

import pytest
from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st

from cas.errors import CorruptObject
from cas.formats.encoder import Encoder, encode, encode_many
from cas.formats.frame import FRAME_BYTES, lengths
from cas.formats.stream import (
    StoredForm,
    export_object,
    open_object,
    read_object,
    read_pieces,
    read_table,
    verify_object,
)
from cas.formats.tail import encode_tail
from cas.oid import oid_of
from cas.threads import usable_cores
from tests.cas.formats.test_frame import flips
from tests.strategies import blobs

SMALL = b"a few bytes, a few bytes"
# three frames, the middle one incompressible
LARGE = bytes(FRAME_BYTES) + random.Random(3).randbytes(FRAME_BYTES) + b"the end" * 1000


def stored_form(data, *, piece=None, cuts=()):
    """Return seal, stored form and frame table as an encoder makes them of `data` given in pieces."""
    parts = []
    encoder = Encoder(parts.append)
    piece = piece or max(1, len(data))
    for start in range(0, len(data), piece):
        if start in cuts:
            encoder.cut()
        encoder.write(memoryview(data)[start : start + piece])
    seal = encoder.finish()
    return seal, b"".join(parts), encoder.table


@contextmanager
def opened(stored, seal):
    """Put stored bytes into a file, behind other bytes, and open it."""
    with TemporaryFile(buffering=0) as file:
        file.write(b"before" + stored)
        yield StoredForm(file.fileno(), 6, seal, "somewhere")


def stream_of(form):
    """Return a stream of what `form` still holds open afterwards."""
    return open_object(StoredForm(os.dup(form.fd), form.offset, form.seal, form.where))


@given(blobs)
def test_an_encoder_makes_what_encode_makes(data):
    seal, stored, table = stored_form(data, piece=100)
    assert (seal, stored) == encode(data, blake3(data).digest())
    assert table is None
    assert seal.oid == oid_of(data)


@pytest.mark.parametrize("size", [FRAME_BYTES, FRAME_BYTES + 1])
def test_one_frame_holds_up_to_4_mib(size):
    data = random.Random(4).randbytes(1000).ljust(size, b"x")
    seal, stored, table = stored_form(data, piece=1 << 20)
    assert (table is None) == (size == FRAME_BYTES)
    with opened(stored, seal) as form:
        assert read_object(form) == data


@pytest.mark.parametrize("piece", [1 << 20, 3_000_001, None])
def test_frames_are_the_same_whatever_the_pieces(piece):
    assert stored_form(LARGE, piece=piece) == stored_form(LARGE)


def test_a_large_object_comes_back():
    seal, stored, table = stored_form(LARGE)
    with opened(stored, seal) as form:
        assert read_object(form) == LARGE
        assert read_table(form) == table
        verify_object(form)
    assert lengths(table.raw_ends) == [FRAME_BYTES, FRAME_BYTES, 7000]


# cut hints


@pytest.mark.parametrize(
    ("cuts", "frames"),
    [
        ({3 << 20}, [3 << 20, 3 << 20]),
        ({2 << 20, 3 << 20}, [3 << 20, 3 << 20]),
        ({1 << 20}, [1 << 20, 4 << 20, 1 << 20]),
        ({1 << 19}, [4 << 20, 2 << 20]),
        ({5 << 20}, [4 << 20, 2 << 20]),
        ({1 << 20, 2 << 20, 3 << 20, 4 << 20, 5 << 20}, [4 << 20, 2 << 20]),
    ],
)
def test_a_frame_ends_at_its_last_cut(cuts, frames):
    data = random.Random(5).randbytes(1 << 10) * (6 << 10)
    seal, stored, table = stored_form(data, piece=1 << 19, cuts=cuts)
    assert lengths(table.raw_ends) == frames
    assert seal.oid == oid_of(data)
    with opened(stored, seal) as form:
        assert read_object(form) == data


@pytest.mark.parametrize(
    ("size", "frames"),
    [(1, [4 << 20, (2 << 20) - 1, 1]), (1 << 16, [4 << 20, 31 << 16, 1 << 16]), (65_537, [4 << 20, 2 << 20])],
)
def test_a_short_end_behind_a_cut_is_a_frame_of_its_own(size, frames):
    data = random.Random(6).randbytes(6 << 20)
    encoder = Encoder(lambda part: None)
    encoder.write(data[:-size])
    encoder.cut()
    encoder.write(data[-size:])
    assert encoder.finish().oid == oid_of(data)
    assert lengths(encoder.table.raw_ends) == frames


def test_cuts_never_make_frames_of_what_fits_in_one():
    _, _, table = stored_form(bytes(FRAME_BYTES), piece=1 << 20, cuts={1 << 20, 2 << 20})
    assert table is None


# reading in places


@pytest.fixture(scope="module")
def large_stream():
    seal, stored, _ = stored_form(LARGE)
    with opened(stored, seal) as form, stream_of(form) as stream:
        yield stream


@given(start=st.integers(0, len(LARGE) + 10), size=st.integers(0, 2 * FRAME_BYTES))
def test_any_place_can_be_read(start, size, large_stream):
    large_stream.seek(start)
    assert large_stream.read(size) == LARGE[start : start + size]


def test_writing_and_reading_a_large_object_takes_little_memory(tmp_path):
    block = random.Random(6).randbytes(1 << 20)
    with open(tmp_path / "stored", "wb") as file:
        tracemalloc.start()
        encoder = Encoder(file.write)
        for _ in range(40):
            encoder.write(block)
        seal = encoder.finish()
        file.flush()
        written = tracemalloc.get_traced_memory()[1]
        tracemalloc.reset_peak()
        stream = open_object(StoredForm(os.open(file.name, os.O_RDONLY), 0, seal, ""))
        with stream:
            while stream.read(100_000):
                pass
        read = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    # each thread, and the one before it in the lane, holds a frame raw and stored
    assert written < 2 * (min(usable_cores(), 8) + 4) * FRAME_BYTES
    assert read < 5 * FRAME_BYTES


def test_a_stream_closes_its_file():
    for data in (SMALL, LARGE):
        seal, stored, _ = stored_form(data)
        with opened(stored, seal) as form:
            own = os.dup(form.fd)
            open_object(StoredForm(own, form.offset, seal, "")).close()
            with pytest.raises(OSError, match="Bad file descriptor"):
                os.fstat(own)


def test_a_stream_that_cannot_be_opened_closes_its_file():
    for data in (SMALL, LARGE):
        seal, stored, _ = stored_form(data)
        with opened(stored[:-1], seal) as form:
            own = os.dup(form.fd)
            with pytest.raises(CorruptObject):
                open_object(StoredForm(own, form.offset, seal, ""))
            with pytest.raises(OSError, match="Bad file descriptor"):
                os.fstat(own)


# damage


@pytest.mark.parametrize("data", [b"", b"x", SMALL], ids=["empty", "one byte", "small"])
def test_every_flipped_bit_of_a_small_object_is_an_error(data):
    seal, stored, _ = stored_form(data)
    for flipped in flips(stored):
        with opened(flipped, seal) as form, pytest.raises(CorruptObject):
            read_object(form)


@pytest.mark.parametrize("size", [50, 200_000])
def test_a_sound_frame_of_another_object_is_an_error(size):
    seal, stored, _ = stored_form(random.Random(1).randbytes(size))
    forged = seal._replace(digest=bytes.fromhex(oid_of(SMALL)))
    for read in (read_object, verify_object):
        with opened(stored, forged) as form, pytest.raises(CorruptObject, match="another id"):
            read(form)


@pytest.mark.parametrize("data", [b"", SMALL], ids=["empty", "small"])
def test_a_truncated_small_object_is_an_error(data):
    seal, stored, _ = stored_form(data)
    for end in range(len(stored)):
        with opened(stored[:end], seal) as form, pytest.raises(CorruptObject, match="cut short"):
            read_object(form)


def places(table, number):
    """Return some places in frame `number` of a stored form."""
    start, end = (0, *table.stored_ends)[number : number + 2]
    return {start, start + 4, start + 7, (start + end) // 2, end - 1}


def changed(stored, place, bits=1):
    return stored[:place] + bytes([stored[place] ^ bits]) + stored[place + 1 :]


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_damaged_frame_hurts_no_other(number):
    seal, stored, table = stored_form(LARGE)
    ends = [0, *table.raw_ends]
    for place in places(table, number):
        with opened(changed(stored, place, 4), seal) as form, stream_of(form) as stream:
            with pytest.raises(CorruptObject):
                read_object(form)
            with pytest.raises(CorruptObject):
                verify_object(form)
            for other in {0, 1, 2} - {number}:
                stream.seek(ends[other])
                assert stream.read(ends[other + 1] - ends[other]) == LARGE[ends[other] : ends[other + 1]]
            stream.seek(ends[number])
            with pytest.raises(CorruptObject):
                stream.read(1)


def test_every_byte_of_the_frame_table_matters():
    seal, stored, table = stored_form(LARGE)
    with opened(stored, seal) as form:
        for place in range(table.stored_ends[-1], len(stored)):
            os.pwrite(form.fd, bytes([stored[place] ^ 1]), form.offset + place)
            with pytest.raises(CorruptObject):
                read_table(form)
            os.pwrite(form.fd, bytes([stored[place]]), form.offset + place)
        assert read_table(form) == table


@pytest.mark.parametrize("lost", [1, 8, 9, 150, 1000, FRAME_BYTES])
def test_a_truncated_large_object_is_an_error_at_once(lost):
    seal, stored, _ = stored_form(LARGE)
    with opened(stored[:-lost], seal) as form, pytest.raises(CorruptObject, match="cut short"):
        stream_of(form)


def test_frames_in_another_order_are_an_error():
    # two frames of noise: equally long, and each by itself is sound
    seal, stored, table = stored_form(random.Random(8).randbytes(2 * FRAME_BYTES))
    first, second = table.stored_ends
    assert second == 2 * first
    swapped = stored[first:second] + stored[:first] + stored[second:]
    with opened(swapped, seal) as form, pytest.raises(CorruptObject, match="frame 0 holds other bytes"):
        read_object(form)


def forged_form():
    """Return seal and stored form of frames that fit their table, under the id of something else."""
    parts = []
    encoder = Encoder(parts.append)
    encoder._hasher = blake3(b"something else")
    encoder.write(LARGE)
    return encoder.finish(), b"".join(parts)


def test_frames_that_fit_their_table_are_checked_against_the_id_too():
    seal, stored = forged_form()
    with opened(stored, seal) as form, stream_of(form) as stream:
        for read in (read_object, verify_object):
            with pytest.raises(CorruptObject, match="another id"):
                read(form)
        for _ in range(2):
            stream.seek(0)
            with pytest.raises(CorruptObject, match="another id"):
                stream.read()


def test_an_export_of_another_id_fails_at_its_end(tmp_path):
    seal, stored = forged_form()
    with opened(stored, seal) as form, open(tmp_path / "file", "wb") as file:
        copy = StoredForm(os.dup(form.fd), form.offset, form.seal, form.where)
        with pytest.raises(CorruptObject, match="another id"):
            export_object(copy, file.fileno())


def test_pieces_hand_out_no_last_frame_of_another_id():
    seal, stored = forged_form()
    got = []
    with opened(stored, seal) as form:
        pieces = read_pieces(StoredForm(os.dup(form.fd), form.offset, form.seal, form.where))
        with pytest.raises(CorruptObject, match="another id"):
            got.extend(pieces)
    assert b"".join(got) == LARGE[: 2 * FRAME_BYTES]


@pytest.mark.parametrize("data", [b"", SMALL, LARGE], ids=["empty", "small", "large"])
def test_pieces_are_the_object_and_close_its_file(data):
    seal, stored, _ = stored_form(data)
    with opened(stored, seal) as form:
        own = os.dup(form.fd)
        assert b"".join(read_pieces(StoredForm(own, form.offset, seal, ""))) == data
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(own)


def test_a_writer_may_use_its_buffer_again():
    parts = []
    encoder = Encoder(parts.append)
    buffer = bytearray(FRAME_BYTES)
    for number in range(4):
        buffer[:] = bytes([number]) * FRAME_BYTES
        encoder.write(buffer)
    seal = encoder.finish()
    assert seal.oid == oid_of(b"".join(bytes([number]) * FRAME_BYTES for number in range(4)))
    with opened(b"".join(parts), seal) as form:
        assert read_object(form)[-1] == 3


def test_an_encoder_that_is_given_up_leaves_no_thread():
    before = threading.active_count()
    encoder = Encoder(lambda part: None)
    encoder.write(LARGE)
    assert threading.active_count() > before
    encoder.close()
    assert threading.active_count() == before


def test_objects_encoded_together_are_those_encoded_one_by_one():
    items = [(bytes.fromhex(oid_of(data)), data) for data in (b"", SMALL, b"x" * 20_000)]
    assert encode_many(items) == [encode(data, digest) for digest, data in items]


def test_a_stream_read_in_order_hands_out_no_last_frame_of_another_id():
    seal, stored = forged_form()
    with opened(stored, seal) as form, stream_of(form) as stream:
        stream.raw.read(FRAME_BYTES)
        stream.raw.read(FRAME_BYTES)
        with pytest.raises(CorruptObject, match="another id"):
            stream.raw.read(1)


def test_verify_finds_what_reading_forgives():
    data = random.Random(7).randbytes(100_000)
    seal, stored, _ = stored_form(data)
    forgiven = 0
    for bit in range(8):
        with opened(changed(stored, 4, 1 << bit), seal) as form:
            try:
                assert read_object(form) == data
            except CorruptObject:
                continue
            forgiven += 1
            with pytest.raises(CorruptObject, match="still decompress"):
                verify_object(form)
    assert forgiven


# plain tools

needs_zstd = pytest.mark.skipif(not shutil.which("zstd"), reason="no zstd")


@needs_zstd
@pytest.mark.parametrize("data", [b"", SMALL, LARGE], ids=["empty", "small", "large"])
def test_zstd_reads_a_stored_form_with_its_tail(data, tmp_path):
    seal, stored, table = stored_form(data)
    path = tmp_path / "object"
    path.write_bytes(stored + encode_tail(seal, table))
    raw = tmp_path / "raw"
    with raw.open("wb") as file:
        subprocess.run(["zstd", "-dc", path], stdout=file, check=True)
    assert b3sum(raw) == seal.oid
    subprocess.run(["zstd", "-tq", path], check=True)


def b3sum(path: Path) -> str:
    """Return what `b3sum` prints, or would print if it were installed."""
    if not shutil.which("b3sum"):
        return blake3(path.read_bytes()).hexdigest()
    done = subprocess.run(["b3sum", "--no-names", path], capture_output=True, text=True, check=True)
    return done.stdout.strip()
