"""A million refs cost no more memory than a few, and a look at a few of them reads a few."""

import itertools
import sqlite3
import tracemalloc

import pytest

from cas.local.refs import LocalRefs
from cas.oid import oid_of
from tests.cas.local.refdata import A, B, put
from tests.cas.local.test_refs_damage import fork

MANY = 100_000


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """Refs of 100,000 labels and 20,000 actions, and a log of all, written as the reference page says."""
    path = tmp_path_factory.mktemp("many") / "refs.sqlite"
    refs = LocalRefs(path)
    put(refs, first=A)
    refs.close()
    names = [
        *(f"jobs/dev/{number}" for number in range(1, MANY + 1)),
        *(f"actions/{oid_of(b'%d' % i)}" for i in range(20_000)),
    ]
    connection = sqlite3.connect(path)
    with connection:
        connection.executemany(
            "INSERT INTO refs VALUES (?, ?, ?)",
            ((name, A, oid_of(f"{name}\0{A}".encode())[:16]) for name in sorted(names)),
        )
        connection.executemany(
            "INSERT INTO log VALUES (NULL, 1.0, ?, NULL, ?, 'many')", ((name, A) for name in names)
        )
    connection.close()
    yield refs
    refs.close()


def peak_bytes(work):
    """Return what Python allocated at most while `work` ran, beyond what there was."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def steps(refs, work):
    """Return how many hundred instructions of SQLite's machine `work` takes; each row that is read takes several."""
    taken = []
    connection = refs._database.connection()._open()
    connection.set_progress_handler(lambda: taken.append(1), 100)
    work()
    connection.set_progress_handler(None, 0)
    return len(taken)


def test_all_of_many_refs_are_listed_in_little_memory(many):
    counted = []
    assert peak_bytes(lambda: counted.append(sum(1 for _ in many.names()))) < 1_000_000
    assert counted == [MANY + 20_001]


def test_all_of_a_long_log_is_read_in_little_memory(many):
    counted = []
    assert peak_bytes(lambda: counted.append(sum(1 for _ in many.log()))) < 1_000_000
    assert counted == [MANY + 20_001]


@pytest.mark.parametrize(
    "look",
    [
        lambda refs: refs.find("jobs/dev/4711"),
        lambda refs: list(itertools.islice(refs.names("jobs/dev/4"), 20)),
        lambda refs: list(refs.names("jobs/dev/4711")),
        lambda refs: list(refs.names("results/")),
        lambda refs: list(itertools.islice(refs.log(), 20)),
        lambda refs: list(refs.log("jobs/dev/4711")),
    ],
    ids=["find", "complete", "few", "none", "newest changes", "changes of one"],
)
def test_a_look_at_a_few_of_many_refs_reads_a_few(many, look):
    assert steps(many, lambda: look(many)) < 50  # a page is 30; all are 10,000


@pytest.fixture
def refs(tmp_path):
    refs = LocalRefs(tmp_path / "refs.sqlite", durability="none")
    yield refs
    refs.close()


def test_refs_may_be_set_while_they_are_listed(refs):
    put(refs, **{f"a{number:04}": A for number in range(1000)})
    for name, _ in refs.names("a"):
        put(refs, **{name: B, f"b{name}": B})
    assert {oid for _, oid in refs.names()} == {B}
    assert len(list(refs.names())) == 2000


def test_a_listing_goes_on_in_a_forked_child(refs):
    put(refs, **{f"a{number:04}": A for number in range(1000)})
    names = refs.names()
    before = [next(names) for _ in range(10)]

    def work():
        assert len([*before, *names]) == 1000

    assert fork(work) == 0
    assert len([*before, *names]) == 1000
