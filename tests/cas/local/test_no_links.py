"""A store, and refs, on a filesystem without hard links: it has rename and locks, and that is enough."""

import errno
import os
import subprocess
import sys

import pytest

from cas.formats.node import encode
from cas.local.fsck import check
from cas.local.gc import collect
from cas.local.refs import LocalRefs
from cas.local.repack import repack
from cas.local.store import LocalStore
from cas.oid import oid_of
from tests.cas.test_graph import Knot

NO_LINKS = f"""
import errno, os
def refuse(*_, **__):
    raise OSError({errno.EPERM}, "no links here")
os.link = refuse
"""


@pytest.fixture
def no_links(monkeypatch):
    def refuse(*_, **__):
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", refuse)


def test_all_works(no_links, tmp_path):
    root = tmp_path / ".acc"
    store, refs = LocalStore.create(root), LocalRefs(root / "refs.sqlite")
    assert LocalStore.create(root).name == store.name
    blobs = store.put_many([b"1", b"2"])
    node = store.put(encode(Knot("x", tuple(blobs))))
    dead = store.put(b"dead")
    with refs.transaction("test") as transaction:
        transaction.set("jobs/1", node)
    store.pins.release()
    repack(store, everything=True)
    collect(store, refs, grace_seconds=0.0)
    fresh = LocalStore(root)
    assert check(fresh, refs).problems == ()
    assert fresh.has_many([*blobs, node, dead]) == {*blobs, node}
    with refs.draft() as draft:
        refs.replace_by(draft)
    assert dict(refs.names()) == {}
    refs.close()
    assert not list(root.glob(".tmp-*"))


BEGINNER = (
    NO_LINKS
    + """
import sys
from pathlib import Path
from cas.local.refs import LocalRefs
from cas.local.store import LocalStore
from cas.oid import oid_of
root, name = Path(sys.argv[1]), sys.argv[2]
sys.stdin.read()
store, refs = LocalStore.create(root), LocalRefs(root / "refs.sqlite")
with refs.transaction("begin") as transaction:
    transaction.set(name, store.put(name.encode()))
refs.close()
"""
)


def test_processes_that_begin_together_lose_nothing(tmp_path):
    names = [f"jobs/{number}" for number in range(4)]
    children = [
        subprocess.Popen([sys.executable, "-c", BEGINNER, tmp_path / ".acc", name], stdin=subprocess.PIPE)
        for name in names
    ]
    for child in children:
        child.stdin.close()
    assert [child.wait() for child in children] == [0] * len(children)
    refs = LocalRefs(tmp_path / ".acc" / "refs.sqlite")
    assert dict(refs.names()) == {name: oid_of(name.encode()) for name in names}
    refs.close()
