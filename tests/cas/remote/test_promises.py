"""Objects that are only at a remote, as they are read: who brings them, from where, and what when that fails."""

import os
import random
import shutil

import pytest

from cas.errors import CorruptObject, ObjectNotFound, RemoteUnreachable
from cas.formats.node import get_node
from cas.graph import walk
from cas.oid import oid_of
from cas.remote.bucket import Bucket
from cas.remote.mirror import Mirror
from cas.remote.promises import Promises
from cas.remote.state import Remote
from tests.cas.remote.clones import Clone, Leaf

CONTENTS = [random.Random(n).randbytes(300_000) for n in range(6)]
LARGE = random.Random(99).randbytes(17 << 20)


@pytest.fixture
def ann(tmp_path):
    clone = Clone(tmp_path / "ann", (tmp_path / "remote").as_uri())
    clone.push(top=clone.node("top", CONTENTS, [clone.node("below", [b"deep"])]))
    return clone


@pytest.fixture
def bob(ann, tmp_path):
    clone = Clone(tmp_path / "bob", (tmp_path / "remote").as_uri())
    clone.fetch()
    clone.store.source = Promises(lambda: [clone.remote])
    return clone


def received(clone: Clone) -> int:
    return clone.remote.bucket.traffic.received


def flip(folder):
    for path in folder.rglob("*"):
        if path.is_file():
            data = bytearray(path.read_bytes())
            data[::5] = bytes(byte ^ 1 for byte in data[::5])
            path.chmod(0o644)
            path.write_bytes(data)


def test_of_many_processes_that_read_an_object_one_brings_it(bob):
    bob.store.get(oid_of(CONTENTS[0]))
    before = received(bob)
    reading, writing = os.pipe()
    children = []
    for _ in range(6):
        child = os.fork()
        if not child:
            bob.store.get(oid_of(CONTENTS[1]))
            os.write(writing, f"{received(bob) - before}\n".encode())
            os._exit(0)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * 6
    came = sorted(map(int, os.read(reading, 1000).split()))
    assert came[:5] == [0] * 5
    assert came[5] >= len(CONTENTS[1])
    os.close(reading)
    os.close(writing)


def test_processes_read_what_their_parent_has_not(bob):
    assert bob.store.get(oid_of(CONTENTS[0])) == CONTENTS[0]
    children = []
    for content in CONTENTS[1:]:
        child = os.fork()
        if not child:
            os._exit(bob.store.get(oid_of(content)) != content)
        children.append(child)
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0] * 5
    assert bob.store.alone().get(oid_of(CONTENTS[3])) == CONTENTS[3]


def test_near_objects_come_in_one_request(bob):
    before = bob.remote.bucket.traffic.requests
    bob.store.bring(map(oid_of, CONTENTS))
    assert bob.remote.bucket.traffic.requests - before == 1
    assert bob.store.alone().has_many(map(oid_of, CONTENTS)) == set(map(oid_of, CONTENTS))


def test_what_is_here_is_asked_of_nobody(bob):
    bob.store.bring(map(oid_of, CONTENTS))
    before = bob.remote.bucket.traffic.requests
    bob.store.bring(map(oid_of, CONTENTS))
    bob.store.get(oid_of(CONTENTS[0]))
    assert bob.remote.bucket.traffic.requests == before


def test_an_object_that_nobody_has_is_missing(bob):
    with pytest.raises(ObjectNotFound):
        bob.store.get(oid_of(b"never stored"))


def test_a_remote_of_which_all_was_forgotten_is_looked_at_once(bob, tmp_path):
    shutil.rmtree(bob.remote.mirror.folder)
    remote = Remote(Bucket(bob.remote.bucket.url), Mirror(bob.remote.mirror.folder))
    bob.store.source = Promises(lambda: [remote])
    assert bob.store.get(oid_of(CONTENTS[0])) == CONTENTS[0]
    before = remote.bucket.traffic.requests
    assert bob.store.get(oid_of(CONTENTS[1])) == CONTENTS[1]
    assert remote.bucket.traffic.requests - before == 1


@pytest.mark.parametrize("content", [CONTENTS[0], LARGE], ids=["packed", "large"])
def test_flipped_bytes_are_an_error_and_another_remote_gives_good_ones(ann, bob, tmp_path, content):
    ann.push(more=ann.node("more", [content]))
    shutil.copytree(tmp_path / "remote", tmp_path / "copy")
    bob.fetch()
    flip(tmp_path / "remote" / "packs")
    flip(tmp_path / "remote" / "objects")
    with pytest.raises(CorruptObject):
        bob.store.get(oid_of(content))
    assert not bob.store.alone().has(oid_of(content))
    other = Remote(Bucket((tmp_path / "copy").as_uri()), Mirror(tmp_path / "mirror"))
    bob.store.source = Promises(lambda: [bob.remote, other])
    assert bob.store.get(oid_of(content)) == content


def test_a_remote_that_has_lost_an_object_is_named_with_it(bob, tmp_path):
    shutil.rmtree(tmp_path / "remote")
    with pytest.raises(Exception, match=oid_of(CONTENTS[0])[:12]) as caught:
        bob.store.get(oid_of(CONTENTS[0]))
    assert bob.remote.name in str(caught.value)


def test_a_url_that_nothing_is_behind_is_said_with_the_object(bob, tmp_path):
    bob.store.source = Promises(
        lambda: [Remote(Bucket("http://127.0.0.1:1/r", name="web"), bob.remote.mirror)]
    )
    with pytest.raises(
        RemoteUnreachable, match=f"object '{oid_of(CONTENTS[0])[:12]}' is only at a remote: .*'web'"
    ):
        bob.store.get(oid_of(CONTENTS[0]))


# nodes


def test_a_node_that_is_read_as_a_blob_comes_with_all_that_it_reaches(ann, tmp_path):
    clone = Clone(tmp_path / "carl", (tmp_path / "remote").as_uri())
    clone.remote.look()
    told = {}
    clone.remote.arriving = told.update
    clone.store.source = Promises(lambda: [clone.remote])
    top = clone.remote.mirror.refs.find("top")
    below = get_node(clone.store, top, Leaf).below
    assert clone.store.alone().has_many(below) == {*below}
    assert told == dict.fromkeys([top, *below], "leaf")


def test_nodes_are_told_of_before_they_are_stored(ann, tmp_path):
    clone = Clone(tmp_path / "carl", (tmp_path / "remote").as_uri())

    def refuse(_):
        raise OSError("no space to note it")

    clone.remote.arriving = refuse
    with pytest.raises(OSError, match="no space"):
        clone.fetch()
    assert [*clone.store.ids()] == []


def test_a_push_sends_what_was_only_at_another_remote(bob, tmp_path):
    other = Clone(tmp_path / "bob", (tmp_path / "second").as_uri())
    other.store.source = Promises(lambda: [bob.remote])
    other.remote.mirror = Mirror(tmp_path / "second mirror")
    top = bob.remote.mirror.refs.find("top")
    other.push(top=top)
    carl = Clone(tmp_path / "carl", (tmp_path / "second").as_uri())
    carl.fetch(blobs=True)
    assert all(visit.error is None for visit in walk(carl.store, [top]))
