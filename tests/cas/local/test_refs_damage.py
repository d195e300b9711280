"""Refs that are damaged, and refs that several processes change."""

import os
import random
import subprocess
import sys
import threading

import pytest

from cas.errors import AccError, CorruptRefs
from cas.local.refs import LocalRefs
from cas.oid import oid_of
from cas.refs import Table
from tests.cas.local.refdata import JOBS, A, B, C, alter, put, row

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
