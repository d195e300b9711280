"""Refs in a folder, as the tests of refs use them."""

import pytest

from cas.local.refs import LocalRefs
from tests.cas.local.refdata import JOBS, row


@pytest.fixture
def path(tmp_path):
    return tmp_path / ".acc" / "refs.sqlite"


@pytest.fixture
def refs(path):
    refs = LocalRefs(path, [JOBS])
    yield refs
    refs.close()


@pytest.fixture
def jobs(refs):
    rows = [row(2), row(1, "plot"), row(3, seconds=None), row(10, "plot", 0.5), row(1, workdir="prod")]
    with refs.transaction("test") as transaction:
        for each in rows:
            transaction.insert("jobs", each)
    return rows
