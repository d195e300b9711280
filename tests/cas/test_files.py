import errno
import os
import stat
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cas import files
from cas.errors import UnsafeName
from cas.files import (
    Locked,
    check_name,
    clone_or_copy,
    create_temporary,
    find_abandoned,
    is_locked,
    link_or_copy,
    lock_file,
    place_new,
    rename_durably,
    sync_folder,
    temporary_path,
    write_atomically,
)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


# writing


@pytest.mark.parametrize("durable", [True, False])
@pytest.mark.parametrize("data", [b"", b"x", bytearray(b"xy"), memoryview(b"xyz"), bytes(3_000_000)])
def test_a_file_is_written_whole(tmp_path, data, durable):
    path = tmp_path / "file"
    write_atomically(path, data, durable=durable)
    assert path.read_bytes() == bytes(data)
    assert names(tmp_path) == ["file"]


def test_a_file_is_replaced(tmp_path):
    path = tmp_path / "file"
    write_atomically(path, b"old")
    with path.open("rb") as old:
        write_atomically(path, b"new")
        assert old.read() == b"old"
    assert path.read_bytes() == b"new"


@pytest.mark.parametrize("mode", [0o644, 0o444, 0o600])
def test_the_mode_is_less_the_umask(tmp_path, mode):
    before = os.umask(0o027)
    try:
        write_atomically(tmp_path / "file", b"x", mode=mode)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == mode & ~0o027


def test_a_write_that_fails_leaves_the_old_file_and_no_other(tmp_path, monkeypatch):
    path = tmp_path / "file"
    write_atomically(path, b"old")

    def fail(*_):
        raise OSError(errno.EIO, "the disk is broken")

    monkeypatch.setattr(os, "fsync", fail)
    monkeypatch.setattr(files, "_FULL_SYNC", None)
    with pytest.raises(OSError, match="the disk is broken"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["file"]


def test_a_write_into_no_folder_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        write_atomically(tmp_path / "none" / "file", b"x")


def test_a_short_write_is_continued(tmp_path, monkeypatch):
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:7]))
    write_atomically(tmp_path / "file", bytes(range(100)))
    assert (tmp_path / "file").read_bytes() == bytes(range(100))


def test_temporary_paths_differ_and_are_known_by_their_prefix(tmp_path):
    paths = {temporary_path(tmp_path) for _ in range(100)}
    assert len(paths) == 100
    assert all(path.name.startswith(files.TEMPORARY_PREFIX) and path.parent == tmp_path for path in paths)


@pytest.mark.parametrize("durable", [True, False])
def test_a_rename_replaces(tmp_path, durable):
    (tmp_path / "a").write_bytes(b"a")
    (tmp_path / "b").write_bytes(b"b")
    rename_durably(tmp_path / "a", tmp_path / "b", durable=durable)
    assert names(tmp_path) == ["b"]
    assert (tmp_path / "b").read_bytes() == b"a"


def test_a_folder_is_synced_and_a_file_is_none(tmp_path):
    sync_folder(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError):
        sync_folder(tmp_path / "file")


# copies


@pytest.mark.parametrize("size", [0, 1, 3_000_001])
def test_a_copy_has_the_same_bytes(tmp_path, size):
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(os.urandom(size))
    clone_or_copy(source, target)
    assert target.read_bytes() == source.read_bytes()
    target.write_bytes(b"changed")
    assert source.stat().st_size == size


def test_a_copy_of_a_descriptor_neither_uses_nor_moves_its_position(tmp_path):
    source = tmp_path / "source"
    source.write_bytes(b"0123456789")
    with source.open("rb", buffering=0) as stream:
        stream.seek(4)
        clone_or_copy(stream.fileno(), tmp_path / "target")
        assert stream.tell() == 4
    assert (tmp_path / "target").read_bytes() == b"0123456789"


def test_a_copy_never_replaces(tmp_path):
    (tmp_path / "source").write_bytes(b"new")
    (tmp_path / "target").write_bytes(b"old")
    with pytest.raises(FileExistsError):
        clone_or_copy(tmp_path / "source", tmp_path / "target")
    assert (tmp_path / "target").read_bytes() == b"old"


def test_a_copy_that_fails_leaves_nothing(tmp_path):
    with pytest.raises(IsADirectoryError):
        clone_or_copy(tmp_path, tmp_path / "target")
    assert names(tmp_path) == []


# locks


def test_a_lock_is_held_by_one(tmp_path):
    path = tmp_path / "lock"
    with lock_file(path), pytest.raises(Locked, match="lock' is locked"), lock_file(path, blocking=False):
        pass
    with lock_file(path, blocking=False):
        pass


def test_a_shared_lock_is_held_by_many_but_not_beside_a_whole_one(tmp_path):
    path = tmp_path / "lock"
    with lock_file(path, shared=True), lock_file(path, shared=True, blocking=False), pytest.raises(Locked):
        lock_file(path, blocking=False).__enter__()


def test_a_lock_ends_with_its_process(tmp_path):
    path = tmp_path / "lock"
    program = (
        "import sys, pathlib; from cas.files import lock_file\n"
        "with lock_file(pathlib.Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", program, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with child:
        assert child.stdout.readline() == "held\n"
        with pytest.raises(Locked), lock_file(path, blocking=False):
            pass
        child.kill()
        with lock_file(path):
            pass


def test_a_forked_child_neither_keeps_nor_ends_its_parents_lock(tmp_path):
    path = tmp_path / "lock"
    hold_read, hold_write = os.pipe()
    with lock_file(path):
        child = os.fork()
        if child == 0:
            os.close(hold_write)
            os.read(hold_read, 1)  # until the parent has looked
            os._exit(0)
        leaver = os.fork()  # leaves the block at once
        if leaver:
            os.waitpid(leaver, 0)
            with pytest.raises(Locked), lock_file(path, blocking=False):
                pass
    if leaver == 0:
        os._exit(0)
    with lock_file(path, blocking=False):
        pass
    os.close(hold_write)
    os.close(hold_read)
    os.waitpid(child, 0)


# new names


@pytest.fixture(params=[None, errno.EPERM, errno.ENOTSUP, errno.EMLINK])
def links(request, monkeypatch):
    """Files have second names, or the filesystem says so in one way or another."""

    def refuse(*_):
        raise OSError(request.param, os.strerror(request.param))

    if request.param:
        monkeypatch.setattr(os, "link", refuse)
    return request.param is None


@pytest.mark.parametrize("taken", [True, False])
def test_a_file_takes_a_name_only_when_it_is_free(tmp_path, links, taken):
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(b"new")
    if taken:
        target.write_bytes(b"old")
    assert place_new(source, target) is not taken
    assert target.read_bytes() == (b"old" if taken else b"new")
    assert not source.exists()


def test_without_links_one_of_many_that_place_a_file_wins(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", refuse)
    target = tmp_path / "target"
    with lock_file(tmp_path / ".lock"):
        child = os.fork()
        if child == 0:
            (tmp_path / "source").write_bytes(b"second")
            os._exit(place_new(tmp_path / "source", target))
        # the child asks whether the name is free only when it has the lock
        while not (tmp_path / "source").exists():
            pass
        assert not target.exists()
        target.write_bytes(b"first")
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert target.read_bytes() == b"first"


def test_a_file_gets_a_second_name_or_a_copy(tmp_path, links):
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(b"bytes")
    link_or_copy(source, target)
    assert (source.read_bytes(), target.read_bytes()) == (b"bytes", b"bytes")
    assert source.samefile(target) is links
    with pytest.raises(FileExistsError):
        link_or_copy(source, target)


# what is left behind


def test_a_temporary_file_is_abandoned_when_its_writer_is_gone_and_it_is_old(tmp_path):
    path, descriptor = create_temporary(tmp_path, 0o444)
    assert is_locked(path)
    assert list(find_abandoned(tmp_path, age_seconds=0.0)) == []
    os.close(descriptor)
    assert list(find_abandoned(tmp_path, age_seconds=1000.0)) == []
    assert list(find_abandoned(tmp_path, age_seconds=0.0)) == [path]


def test_what_is_no_file_is_not_abandoned(tmp_path):
    (tmp_path / ".tmp-folder").mkdir()
    (tmp_path / ".tmp-nowhere").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / ".tmp-pipe")  # to open it would wait for a writer
    assert list(find_abandoned(tmp_path, age_seconds=0.0)) == []


def test_what_has_its_name_already_is_abandoned_without_a_look_into_it(tmp_path, monkeypatch):
    path = tmp_path / ".tmp-1"
    path.touch()
    os.link(path, tmp_path / "database")
    opened = []
    monkeypatch.setattr(os, "open", lambda path, *_: opened.append(path))
    assert list(find_abandoned(tmp_path, age_seconds=0.0)) == [path]
    assert opened == []


# names


@pytest.mark.parametrize(
    "name",
    [
        "a",
        "plot.png",
        "a/b/c",
        "...",
        ".hidden",
        "a b",
        "ä",
        "\U0001f600",
        "a\\b",
        "-x",
        "~",
        "x" * 255,
        "new\nline",
    ],
)
def test_a_safe_name_is_returned(name):
    assert check_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/",
        "/etc/passwd",
        "a/",
        "a//b",
        ".",
        "..",
        "../a",
        "a/..",
        "a/../b",
        "a/./b",
        "./a",
        "a\0b",
        "x" * 256,
        "ä" * 128,
        "a/" + "x" * 300 + "/b",
        "\ud800",
        "a\udcff",
    ],
)
def test_an_unsafe_name_is_refused(name):
    with pytest.raises(UnsafeName) as caught:
        check_name(name)
    str(caught.value).encode()  # can be shown


@given(st.text())
def test_a_safe_name_stays_in_its_folder(name):
    try:
        check_name(name)
    except UnsafeName:
        return
    folder = "/some/folder"
    path = os.path.normpath(os.path.join(folder, name))
    assert path == f"{folder}/{name}"
