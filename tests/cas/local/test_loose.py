import os
import random
import shutil
import subprocess
from contextlib import suppress

import pytest

from cas import files
from cas.errors import CorruptObject, ObjectNotFound
from cas.files import temporary_path
from cas.formats.encoder import encode
from cas.formats.stream import read_object
from cas.local.loose import LooseObjects
from cas.oid import oid_of
from tests.cas.formats.test_frame import flips
from tests.cas.formats.test_stream import LARGE, b3sum

SMALL = b"a few bytes, a few bytes"
ABSENT = oid_of(b"absent")


@pytest.fixture
def loose(tmp_path):
    return LooseObjects(tmp_path, durable=False)


def add(loose, data):
    """Store `data`; return its id and where it lies."""
    writer = loose.writer()
    writer.write(data)
    oid = writer.commit()
    return oid, loose.folder / oid[:2] / oid


def read(loose, oid):
    stored = loose.find_open(oid)
    try:
        return read_object(stored)
    finally:
        stored.close()


@pytest.mark.parametrize("data", [b"", SMALL, LARGE], ids=["empty", "small", "large"])
def test_an_object_lies_under_its_first_two_digits(loose, data):
    oid, path = add(loose, data)
    assert path.is_file()
    assert read(loose, oid) == data
    loose.verify(oid)


def test_adding_a_stored_form_is_writing_the_object(loose, tmp_path):
    oid, path = add(loose, SMALL)
    written = path.read_bytes()
    path.unlink()
    loose.add(*encode(SMALL, bytes.fromhex(oid)))
    assert path.read_bytes() == written


def test_an_object_is_read_only(loose):
    _, path = add(loose, SMALL)
    assert not path.stat().st_mode & 0o222


def test_what_is_there_is_not_written_again(loose):
    _, path = add(loose, SMALL)
    before = path.stat().st_ino
    add(loose, SMALL)
    assert path.stat().st_ino == before
    assert [entry.name for entry in loose.folder.iterdir()] == [path.parent.name]


def test_an_aborted_writer_leaves_no_file(loose):
    writer = loose.writer()
    writer.write(LARGE * 8)
    assert list(loose.folder.iterdir())
    writer.abort()
    assert not list(loose.folder.iterdir())


def test_absent_objects(loose):
    assert loose.find_open(ABSENT) is None
    assert not loose.has(ABSENT)
    assert not loose.delete(ABSENT)
    with pytest.raises(ObjectNotFound):
        loose.verify(ABSENT)


def test_ids_are_those_of_objects(loose):
    oids = {add(loose, b"%d" % number)[0] for number in range(20)}
    folder = loose.folder / min(oids)[:2]
    (folder / "a note").touch()
    (folder / ABSENT).touch()
    temporary_path(loose.folder).touch()
    assert set(loose.ids()) == oids
    assert list(loose.ids(min(oids))) == [min(oids)]


def test_foreign_files_are_those_that_are_no_objects(loose):
    oid, path = add(loose, SMALL)
    temporary_path(loose.folder).touch()
    assert list(loose.foreign()) == []
    foreign = [
        path.parent / "a note",
        path.parent / ABSENT,
        loose.folder / "README",
        loose.folder / "xy" / "z",
    ]
    (loose.folder / "xy").mkdir()
    for file in foreign:
        file.touch()
    assert set(loose.foreign()) == {*foreign[:3], loose.folder / "xy"}
    assert list(loose.ids()) == [oid]


# damage


def rewrite(path, data):
    path.chmod(0o644)
    path.write_bytes(data)


@pytest.mark.parametrize("data", [b"", SMALL], ids=["empty", "small"])
def test_every_flipped_bit_is_an_error_on_reading(loose, data):
    oid, path = add(loose, data)
    for flipped in flips(path.read_bytes()):
        rewrite(path, flipped)
        with pytest.raises(CorruptObject) as caught:
            read(loose, oid)
        assert (caught.value.oid, caught.value.where) == (oid, str(path))


@pytest.mark.parametrize("data", [b"", SMALL], ids=["empty", "small"])
def test_every_truncation_is_an_error_on_reading(loose, data):
    oid, path = add(loose, data)
    good = path.read_bytes()
    for end in range(len(good)):
        rewrite(path, good[:end])
        with pytest.raises(CorruptObject):
            read(loose, oid)


def test_what_is_appended_is_an_error_on_reading(loose):
    oid, path = add(loose, SMALL)
    rewrite(path, path.read_bytes() + b"x")
    with pytest.raises(CorruptObject, match="its seal is damaged or missing"):
        read(loose, oid)


def test_an_object_under_the_name_of_another_is_an_error(loose):
    _, path = add(loose, SMALL)
    (loose.folder / ABSENT[:2]).mkdir()
    path.rename(loose.path_of(ABSENT))
    with pytest.raises(CorruptObject, match="another"):
        read(loose, ABSENT)


def test_every_damaged_byte_behind_the_frames_of_a_large_object_is_found(loose):
    data = bytes(5 << 20)
    oid, path = add(loose, data)
    good = path.read_bytes()
    assert len(good) < 2000
    for place in range(len(good)):
        rewrite(path, good[:place] + bytes([good[place] ^ 1 << place % 8]) + good[place + 1 :])
        with pytest.raises(CorruptObject):
            loose.verify(oid)
        with suppress(CorruptObject):
            assert read(loose, oid) == data


def test_every_truncation_of_a_large_object_is_an_error(loose):
    oid, path = add(loose, bytes(5 << 20))
    good = path.read_bytes()
    for end in range(0, len(good), 3):
        rewrite(path, good[:end])
        with pytest.raises(CorruptObject):
            loose.verify(oid)
        with suppress(CorruptObject):
            assert read(loose, oid) == bytes(5 << 20)


@pytest.mark.skipif(not shutil.which("zstd"), reason="no zstd")
@pytest.mark.parametrize("data", [b"", SMALL, LARGE], ids=["empty", "small", "large"])
def test_zstd_and_b3sum_print_the_name_of_an_object(loose, data, tmp_path):
    oid, path = add(loose, data)
    raw = tmp_path / "raw"
    with raw.open("wb") as file:
        subprocess.run(["zstd", "-dc", path], stdout=file, check=True)
    assert b3sum(raw) == oid


# durability


def test_what_is_named_is_on_the_disk(tmp_path, monkeypatch):
    steps = []
    monkeypatch.setattr(files, "_FULL_SYNC", None)
    for step in ("fsync", "replace", "mkdir"):
        real = getattr(os, step)
        monkeypatch.setattr(
            os, step, lambda *args, step=step, real=real: (steps.append(step), real(*args))[1]
        )
    loose = LooseObjects(tmp_path, durable=True)
    add(loose, random.Random(1).randbytes(10))
    assert steps == ["fsync", "replace", "mkdir", "fsync", "replace", "fsync"]


def test_a_store_that_is_not_durable_syncs_nothing(loose, monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda descriptor: pytest.fail("synced"))
    oid, _ = add(loose, SMALL)
    assert read(loose, oid) == SMALL


def test_after_a_failed_sync_the_file_is_given_up(tmp_path, monkeypatch):
    def fail(descriptor):
        raise OSError("I/O error")

    loose = LooseObjects(tmp_path, durable=True)
    with monkeypatch.context() as patched:
        patched.setattr(files, "_FULL_SYNC", None)
        patched.setattr(os, "fsync", fail)
        with pytest.raises(OSError, match="I/O error"):
            add(loose, SMALL)
    assert not list(tmp_path.iterdir())
    oid, _ = add(loose, SMALL)
    assert read(loose, oid) == SMALL
