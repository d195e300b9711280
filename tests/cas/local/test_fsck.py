import sqlite3

import pytest

from cas.formats.node import encode, put_node
from cas.formats.pack import open_pack
from cas.local.fsck import check
from cas.local.refs import LocalRefs
from cas.local.staging import Staging
from cas.local.store import LocalStore
from cas.oid import oid_of
from tests.cas.local.test_store import flip
from tests.cas.test_graph import Knot


@pytest.fixture
def store(tmp_path):
    return LocalStore.create(tmp_path / ".acc", durability="none")


@pytest.fixture
def refs(tmp_path):
    refs = LocalRefs(tmp_path / ".acc" / "refs.sqlite", durability="none")
    yield refs
    refs.close()


@pytest.fixture
def family(store, refs):
    """Two refs over three nodes: 'jobs/1' reaches all that 'jobs/2' does, and a blob more."""
    shared, own = store.put(b"shared"), store.put(b"own")
    leaf = put_node(store, Knot("leaf", (shared,)))
    two = put_node(store, Knot("two", (), (leaf,)))
    one = put_node(store, Knot("one", (own,), (two,)))
    with refs.transaction("test") as transaction:
        transaction.set("jobs/1", one)
        transaction.set("jobs/2", two)
    return {"shared": shared, "own": own, "leaf": leaf, "one": one, "two": two}


def loose(store, oid):
    return store.root / "objects" / oid[:2] / oid


def found(store, refs):
    return [(problem.kind, problem.subject, problem.hurts) for problem in check(store, refs).problems]


def test_an_empty_store_is_sound(store, refs):
    report = check(store, refs)
    assert report.is_sound
    assert (report.copies, report.refs, report.reached, report.problems) == (0, 0, 0, ())


def test_a_sound_store_has_no_problems(store, refs, family):
    store.put(b"nobody names this")
    report = check(store, refs)
    assert report.is_sound
    assert (report.copies, report.refs, report.reached, report.dangling, report.problems) == (6, 2, 5, 1, ())


def test_progress_counts_the_copies(store, refs, family):
    steps = []
    check(store, refs, progress=lambda done, total: steps.append((done, total)))
    assert steps == sorted(steps)
    assert steps[-1] == (5, 5)


@pytest.mark.parametrize(
    ("name", "hurts"),
    [
        ("shared", ("jobs/1", "jobs/2")),
        ("own", ("jobs/1",)),
        ("leaf", ("jobs/1", "jobs/2")),
        ("two", ("jobs/1", "jobs/2")),
        ("one", ("jobs/1",)),
    ],
)
class TestOneObject:
    def test_a_missing_object_is_named_with_the_refs_it_hurts(self, store, refs, family, name, hurts):
        store.delete(family[name])
        report = check(store, refs)
        (problem,) = report.problems
        assert (problem.kind, problem.oid, problem.hurts) == ("missing", family[name], hurts)
        assert not report.is_sound

    def test_a_corrupt_object_is_named_with_the_refs_it_hurts(self, store, refs, family, name, hurts):
        flip(loose(store, family[name]), 12)
        report = check(store, refs)
        (problem,) = report.problems
        assert (problem.kind, problem.oid, problem.hurts) == ("corrupt", family[name], hurts)
        assert problem.path == loose(store, family[name])
        assert problem.reason
        assert not report.is_sound


def test_a_corrupt_object_that_no_ref_reaches_hurts_none(store, refs):
    oid = store.put(b"nobody names this")
    flip(loose(store, oid), 12)
    assert found(store, refs) == [("corrupt", oid, ())]


def test_a_corrupt_object_in_a_pack_is_named(store, refs, tmp_path):
    staging = Staging(store, tmp_path / "job")
    blob = staging.put(b"some bytes in a pack")
    node = put_node(staging, Knot("x", (blob,)))
    staging.publish()
    with refs.transaction("test") as transaction:
        transaction.set("jobs/1", node)
    assert check(store, refs).is_sound
    (pack,) = (store.root / "packs").glob("*.pack")
    place = pack.read_bytes().index(b"some bytes in a pack")
    flip(pack, place)
    fresh = LocalStore(store.root)
    assert found(fresh, refs) == [("corrupt", blob, ("jobs/1",))]


def test_every_object_is_named_that_is_missing(store, refs, family):
    store.delete(family["own"])
    store.delete(family["leaf"])
    assert sorted(found(store, refs)) == sorted(
        [("missing", family["own"], ("jobs/1",)), ("missing", family["leaf"], ("jobs/1", "jobs/2"))]
    )


def test_a_ref_to_what_is_no_node_is_damage(store, refs):
    blob = store.put(b"no node")
    with refs.transaction("test") as transaction:
        transaction.set("jobs/1", blob)
    (problem,) = check(store, refs).problems
    assert (problem.kind, problem.oid, problem.hurts) == ("corrupt", blob, ("jobs/1",))
    assert "no node" in problem.reason


def test_a_ref_to_nothing_is_named(store, refs):
    with refs.transaction("test") as transaction:
        transaction.set("jobs/1", oid_of(b"gone"))
    assert found(store, refs) == [("missing", oid_of(b"gone"), ("jobs/1",))]


def test_a_corrupt_ref_is_named_and_the_others_are_still_followed(store, refs, family):
    connection = sqlite3.connect(refs.path)
    with connection:
        connection.execute("UPDATE refs SET checksum = 'x' WHERE name = 'jobs/1'")
    connection.close()
    store.delete(family["leaf"])
    assert found(store, refs) == [
        ("corrupt", "jobs/1", ("jobs/1",)),
        ("missing", family["leaf"], ("jobs/2",)),
    ]


def test_a_damaged_ref_database_is_named(store, refs):
    with refs.transaction("test") as transaction:
        for number in range(300):
            transaction.set(f"jobs/{number}", oid_of(b"%d" % number))
    refs.close()
    connection = sqlite3.connect(refs.path)
    with connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("UPDATE sqlite_master SET rootpage = 2 WHERE name = 'log_by_name'")
    connection.close()
    report = check(store, refs)
    assert any(problem.path == refs.path for problem in report.problems)
    assert not report.is_sound


def test_refs_that_are_no_database_are_damage(store, refs, family):
    refs.close()
    refs.path.write_bytes(b"no database" * 100)
    report = check(store, refs)
    assert [(problem.kind, problem.path) for problem in report.problems] == [("corrupt", refs.path)]
    assert (report.copies, report.refs) == (5, 0)


def test_a_foreign_file_is_named_but_is_no_damage(store, refs, family):
    stranger = store.root / "packs" / "notes.txt"
    stranger.write_text("hello")
    report = check(store, refs)
    assert [(problem.kind, problem.path) for problem in report.problems] == [("foreign", stranger)]
    assert report.is_sound


def test_a_pack_in_which_nothing_can_be_read_is_torn(store, refs, family):
    pack = store.root / "packs" / f"{oid_of(b'pack')}.pack"
    pack.write_bytes(b"no pack" * 100)
    report = check(LocalStore(store.root), refs)
    assert [(problem.kind, problem.path) for problem in report.problems] == [("torn", pack)]
    assert not report.is_sound


def test_what_no_ref_reaches_is_counted_and_named_if_asked(store, refs, family):
    lost = {store.put(b"lost"), *store.put_many([b"and", b"gone"])}
    named = []
    report = check(store, refs, dangling=named.append)
    assert report.is_sound
    assert report.dangling == 3
    assert set(named) == lost


def test_a_fast_check_follows_links_and_reads_no_blob(store, refs, family):
    flip(loose(store, family["own"]), 12)
    assert check(store, refs, fast=True).is_sound
    store.delete(family["shared"])
    report = check(store, refs, fast=True)
    assert [(problem.kind, problem.oid) for problem in report.problems] == [("missing", family["shared"])]


def test_a_pack_whose_index_is_damaged_is_named_once(store, refs, tmp_path):
    (node,) = store.put_many([encode(Knot("alone"))])
    with refs.transaction("test") as transaction:
        transaction.set("jobs/1", node)
    (pack,) = (store.root / "packs").glob("*.pack")
    flip(pack, pack.stat().st_size - 30)
    (problem,) = check(LocalStore(store.root), refs).problems
    assert (problem.kind, problem.path) == ("corrupt", pack)
    assert "1 objects were found by a scan" in problem.reason


def test_a_damaged_index_over_many_packs_is_named(store, refs, family):
    store.put_many([b"1"])
    store.packs.write_multi_index()
    assert check(store, refs).is_sound
    path = store.root / "packs" / "multi.idx"
    flip(path, path.stat().st_size - 20)
    (problem,) = check(LocalStore(store.root), refs).problems
    assert (problem.kind, problem.path) == ("corrupt", path)


def test_a_pack_cut_short_loses_what_was_behind_the_cut(store, refs, tmp_path):
    staging = Staging(store, tmp_path / "job")
    node = put_node(staging, Knot("x", tuple(staging.put_many([b"one", b"two", b"three"]))))
    staging.publish()
    with refs.transaction("test") as transaction:
        transaction.set("jobs/1", node)
    (pack,) = (store.root / "packs").glob("*.pack")
    pack.chmod(0o644)
    pack.write_bytes(pack.read_bytes()[: open_pack(str(pack)).index.end - 5])
    report = check(LocalStore(store.root), refs)
    assert not report.is_sound
    assert {problem.hurts for problem in report.problems if problem.oid} == {("jobs/1",)}


def test_the_same_bytes_as_file_and_as_node_hurt_both_refs(store, refs):
    both = put_node(store, Knot("both"))
    as_file = put_node(store, Knot("as file", (both,)))
    as_node = put_node(store, Knot("as node", (), (both,)))
    with refs.transaction("test") as transaction:
        transaction.set("jobs/1", as_file)
        transaction.set("jobs/2", as_node)
    flip(loose(store, both), 12)
    assert found(store, refs) == [("corrupt", both, ("jobs/1", "jobs/2"))]


def test_a_check_changes_nothing(store, refs, family, tmp_path):
    flip(loose(store, family["own"]), 12)
    refs.close()
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    check(store, refs)
    refs.close()
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
