"""The file that refs are in: when it is made, replaced, only read, or of the first version."""

import os
import shutil
import sqlite3

import pytest

from cas.errors import CorruptRefs, StoreReadOnly, UnknownFormat
from cas.files import TEMPORARY_PREFIX
from cas.local.refs import LocalRefs
from cas.oid import oid_of
from tests.cas.local.refdata import JOBS, A, B, C, alter, put, row

# the file


def test_nothing_is_made_before_the_first_use(path):
    refs = LocalRefs(path)
    assert not path.parent.exists()
    refs.find("a")
    assert [file.name for file in path.parent.iterdir() if file.name.startswith(TEMPORARY_PREFIX)] == []
    refs.close()
    assert [file.name for file in path.parent.iterdir()] == ["refs.sqlite"]


def test_refs_that_have_to_be_there_are_not_made_again(path):
    refs = LocalRefs(path, create=False)
    for look in (lambda: refs.find("a"), lambda: list(refs.names()), lambda: put(refs, a=A)):
        with pytest.raises(CorruptRefs, match=r"refs '.*refs.sqlite' are gone"):
            look()
    assert not path.exists()
    refs.create()
    put(refs, a=A)
    refs.create()
    assert refs.find("a") == A
    refs.close()
    path.unlink()
    reader = LocalRefs(path, read_only=True, create=False)
    with pytest.raises(CorruptRefs, match="gone"):
        reader.find("a")


def test_a_database_is_read_as_the_reference_page_says(refs, path):
    put(refs, **{"jobs/dev/1": A})
    refs.close()
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA application_id").fetchone() == (int.from_bytes(b"accr", "big"),)
    assert connection.execute("PRAGMA user_version").fetchone() == (1,)
    checksum = oid_of(f"jobs/dev/1\0{A}".encode())[:16]
    assert connection.execute("SELECT name, id, checksum FROM refs").fetchall() == [
        ("jobs/dev/1", A, checksum)
    ]
    entries = connection.execute("SELECT entry, name, old, new, why FROM log").fetchall()
    assert entries == [(1, "jobs/dev/1", None, A, "test")]
    connection.close()


def test_relative_paths_do_not_follow_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    refs = LocalRefs(type(tmp_path)("refs.sqlite"))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    put(refs, a=A)
    refs.close()
    assert (tmp_path / "refs.sqlite").exists()


def test_no_durability_is_asked_of_sqlite(tmp_path):
    for durability, synchronous in [("none", 0), ("later", 1), ("batch", 2), ("each", 2)]:
        refs = LocalRefs(tmp_path / durability, durability=durability)
        assert refs._database.connection().run("PRAGMA synchronous") == [(synchronous,)]
        refs.close()


def test_a_later_format_is_refused(refs, path):
    put(refs, a=A)
    refs.close()
    alter(path, "PRAGMA user_version = 2")
    with pytest.raises(UnknownFormat, match="format 2"):
        refs.find("a")


def test_another_programs_database_is_refused(refs, path):
    path.parent.mkdir()
    alter(path, "CREATE TABLE cookies (name TEXT)")
    with pytest.raises(CorruptRefs, match="no refs of acc"):
        refs.find("a")


# another in its place


class StopError(Exception):
    pass


def files(path):
    return sorted(file.name for file in path.parent.iterdir())


def test_a_draft_is_seen_by_nobody_and_leaves_nothing(refs, path):
    put(refs, a=A)

    def give_up():
        with refs.draft() as draft:
            put(draft, a=B, b=B)
            assert list(draft.names()) == [("a", B), ("b", B)]
            assert refs.find("a") == A
            raise StopError

    with pytest.raises(StopError):
        give_up()
    assert list(refs.names()) == [("a", A)]
    refs.close()
    assert files(path) == ["refs.sqlite"]


def test_a_draft_takes_the_place_of_refs_which_stay_beside_it(refs, path, jobs):
    put(refs, a=A)
    for number, oid in ((1, B), (2, C)):
        with refs.draft() as draft:
            put(draft, a=oid)
            aside = refs.replace_by(draft)
        assert aside == path.with_name(f"refs.sqlite.damaged-{number}")
        assert refs.find("a") == oid
        assert refs.select("jobs") == []
    refs.close()
    assert files(path) == ["refs.sqlite", "refs.sqlite.damaged-1", "refs.sqlite.damaged-2"]
    before = LocalRefs(path.with_name("refs.sqlite.damaged-1"), [JOBS])
    assert before.find("a") == A
    assert len(before.select("jobs")) == len(jobs)
    before.close()


def test_a_draft_takes_the_place_of_refs_that_are_gone(path):
    refs = LocalRefs(path, create=False)
    path.parent.mkdir()
    with refs.draft() as draft:
        put(draft, a=A)
        assert refs.replace_by(draft) is None
    assert refs.find("a") == A
    refs.close()
    assert files(path) == ["refs.sqlite"]


def test_the_log_of_refs_that_are_gone_is_not_read_into_those_in_their_place(refs, path, tmp_path):
    put(refs, a=A)
    # as a killed writer leaves it
    shutil.copyfile(path.with_name("refs.sqlite-wal"), tmp_path / "wal")
    refs.close()
    path.unlink()
    shutil.copyfile(tmp_path / "wal", path.with_name("refs.sqlite-wal"))
    with refs.draft() as draft:
        put(draft, b=B)
        refs.replace_by(draft)
    assert list(refs.names()) == [("b", B)]
    assert refs.damage() == []
    refs.close()
    assert files(path) == ["refs.sqlite", "refs.sqlite.damaged-1-wal"]


# read only


@pytest.fixture
def reader(path):
    reader = LocalRefs(path, [JOBS], read_only=True)
    yield reader
    reader.close()


def test_a_reader_reads_and_does_not_write(refs, reader, jobs):
    put(refs, a=A)
    assert reader.find("a") == A
    assert len(reader.select("jobs")) == len(jobs)
    with pytest.raises(StoreReadOnly), reader.transaction("test"):
        pass


def test_a_reader_makes_no_database_and_takes_it_as_empty(reader, path):
    assert reader.find("a") is None
    assert list(reader.names()) == []
    assert reader.select("jobs") == []
    assert not path.parent.exists()


def test_a_reader_sees_a_database_that_is_made_later(refs, reader):
    assert reader.find("a") is None
    put(refs, a=A)
    assert reader.find("a") == A


def test_a_reader_makes_no_table_and_takes_it_as_empty(path, reader):
    bare = LocalRefs(path)
    put(bare, a=A)
    assert reader.select("jobs") == []
    assert reader.find("a") == A
    bare.close()


def test_a_folder_that_cannot_be_written_can_be_read(refs, reader, path, monkeypatch):
    put(refs, a=A)
    refs.close()
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert reader.find("a") == A
    assert [file.name for file in path.parent.iterdir()] == ["refs.sqlite"]


# the first version


def write_first_version(path):
    """What made tests/golden/v1/refs/refs.sqlite."""
    refs = LocalRefs(path, [JOBS])
    with refs.transaction("a job was built") as transaction:
        transaction.set("jobs/dev/1", A, old=None)
        transaction.set("actions/" + C, A, old=None)
        transaction.insert("jobs", row(1))
    with refs.transaction("a job was built again") as transaction:
        transaction.set("actions/" + C, B, old=A)
        transaction.set("results/änderung/plot.png", B)
        transaction.delete("jobs/dev/1")
        transaction.insert("jobs", row(2, "ä", None))
    refs.close()


def test_refs_of_the_first_version_are_read_still(golden, path):
    path.parent.mkdir()
    shutil.copyfile(golden / "refs" / "refs.sqlite", path)
    for refs in (LocalRefs(path, [JOBS], read_only=True), LocalRefs(path, [JOBS])):
        assert list(refs.names()) == [("actions/" + C, B), ("results/änderung/plot.png", B)]
        assert refs.select("jobs") == [row(1), row(2, "ä", None)]
        assert [(entry.name, entry.old, entry.new, entry.why) for entry in refs.log()] == [
            ("jobs/dev/1", A, None, "a job was built again"),
            ("results/änderung/plot.png", None, B, "a job was built again"),
            ("actions/" + C, A, B, "a job was built again"),
            ("actions/" + C, None, A, "a job was built"),
            ("jobs/dev/1", None, A, "a job was built"),
        ]
        refs.close()


def test_refs_are_written_as_the_first_version_did(golden, path):
    write_first_version(path)
    shapes = []
    for database in (golden / "refs" / "refs.sqlite", path):
        connection = sqlite3.connect(f"{database.as_uri()}?immutable=1", uri=True)
        schema = connection.execute(
            "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY name"
        ).fetchall()
        rows = [connection.execute(f"SELECT * FROM {table}").fetchall() for table in ("refs", "jobs")]
        shapes.append((schema, rows))
        connection.close()
    assert shapes[0] == shapes[1]
