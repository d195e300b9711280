"""Somebody who can write to a bucket writes what acc never would: that is one error or nothing, and takes little."""

import itertools
import struct
import time

import pytest
from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st

from cas.errors import CorruptRemote, ObjectNotFound, RemoteFileGone
from cas.formats.encoder import Encoder
from cas.formats.frame import check_of
from cas.formats.packindex import Entry
from cas.formats.tail import encode_tail
from cas.oid import ObjectId
from cas.remote.keys import index_key, object_key
from cas.remote.log import LogFile, covering
from cas.remote.transaction import Change, LargeObject
from cas.remote.transfer.sending import Sending
from cas.remote.upkeep.fsck import check
from cas.remote.upkeep.gc import sweep
from cas.remote.upkeep.repair import repair
from tests.cas.remote.clones import Clone
from tests.cas.remote.upkeep.test_fsck import told
from tests.cas.remote.upkeep.test_gc import assert_whole, noise

_numbers = itertools.count()
NOWHERE = "ee" * 32


@pytest.fixture
def url():
    return f"memory://hostile-{next(_numbers)}"


@pytest.fixture
def ann(tmp_path, url):
    clone = Clone(tmp_path / "ann", url)
    clone.push(**{"jobs/ann/1": clone.node("node", [noise("blob")])})
    return clone


@pytest.fixture
def bob(tmp_path, url):
    return Clone(tmp_path / "bob", url)


def commit(clone, **change):
    """Change what the remote says without a look at whether it is so."""
    number = clone.remote.mirror.number + 1
    parts = []
    encoder = Encoder(parts.append)
    encoder.write(Change("nonce", "why", **change).encode())
    put_log(clone, number, parts, encoder.finish())


def put_log(clone, number, parts, seal):
    data = b"".join(parts) + encode_tail(seal, None, named=True)
    clone.remote.bucket.put(LogFile(number, number).key, data)


def index_of(packs, records):
    """Return an index over packs by name: records are entries, each with the place of its pack."""
    head = struct.pack("<4sBBHIQ", b"accM", 1, 0, 0, len(packs), len(records))
    head += b"".join(map(bytes.fromhex, packs))
    body = b"".join(struct.pack("<32sIIII", *entry[:4], place) for entry, place in records)
    return head + check_of(head) + body + check_of(body)


def entry(oid, stored_bytes=100, offset=4):
    return Entry(bytes.fromhex(oid), offset, stored_bytes, stored_bytes)


def put_index(clone, data, told, **refs):
    name = blake3(data).hexdigest()
    clone.remote.bucket.put(index_key(name), data)
    commit(clone, indexes={name: told}, refs=refs)
    return name


# files that are gone


def test_a_lost_pack_is_an_error_that_names_it(ann, bob):
    (pack, *_) = sorted(file.key for file in ann.remote.bucket.list("packs/"))
    ann.remote.bucket.delete([file.key for file in ann.remote.bucket.list("packs/")])
    with pytest.raises(RemoteFileGone, match="has lost 'packs/") as caught:
        bob.fetch()
    assert "fsck" in caught.value.hint
    assert pack.startswith("packs/")


def test_a_large_object_that_is_not_there_is_an_error_that_names_it(ann, bob):
    most = (1 << 53) - 1
    commit(ann, objects={NOWHERE: LargeObject(most, most, most)}, refs={"jobs/ann/2": ObjectId(NOWHERE)})
    with pytest.raises(RemoteFileGone) as caught:
        bob.fetch()
    assert caught.value.key == object_key(NOWHERE, most)
    assert told(check(bob.store, bob.remote, full=True))[0] == ("missing", object_key(NOWHERE, most))


# indexes


@pytest.mark.parametrize("full", [False, True], ids=["listing", "full"])
@pytest.mark.parametrize("kind", ["no index", "untold pack", "place of no pack"])
def test_an_index_that_cannot_be_tells_of_nothing(ann, bob, tmp_path, kind, full):
    (name, length), *_ = ann.remote.mirror.packs().items()
    data = {
        "no index": b"no index",
        "untold pack": index_of(["aa" * 32], [(entry(NOWHERE), 0)]),
        "place of no pack": index_of([name], [(entry(NOWHERE), 7)]),
    }[kind]
    index = put_index(ann, data, {name: length})
    bob.fetch()
    assert not bob.remote.mirror.has(NOWHERE)
    assert NOWHERE not in {entry.oid for entries in bob.remote.mirror.entries().values() for entry in entries}
    report = check(bob.store, bob.remote, full=full)
    assert told(report) == ([] if kind == "place of no pack" else [("corrupt", index_key(index))])
    repair(bob.store, bob.remote)
    assert check(bob.store, bob.remote, full=full).is_sound
    sweep(bob.store, bob.remote, grace_seconds=0)
    assert assert_whole(ann, tmp_path / "new").keys() == {"jobs/ann/1"}


def test_an_index_that_lies_is_found_out_by_what_arrives(ann, bob):
    (name, length), *_ = ann.remote.mirror.packs().items()
    put_index(ann, index_of([name], [(entry(NOWHERE), 0)]), {name: length}, **{"jobs/x/1": NOWHERE})
    with pytest.raises(Exception, match=f"'{NOWHERE}' is corrupt"):
        bob.fetch()
    with pytest.raises(ObjectNotFound):
        bob.store.get(ObjectId(NOWHERE))


# texts that take more than they are worth


def bomb(piece, times):
    """Return the parts of a stored form, which are few, and its seal."""
    parts = []
    encoder = Encoder(parts.append)
    for _ in range(times):
        encoder.write(piece)
    return parts, encoder.finish()


@pytest.mark.parametrize("piece", [b"0" * (1 << 20), b"[]," * (1 << 18)], ids=["digits", "lists"])
def test_a_file_of_the_log_that_bursts_is_refused_unread(ann, bob, piece):
    parts, seal = bomb(piece, 64)
    assert sum(map(len, parts)) < 100_000
    put_log(ann, 2, parts, seal)
    with pytest.raises(CorruptRemote, match=f"it holds {seal.raw_bytes} bytes"):
        bob.remote.look()


def test_a_node_of_countless_lists_is_none(ann, bob):
    links = b'{"blobs":[],"nodes":[]}'
    data = b'{"a":[' + b"[]," * (6 << 20) + b'0],"format":1,"kind":"leaf","links":' + links + b"}"
    with Sending(ann.remote) as sending:
        oid = sending.put(data)
        change = sending.send("put")
    commit(ann, indexes=change.indexes, objects=change.objects, refs={"jobs/x/1": oid})
    with pytest.raises(CorruptRemote, match="is no node: it holds too many lists"):
        bob.fetch()
    assert ("corrupt", oid) in told(check(bob.store, bob.remote))


def test_an_endless_file_is_not_read_to_its_end(ann, bob, tmp_path):
    folder = Clone(tmp_path / "carl", f"file://{tmp_path}/shared")
    folder.push(node=folder.node("node"))
    with open(tmp_path / "shared" / "log" / "000000000002-000000000002", "wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(CorruptRemote, match="is longer than"):
        folder.remote.look()


# very many files


def test_a_hundred_thousand_files_of_the_log_are_chosen_from_in_a_moment():
    files = [LogFile(1 + number % 2, number, 100) for number in range(2, 100_000)]
    begun = time.process_time()
    assert len(covering([LogFile(1, 1, 100), *files], 0)) == 2
    assert time.process_time() - begun < 5


files_of_a_log = st.lists(
    st.builds(
        lambda first, count, length: LogFile(first, first + count, length),
        st.integers(1, 8),
        st.integers(0, 4),
        st.integers(0, 1 << 20),
    ),
    max_size=12,
)


@given(files_of_a_log, st.integers(0, 4))
def test_what_is_chosen_of_the_log_is_the_cheapest(files, after):
    files = [LogFile(number, number, 1 << 19) for number in range(1, 13)] + files
    chosen = covering(files, after)
    assert all(file.first - 1 <= before for file, before in zip(chosen, ends(chosen, after), strict=True))
    cheapest = {after: 0}
    for last in range(after + 1, 13):
        cheapest[last] = min(
            cheapest[place] + cost(file)
            for file in files
            for place in cheapest
            if file.last == last and file.first - 1 <= place < last
        )
    assert chosen[-1].last == 12
    assert sum(map(cost, chosen)) == cheapest[12]


def ends(chosen, after):
    return [after, *(file.last for file in chosen[:-1])]


def cost(file):
    return file.bytes + (1 << 18)
