import random
from dataclasses import asdict

import pytest

from cas.files import temporary_path
from cas.local.bulk import LOOSE_BYTES
from cas.local.census import Census, take_census
from cas.local.gc import collect
from cas.local.refs import LocalRefs
from cas.local.store import LocalStore
from tests.cas.local.test_store import flip


@pytest.fixture
def store(tmp_path):
    return LocalStore.create(tmp_path / ".acc", durability="none")


def test_an_empty_store_holds_nothing(store):
    assert take_census(store) == Census()


def test_objects_are_counted_where_they_lie(store):
    noise = random.Random(1).randbytes(LOOSE_BYTES)
    store.put_many([bytes(1000), bytes(2000), noise])
    (pack,) = store.root.glob("packs/*.pack")
    found = asdict(take_census(store))
    assert found == {
        **asdict(Census()),
        "loose": 1,
        "loose_raw": LOOSE_BYTES,
        "loose_stored": store.root.joinpath(store.loose.path_of(next(store.loose.ids()))).stat().st_size,
        "packs": 1,
        "packed": 2,
        "packed_raw": 3000,
        "packed_stored": pack.stat().st_size,
    }


def test_what_is_no_object_is_garbage(store):
    store.put(b"x")
    (store.root / "objects" / "note").write_bytes(b"12345")
    temporary_path(store.root / "packs").write_bytes(b"123")
    census = take_census(store)
    assert (census.loose, census.garbage, census.garbage_bytes) == (1, 2, 8)


def test_a_damaged_object_counts_with_its_file(store):
    oid = store.put(b"x")
    path = store.root / "objects" / oid[:2] / oid
    flip(path, path.stat().st_size - 1)
    census = take_census(store)
    assert (census.loose, census.loose_raw) == (1, 0)


def test_trash_is_counted_apart(store):
    store.put_many([b"1"])
    store.pins.release()
    collect(store, LocalRefs(store.root / "refs.sqlite"), grace_seconds=1000.0)
    census = take_census(LocalStore(store.root))
    assert (census.packed, census.trash) == (0, 1)
    assert census.trash_bytes > 0
