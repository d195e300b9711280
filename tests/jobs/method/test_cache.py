"""The cache: right about files whatever befalls them, and never anybody's problem."""

import mmap
import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest

from cas.oid import oid_of
from jobs.method.cache import Cache, stamp_of

LONG_AGO = 1_000_000_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "known.sqlite"


@pytest.fixture
def cache(path: Path) -> Iterator[Cache]:
    cache = Cache(path)
    yield cache
    cache.close()


@pytest.fixture
def other(path: Path) -> Iterator[Cache]:
    """The cache as another process sees it."""
    cache = Cache(path)
    yield cache
    cache.close()


def write(path: Path, data: bytes, *, mtime: int = LONG_AGO) -> Path:
    path.write_bytes(data)
    os.utime(path, (mtime, mtime))
    return path


def let_time_pass(monkeypatch: pytest.MonkeyPatch, seconds: float = 10) -> None:
    """Let the clock be ahead of all changes made so far."""
    later = time.time_ns() + int(seconds * 1e9)
    monkeypatch.setattr(time, "time_ns", lambda: later)


def reads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Return a list of the files whose content gets read from now on."""
    import jobs.method.cache as room

    files: list[Path] = []
    read = room.oid_of_stream

    def noting(stream: BinaryIO) -> str:
        files.append(Path(stream.name))
        return read(stream)

    monkeypatch.setattr(room, "oid_of_stream", noting)
    return files


def test_the_id_is_that_of_the_content(cache: Cache, tmp_path: Path) -> None:
    assert cache.file_id(write(tmp_path / "a", b"x")) == oid_of(b"x")


def test_a_change_of_same_size_and_mtime_shows(
    cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "a", b"x")
    let_time_pass(monkeypatch)
    cache.file_id(path)
    before = stamp_of(path)
    while stamp_of(path) == before:  # until the filesystem's clock has ticked
        write(path, b"y")
    assert (stamp_of(path).size, stamp_of(path).mtime) == (before.size, before.mtime)

    assert cache.file_id(path) == oid_of(b"y")


def test_a_change_within_a_tick_of_the_clock_shows(cache: Cache, tmp_path: Path) -> None:
    path = tmp_path / "a"
    for number in range(50):
        write(path, b"%02d" % number)
        assert cache.file_id(path) == oid_of(b"%02d" % number)


def test_a_file_at_rest_is_read_once(
    cache: Cache, other: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "a", b"x")
    let_time_pass(monkeypatch)
    files = reads(monkeypatch)

    assert [cache.file_id(path), cache.file_id(path), other.file_id(path)] == [oid_of(b"x")] * 3
    assert files == [path]


def test_a_young_file_is_read_each_time(
    cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "a", b"x")
    files = reads(monkeypatch)
    cache.file_id(path)
    cache.file_id(path)

    assert files == [path, path]


def test_a_file_from_the_future_is_read_each_time(
    cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "a", b"x", mtime=2**32)
    let_time_pass(monkeypatch)
    files = reads(monkeypatch)
    cache.file_id(path)
    cache.file_id(path)

    assert files == [path, path]


def test_another_file_in_the_place_of_one_shows(
    cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, new = write(tmp_path / "a", b"x"), write(tmp_path / "b", b"y")
    let_time_pass(monkeypatch)
    cache.file_id(path)
    new.replace(path)

    assert cache.file_id(path) == oid_of(b"y")


def test_a_missing_file_is_the_callers_problem(cache: Cache, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        cache.file_id(tmp_path / "none")


def test_a_value_is_there_for_other_processes_too(cache: Cache, other: Cache) -> None:
    cache.put("declarations", "k", {"a": [1, "ä", None]})

    assert cache.get("declarations", "k") == other.get("declarations", "k") == {"a": [1, "ä", None]}
    assert other.get("environment", "k") is None
    assert other.get("declarations", "l") is None


def test_a_value_that_is_handed_out_is_the_callers_own(cache: Cache) -> None:
    cache.put("declarations", "k", [1])
    cache.get("declarations", "k").append(2)  # type: ignore[union-attr] # a list

    assert cache.get("declarations", "k") == [1]


def test_the_last_value_counts(cache: Cache, other: Cache) -> None:
    cache.put("declarations", "k", 1)
    cache.put("declarations", "k", 2)

    assert other.get("declarations", "k") == 2


@pytest.mark.parametrize(
    "damage", [b"", b"not a database, but long enough to look like one" * 100, b"SQLite format 3\0"]
)
def test_a_damaged_cache_starts_empty(path: Path, damage: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(damage)
    cache = Cache(path)
    assert cache.get("declarations", "k") is None
    cache.put("declarations", "k", 1)
    cache.close()

    other = Cache(path)
    assert other.get("declarations", "k") == 1
    other.close()


@pytest.mark.parametrize("keep", [0.1, 0.5, 0.9])
def test_a_cut_off_cache_starts_empty(path: Path, keep: float) -> None:
    cache = Cache(path)
    for number in range(200):
        cache.put("declarations", str(number), "x" * 100)
    cache.close()
    os.truncate(path, int(path.stat().st_size * keep))

    for _ in range(3):
        cache = Cache(path)
        for number in range(200):
            assert cache.get("declarations", str(number)) in (None, "x" * 100)
        cache.put("declarations", "new", 1)
        cache.close()
    cache = Cache(path)
    assert cache.get("declarations", "new") == 1
    cache.close()


def test_a_flipped_bit_is_a_miss(cache: Cache, path: Path, other: Cache) -> None:
    cache.put("declarations", "k", "value")
    cache.close()
    path.write_bytes(path.read_bytes().replace(b'"value"', b'"valuf"'))

    assert other.get("declarations", "k") is None


def test_a_cache_of_another_version_starts_empty(path: Path, cache: Cache) -> None:
    path.parent.mkdir()
    connection = sqlite3.connect(path)
    connection.executescript("CREATE TABLE known (other); PRAGMA user_version = 77")
    connection.close()

    assert cache.get("declarations", "k") is None
    cache.put("declarations", "k", 1)
    assert cache.get("declarations", "k") == 1


def test_a_cache_that_is_deleted_while_open_does_no_harm(cache: Cache, path: Path, tmp_path: Path) -> None:
    cache.put("declarations", "k", 1)
    path.unlink()
    cache.put("declarations", "l", 2)

    assert (cache.get("declarations", "k"), cache.get("declarations", "l")) == (1, 2)


def test_a_cache_that_cannot_be_made_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    cache = Cache(tmp_path / "file" / "known.sqlite")
    cache.put("declarations", "k", 1)

    assert cache.get("declarations", "k") == 1
    assert cache.get("declarations", "l") is None
    assert cache.file_id(tmp_path / "file") == oid_of(b"")


def test_a_busy_cache_does_no_harm(cache: Cache, path: Path) -> None:
    cache.put("declarations", "k", 1)
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("BEGIN EXCLUSIVE")
    cache.put("declarations", "l", 2)
    writer.close()

    assert cache.get("declarations", "k") == 1
    assert path.exists()


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_process_uses_it_too(cache: Cache, other: Cache) -> None:
    cache.put("declarations", "k", 1)
    child = os.fork()
    if not child:
        cache.put("declarations", "child", cache.get("declarations", "k"))
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    cache.put("declarations", "parent", 2)

    assert (other.get("declarations", "child"), other.get("declarations", "parent")) == (1, 2)


def wait_for_a_tick(folder: Path) -> None:
    """Return when the filesystem's clock has ticked."""
    first = stamp_of(write(folder / "tick", b"")).ctime
    while stamp_of(write(folder / "tick", b"")).ctime == first:
        pass


def test_a_write_into_a_mapped_page_shows(
    cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"a" * mmap.PAGESIZE)
    with path.open("r+b") as stream, mmap.mmap(stream.fileno(), 0) as mapped:

        def write_tells() -> bool:
            wait_for_a_tick(tmp_path)
            before = stamp_of(path)
            mapped[0] ^= 1
            return stamp_of(path) != before

        mapped.flush()
        if not write_tells():
            pytest.skip("this filesystem never tells of writes into mapped files")
        assert not write_tells()  # the page is dirty, and to write there again changes no time
        let_time_pass(monkeypatch)
        assert cache.file_id(path) == oid_of(bytes(mapped))
        assert write_tells()
        assert cache.file_id(path) == oid_of(bytes(mapped))


def test_a_file_that_is_swapped_while_it_is_read_is_known_by_what_was_read(
    cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import jobs.method.cache as room

    path, other = write(tmp_path / "a", b"x"), write(tmp_path / "b", b"y")
    let_time_pass(monkeypatch)
    read = room.oid_of_stream

    def swapping(stream: BinaryIO) -> str:
        path.rename(tmp_path / "aside")
        other.rename(path)
        found = read(stream)
        path.rename(other)
        (tmp_path / "aside").rename(path)
        return found

    monkeypatch.setattr(room, "oid_of_stream", swapping)
    assert cache.file_id(path) == oid_of(b"x")
    monkeypatch.setattr(room, "oid_of_stream", read)
    assert [cache.file_id(path), cache.file_id(other)] == [oid_of(b"x"), oid_of(b"y")]
