import itertools
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import threading
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cas.errors import AccError, CorruptRefs, InvalidId, RefConflict, StoreReadOnly, UnknownFormat, UnsafeName
from cas.files import TEMPORARY_PREFIX
from cas.local.refs import LocalRefs
from cas.oid import oid_of
from cas.refs import Table

A, B, C = (oid_of(name) for name in (b"a", b"b", b"c"))
JOBS = Table(
    "jobs",
    {"workdir": "text", "number": "integer", "method": "text", "seconds": "real"},
    ["workdir", "number"],
    [["method", "seconds"]],
)


@pytest.fixture
def path(tmp_path):
    return tmp_path / ".acc" / "refs.sqlite"


@pytest.fixture
def refs(path):
    refs = LocalRefs(path, [JOBS])
    yield refs
    refs.close()


def put(refs, **names):
    with refs.transaction("test") as transaction:
        for name, oid in names.items():
            transaction.set(name, oid)


def alter(path, sql, *arguments):
    """Change the database behind the back of `LocalRefs`."""
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(sql, arguments)
    connection.close()


# names and ids


def test_a_ref_that_was_set_is_found(refs):
    put(refs, a=A)
    assert refs.find("a") == A
    put(refs, a=B)
    assert refs.find("a") == B


def test_a_ref_that_was_not_set_is_not_found(refs):
    assert refs.find("a") is None
    put(refs, aa=A)
    assert refs.find("a") is None
    assert refs.find("") is None


def test_refs_outlive_the_process(refs, path):
    put(refs, a=A)
    refs.close()
    again = LocalRefs(path, [JOBS])
    assert again.find("a") == A
    again.close()


def test_names_are_sorted_and_begin_with_the_prefix(refs):
    names = [
        "jobs/dev/1",
        "jobs/dev/10",
        "jobs/dev/2",
        "jobs",
        "job",
        "results/x",
        "jobs/\U0010ffff",
        "jobs/ä",
    ]
    put(refs, **dict.fromkeys(names, A))
    assert list(refs.names()) == [(name, A) for name in sorted(names)]
    assert [name for name, _ in refs.names("jobs/")] == sorted(
        name for name in names if name.startswith("jobs/")
    )
    assert [name for name, _ in refs.names("jobs/dev/1")] == ["jobs/dev/1", "jobs/dev/10"]
    assert list(refs.names("nothing")) == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(prefix=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=3))
def test_any_prefix_finds_its_names(refs, prefix):
    names = [name for name, _ in refs.names()]
    if not names:
        put(
            refs,
            **dict.fromkeys(
                ["a", "b", "ab", "é", "aé", "\U0001f600", "\U0010ffff", "a\U0010ffff\U0010ffff"], A
            ),
        )
        names = [name for name, _ in refs.names()]
    assert [name for name, _ in refs.names(prefix)] == [name for name in names if name.startswith(prefix)]


@pytest.mark.parametrize("name", ["", "/a", "a/", "a//b", "a/../b", "..", "a\0b", "x" * 256, "\udcff"])
def test_an_unsafe_name_is_refused(refs, name):
    with pytest.raises(UnsafeName), refs.transaction("test") as transaction:
        transaction.set(name, A)


@pytest.mark.parametrize("oid", ["", "abcd", A.upper(), A + "0"])
def test_what_is_no_object_id_is_refused(refs, oid):
    with pytest.raises(InvalidId), refs.transaction("test") as transaction:
        transaction.set("a", oid)


# compare and set


def test_a_ref_is_set_when_it_is_what_was_expected(refs):
    with refs.transaction("test") as transaction:
        transaction.set("a", A, old=None)
        transaction.set("a", B, old=A)
        assert transaction.find("a") == B
        transaction.delete("a", old=B)
        assert transaction.find("a") is None
    assert refs.find("a") is None


@pytest.mark.parametrize(("expected", "found"), [(None, A), (B, A), (B, None)])
def test_a_ref_that_is_not_what_was_expected_is_a_conflict(refs, expected, found):
    if found:
        put(refs, a=found)

    def set_two():
        with refs.transaction("test") as transaction:
            transaction.set("other", C)
            transaction.set("a", C, old=expected)

    with pytest.raises(RefConflict) as caught:
        set_two()
    assert (caught.value.name, caught.value.expected, caught.value.found) == ("a", expected, found)
    assert refs.find("a") == found
    assert refs.find("other") is None


def test_a_conflict_says_what_the_ref_is_at():
    assert str(RefConflict("a", B, A)) == f"ref 'a' is at '{A}', expected '{B}'"
    assert str(RefConflict("a", None, A)) == f"ref 'a' is at '{A}', expected none"
    assert str(RefConflict("a", B, None)) == f"ref 'a' is not there, expected '{B}'"


def test_a_delete_that_finds_another_id_is_a_conflict(refs):
    put(refs, a=A)
    with pytest.raises(RefConflict), refs.transaction("test") as transaction:
        transaction.delete("a", old=B)
    assert refs.find("a") == A


def test_a_delete_of_what_is_not_there_does_nothing(refs):
    with refs.transaction("test") as transaction:
        transaction.delete("a")
        transaction.delete("a", old=None)
    assert list(refs.log()) == []


# transactions


class StopError(Exception):
    pass


def test_a_transaction_that_raises_changes_nothing(refs):
    put(refs, a=A)

    def change_and_raise():
        with refs.transaction("test") as transaction:
            transaction.set("a", B)
            transaction.set("b", B)
            transaction.insert("jobs", {"workdir": "dev", "number": 1})
            raise StopError

    with pytest.raises(StopError):
        change_and_raise()
    assert list(refs.names()) == [("a", A)]
    assert refs.select("jobs") == []
    assert len(list(refs.log())) == 1
    put(refs, a=C)
    assert refs.find("a") == C


def test_others_see_a_transaction_when_it_has_ended(refs, path):
    other = LocalRefs(path, [JOBS])
    with refs.transaction("test") as transaction:
        transaction.set("a", A)
        assert other.find("a") is None
        assert transaction.find("a") == A
    assert other.find("a") == A
    other.close()


def test_readers_do_not_wait_for_a_writer(refs):
    put(refs, a=A)
    seen = []
    with refs.transaction("test") as transaction:
        transaction.set("a", B)
        reader = threading.Thread(target=lambda: seen.append(refs.find("a")))
        reader.start()
        reader.join(10)
    assert seen == [A]


def test_a_transaction_inside_a_transaction_is_a_mistake(refs):
    def nest():
        with refs.transaction("one") as one:
            one.set("a", A)
            put(refs, b=B)

    with pytest.raises(AssertionError):
        nest()
    assert refs.find("a") is None


def test_a_transaction_used_after_its_end_is_a_mistake(refs):
    with refs.transaction("test") as transaction:
        pass
    with pytest.raises(AssertionError):
        transaction.set("a", A)


def test_threads_take_turns(refs):
    def work(number):
        for step in range(10):
            with refs.transaction("count") as transaction:
                transaction.set(f"{number}/{step}", A, old=None)
                transaction.insert("jobs", {"workdir": "dev", "number": len(transaction.select("jobs"))})

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(list(refs.names())) == 40
    assert [row["number"] for row in refs.select("jobs")] == list(range(40))


# the log


def test_the_log_has_each_change_newest_first(refs):
    before = time.time()
    with refs.transaction("one") as transaction:
        transaction.set("a", A)
        transaction.set("b", A)
    with refs.transaction("two") as transaction:
        transaction.set("a", B)
        transaction.delete("a")
    changes = [("a", B, None, "two"), ("a", A, B, "two"), ("b", None, A, "one"), ("a", None, A, "one")]
    assert [(entry.name, entry.old, entry.new, entry.why) for entry in refs.log()] == changes
    assert [(entry.name, entry.old, entry.new, entry.why) for entry in refs.log("b")] == [changes[2]]
    assert all(before <= entry.time <= time.time() for entry in refs.log())
    assert list(refs.log("c")) == []


def test_the_log_is_trimmed_and_the_refs_stay(refs, path, monkeypatch):
    for number in range(3):
        put(refs, a=(A, B, C)[number], **{f"n{number}": A})
    alter(path, "UPDATE log SET time = entry")
    monkeypatch.setattr("cas.local.refs._TRIMMED_ROWS", 2)
    before = dict(refs.names())
    assert refs.trim_log(4) == 3
    assert [entry.time for entry in refs.log()] == [6, 5, 4]
    assert refs.trim_log(4) == 0
    assert refs.trim_log(100) == 3
    assert list(refs.log()) == []
    assert dict(refs.names()) == before
    put(refs, a=A)
    assert [entry.old for entry in refs.log("a")] == [C]


# declared tables


def row(number, method="import", seconds=1.5, workdir="dev"):
    return {"workdir": workdir, "number": number, "method": method, "seconds": seconds}


@pytest.fixture
def jobs(refs):
    rows = [row(2), row(1, "plot"), row(3, seconds=None), row(10, "plot", 0.5), row(1, workdir="prod")]
    with refs.transaction("test") as transaction:
        for each in rows:
            transaction.insert("jobs", each)
    return rows


def test_rows_come_by_their_key(refs, jobs):
    assert refs.select("jobs") == sorted(jobs, key=lambda row: (row["workdir"], row["number"]))


def test_rows_are_chosen_by_their_cells(refs, jobs):
    assert [row["number"] for row in refs.select("jobs", {"method": "plot"})] == [1, 10]
    assert refs.select("jobs", {"workdir": "dev", "number": 10}) == [row(10, "plot", 0.5)]
    assert refs.select("jobs", {"seconds": None}) == [row(3, seconds=None)]
    assert refs.select("jobs", {"method": "none"}) == []


def test_rows_are_ordered_and_limited(refs, jobs):
    chosen = refs.select("jobs", {"workdir": "dev"}, order=["number"], descending=True, limit=2)
    assert [row["number"] for row in chosen] == [10, 3]
    chosen = refs.select("jobs", {"method": "plot"}, order=["seconds", "number"])
    assert [row["number"] for row in chosen] == [10, 1]
    assert refs.select("jobs", limit=0) == []


def test_rows_are_counted(refs, jobs):
    assert refs.count("jobs") == 5
    assert refs.count("jobs", {"workdir": "dev", "method": "import"}) == 2
    assert refs.count("jobs", {"seconds": None}) == 1
    assert refs.count("jobs", {"method": "none"}) == 0
    with pytest.raises(AssertionError):
        refs.count("jobs", {"colour": "red"})


def test_a_row_replaces_the_one_with_its_key(refs, jobs):
    with refs.transaction("test") as transaction:
        transaction.insert("jobs", row(2, "other", 9.0))
        assert transaction.select("jobs", {"number": 2}) == [row(2, "other", 9.0)]
    assert len(refs.select("jobs")) == len(jobs)


def test_a_cell_that_is_not_given_is_none(refs):
    with refs.transaction("test") as transaction:
        transaction.insert("jobs", {"number": 1, "workdir": "dev"})
    assert refs.select("jobs") == [{"workdir": "dev", "number": 1, "method": None, "seconds": None}]


def test_rows_are_removed_by_their_cells(refs, jobs):
    with refs.transaction("test") as transaction:
        transaction.remove("jobs", {"workdir": "dev", "method": "plot"})
        transaction.remove("jobs", {"number": 77})
    assert [row["number"] for row in refs.select("jobs")] == [2, 3, 1]


def test_an_unknown_column_is_a_mistake(refs):
    with pytest.raises(AssertionError), refs.transaction("test") as transaction:
        transaction.insert("jobs", {"number": 1, "workdir": "dev", "colour": "red"})
    with pytest.raises(AssertionError):
        refs.select("jobs", {"colour": "red"})


def test_a_table_declared_later_is_made(path):
    first = LocalRefs(path)
    put(first, a=A)
    second = LocalRefs(path, [JOBS])
    assert second.select("jobs") == []
    assert second.find("a") == first.find("a") == A
    first.close()
    second.close()


@pytest.mark.parametrize(
    "table",
    [
        Table("jobs", {"workdir": "text", "number": "integer"}, ["workdir", "number"]),
        Table("jobs", {**JOBS.columns, "more": "text"}, JOBS.key),
        Table("jobs", {**JOBS.columns, "method": "integer"}, JOBS.key),
        Table("jobs", JOBS.columns, ["number", "workdir"]),
    ],
)
def test_a_table_with_other_columns_is_an_unknown_format(refs, path, table):
    refs.select("jobs")
    other = LocalRefs(path, [table])
    with pytest.raises(UnknownFormat, match="table 'jobs'"):
        other.find("a")
    other.close()


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
    for durability, synchronous in [("none", 0), ("batch", 2), ("each", 2)]:
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


# damage


@pytest.mark.parametrize(
    "sql",
    [
        f"UPDATE refs SET id = '{B}' WHERE name = 'a'",
        "UPDATE refs SET checksum = '0000000000000000' WHERE name = 'a'",
        "UPDATE refs SET name = 'aa' WHERE name = 'a'",
        "UPDATE refs SET id = '' WHERE name = 'a'",
        "UPDATE refs SET id = 7 WHERE name = 'a'",
        "UPDATE refs SET id = x'00ff' WHERE name = 'a'",
    ],
)
def test_a_row_that_was_changed_is_corrupt(refs, path, sql):
    put(refs, a=A, b=B)
    alter(path, sql)
    name = "aa" if "name =" in sql.split("WHERE")[0] else "a"
    with pytest.raises(CorruptRefs, match=f"ref '{name}' is corrupt"):
        refs.find(name)
    with pytest.raises(CorruptRefs, match=f"ref '{name}' is corrupt"):
        list(refs.names())
    assert list(refs.scan()) == [(name, None), ("b", B)]
    assert refs.find("b") == B


def test_a_corrupt_ref_can_be_set_again_but_not_compared(refs, path):
    put(refs, a=A)
    alter(path, f"UPDATE refs SET id = '{B}'")
    with pytest.raises(CorruptRefs), refs.transaction("test") as transaction:
        transaction.set("a", C, old=B)
    put(refs, a=C)
    assert refs.find("a") == C


@pytest.mark.parametrize("data", [b"", b"no database at all" * 1000])
def test_a_file_that_is_no_database_is_corrupt(path, data):
    path.parent.mkdir()
    path.write_bytes(data)
    refs = LocalRefs(path)
    with pytest.raises(CorruptRefs):
        refs.find("a")
    with pytest.raises(CorruptRefs), refs.transaction("test"):
        pass
    refs.close()


def test_a_damaged_name_is_told_and_the_others_are_listed(refs, path):
    put(refs, **{f"a{number}": A for number in range(5)})
    for damaged in ("a1" + chr(0x100), "zz", ""):
        alter(path, "UPDATE refs SET name = ? WHERE name = 'a2'", damaged)
        assert sorted(refs.scan(), key=lambda pair: pair[0] != damaged) == [
            (damaged, None),
            *((f"a{number}", A) for number in (0, 1, 3, 4)),
        ]
        alter(path, "UPDATE refs SET name = 'a2' WHERE name = ?", damaged)


def test_text_that_is_no_utf_8_hides_no_other_name(refs, path):
    put(refs, aaaa=A, bbbb=B)
    refs.close()
    path.write_bytes(path.read_bytes().replace(b"aaaa" + A.encode(), b"a\xffaa" + A.encode()))
    damaged = "a\N{REPLACEMENT CHARACTER}aa"
    assert list(refs.scan()) == [(damaged, None), ("bbbb", B)]
    assert (refs.find("aaaa"), refs.find("bbbb")) == (None, B)
    assert [entry.name for entry in refs.log()] == ["bbbb", damaged]


def test_a_tree_that_leads_in_circles_is_corrupt(refs, path):
    """Leaves of the tree are exchanged, so that names begin again where they were before."""
    put(refs, **{f"jobs/dev/{number:04}": A for number in range(1000)})
    refs.close()
    data = path.read_bytes()
    pages = [data[start : start + 4096] for start in range(0, len(data), 4096)]
    leaves = [number for number, page in enumerate(pages) if page[0] == 0x0A and b"jobs/dev/" in page[-200:]]
    leaves = [number for number in leaves if A.encode() in pages[number]]
    first, last = sorted((leaves[0], leaves[-1]), key=lambda number: pages[number].index(b"jobs/dev/"))
    pages[first], pages[last] = pages[last], pages[first]
    path.write_bytes(b"".join(pages))
    with pytest.raises(CorruptRefs, match="out of order"):
        list(refs.names())


def check_flip(path, names):
    """Assert that damaged refs give for each name what it points at, or an error, or damage that is told of."""
    refs = LocalRefs(path, [JOBS], durability="none")
    try:
        found = {name: refs.find(name) for name in names}
        listed = dict(refs.scan())
        refs.select("jobs")
        list(refs.log())
        assert all(oid in (None, names[name]) for name, oid in found.items())
        assert all(oid in (None, names.get(name)) for name, oid in listed.items())
        if found != names or listed != names:
            assert None in listed.values() or refs.damage()
            return True
    except (AccError, OSError):
        return True
    finally:
        refs.close()
    return False


@pytest.fixture
def damages(tmp_path):
    """A function that flips one bit of each of some bytes of small refs, and returns how often that was noticed."""
    path = tmp_path / "refs.sqlite"
    refs = LocalRefs(path, [JOBS], durability="none")
    names = {f"jobs/dev/{number}": oid_of(b"%d" % number) for number in range(40)}
    put(refs, **dict.fromkeys(names, A))
    put(refs, **names)
    with refs.transaction("test") as transaction:
        transaction.insert("jobs", row(1))
    refs.close()
    sound = path.read_bytes()
    rng = random.Random(1)
    # the others are the empty parts of pages
    places = [place for place, byte in enumerate(sound) if byte]

    def run(number):
        noticed = 0
        for place in rng.sample(places, number or len(places)):
            damaged = bytearray(sound)
            damaged[place] ^= 1 << rng.randrange(8)
            path.write_bytes(damaged)
            noticed += check_flip(path, names)
        return noticed

    return run


def test_a_flipped_bit_never_gives_another_id(damages):
    assert damages(500) > 50


@pytest.mark.slow
def test_no_flipped_bit_ever_gives_another_id(damages):
    assert damages(None) > 3000


def test_damage_is_named(refs, path):
    put(refs, **{f"jobs/dev/{number}": A for number in range(300)})
    assert refs.damage() == []
    refs.close()
    data = bytearray(path.read_bytes())
    data[-3000:] = bytes(3000)
    path.write_bytes(data)
    assert refs.damage()


# processes


def fork(work):
    """Run `work` in a forked child; return its exit code: 0, or 1 when it raised."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_forked_child_goes_on_and_so_does_its_parent(refs):
    put(refs, a=A)

    def work():
        assert refs.find("a") == A
        put(refs, b=B)
        assert fork(lambda: put(refs, c=C)) == 0
        assert refs.find("c") == C

    assert fork(work) == 0
    assert dict(refs.names()) == {"a": A, "b": B, "c": C}
    put(refs, a=B)
    assert refs.find("a") == B


def test_no_connection_is_open_while_a_process_forks(refs):
    put(refs, a=A)
    assert refs._database.connection()._sqlite is not None

    def work():
        assert refs._database.connection()._sqlite is None

    assert fork(work) == 0


def test_a_child_forked_inside_a_transaction_cannot_use_it(refs):
    with refs.transaction("test") as transaction:
        transaction.set("a", A)
        assert fork(lambda: refs.find("a")) == 1
        assert fork(lambda: transaction.set("b", B)) == 1
        transaction.set("c", C)
    assert dict(refs.names()) == {"a": A, "c": C}


# later Pythons warn of any fork beside threads; this one is why the fork waits
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_fork_waits_for_the_transactions_of_other_threads(refs):
    inside, may_end = threading.Event(), threading.Event()

    def write():
        with refs.transaction("test") as transaction:
            transaction.set("a", A)
            inside.set()
            may_end.wait(10)

    thread = threading.Thread(target=write)
    thread.start()
    inside.wait(10)
    threading.Timer(0.05, may_end.set).start()
    code = fork(lambda: None if refs.find("a") == A else os._exit(3))
    thread.join()
    assert code == 0


COUNTER = """
import pathlib, sys
from cas.errors import RefConflict
from cas.local.refs import LocalRefs
from cas.oid import oid_of
from cas.refs import Table
refs = LocalRefs(pathlib.Path(sys.argv[1]), [Table("counts", {"n": "integer"}, ["n"])])
for _ in range(30):
    number = len(refs.select("counts"))
    while True:
        try:
            with refs.transaction("count") as transaction:
                transaction.set(f"counts/{number}", oid_of(b"%d" % number), old=None)
                transaction.insert("counts", {"n": number})
            break
        except RefConflict:
            number += 1
refs.close()
"""


def test_processes_that_begin_together_lose_nothing(path):
    # the database is not there yet, so they also make it together
    children = [subprocess.Popen([sys.executable, "-c", COUNTER, path]) for _ in range(3)]
    assert [child.wait() for child in children] == [0, 0, 0]
    refs = LocalRefs(path, [Table("counts", {"n": "integer"}, ["n"])])
    assert [row["n"] for row in refs.select("counts")] == list(range(90))
    assert len(list(refs.names())) == 90
    refs.close()


# a model


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(
    transactions=st.lists(
        st.tuples(
            st.booleans(),
            st.lists(
                st.tuples(st.sampled_from("abc"), st.sampled_from([A, B, None]), st.booleans()), max_size=5
            ),
        ),
        max_size=6,
    )
)
def test_refs_are_a_dict_with_transactions(refs, transactions):
    model = dict(refs.names())
    for is_kept, changes in transactions:
        draft = dict(model)
        try:
            with refs.transaction("test") as transaction:
                for name, oid, checks in changes:
                    old = {"old": draft.get(name)} if checks else {}
                    if oid is None:
                        transaction.delete(name, **old)
                        draft.pop(name, None)
                    else:
                        transaction.set(name, oid, **old)
                        draft[name] = oid
                    assert transaction.find(name) == draft.get(name)
                if not is_kept:
                    raise StopError
            model = draft
        except StopError:
            pass
        assert dict(refs.names()) == model
        assert {name: refs.find(name) for name in "abc"} == {name: model.get(name) for name in "abc"}
    # the log tells how each ref came to be what it is
    for name in "abc":
        entries = list(refs.log(name))
        assert (entries[0].new if entries else None) == model.get(name)
        assert all(later.old == earlier.new for later, earlier in itertools.pairwise(entries))
