"""Refs for tests: ids, a table of jobs, and what is done with them by hand."""

import sqlite3

from cas.oid import oid_of
from cas.refs import Table

A, B, C = (oid_of(name) for name in (b"a", b"b", b"c"))
JOBS = Table(
    "jobs",
    {"workdir": "text", "number": "integer", "method": "text", "seconds": "real"},
    ["workdir", "number"],
    [["method", "seconds"]],
)


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


def row(number, method="import", seconds=1.5, workdir="dev"):
    return {"workdir": workdir, "number": number, "method": method, "seconds": seconds}
