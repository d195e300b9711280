"""Functions that need no more than a store."""

import pytest

from cas.store import sorted_ids


@pytest.mark.parametrize("length", [0, 1, 2, 63, 64])
def test_sorted_ids_are_all_that_begin_so(store, length):
    oids = store.put_many(str(number).encode() for number in range(200))
    prefix = oids[0][:length]
    assert list(sorted_ids(store, prefix)) == sorted(oid for oid in oids if oid.startswith(prefix))
