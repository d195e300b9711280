"""Changes of a remote: what several say together, and what is no change at all."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cas.errors import CorruptRemote, UnknownFormat
from cas.oid import oid_of
from cas.remote.log import decode_file, encode_file
from cas.remote.transaction import Change, LargeObject

oids = st.integers(0, 5).map(lambda n: oid_of(b"%d" % n))
sizes = st.integers(0, 1 << 40)
changes = st.builds(
    Change,
    nonce=st.text(max_size=3),
    why=st.just("test"),
    refs=st.dictionaries(st.sampled_from(["jobs/dev/1", "jobs/dev/2", "actions/a"]), st.none() | oids),
    indexes=st.dictionaries(oids, st.none() | st.dictionaries(oids, sizes, max_size=2), max_size=3),
    objects=st.dictionaries(oids, st.none() | st.builds(LargeObject, sizes, sizes, sizes), max_size=3),
    dropped=st.dictionaries(st.sampled_from(["idx/a", "packs/b"]), st.none() | sizes),
    deleting=st.dictionaries(st.sampled_from(["idx/a", "packs/b"]), st.none() | sizes),
)


def state_of(parts):
    """Return what changes come to, applied one after the other to nothing."""
    state = [{}, {}, {}, {}, {}]
    for change in parts:
        for held, news in zip(
            state,
            (change.refs, change.indexes, change.objects, change.dropped, change.deleting),
            strict=True,
        ):
            held.update(news)
            for name in [name for name, value in held.items() if value is None]:
                del held[name]
    return state


@given(changes)
def test_a_change_comes_back_from_its_file(change):
    assert decode_file(encode_file(change), "log") == change


@given(st.lists(changes, min_size=1, max_size=5), st.data())
def test_what_is_merged_says_the_same(parts, data):
    middle = data.draw(st.integers(0, len(parts) - 1))
    before, rest = parts[:middle], parts[middle:]
    merged = rest[0]
    for change in rest[1:]:
        merged = merged.then(change, from_the_start=not before)
    assert state_of([*before, merged]) == state_of(parts)
    assert state_of([*before, merged, merged]) == state_of(parts)


def test_a_merge_from_the_start_forgets_what_went():
    oid = oid_of(b"")
    came, went = Change("1", refs={"jobs/dev/1": oid}), Change("2", refs={"jobs/dev/1": None})
    assert came.then(went, from_the_start=True).is_empty
    assert came.then(went, from_the_start=False).refs == {"jobs/dev/1": None}


BODY = {
    "deleting": {},
    "dropped": {},
    "format": 1,
    "indexes": {},
    "nonce": "n",
    "objects": {},
    "refs": {},
    "why": "",
}


@pytest.mark.parametrize(
    "wrong",
    [
        {"refs": {"../../etc/passwd": oid_of(b"")}},
        {"refs": {"/jobs": oid_of(b"")}},
        {"refs": {"jobs/dev/1": "short"}},
        {"refs": []},
        {"indexes": {"../x": {}}},
        {"indexes": {oid_of(b""): {"../x": 1}}},
        {"indexes": {oid_of(b""): {oid_of(b""): -1}}},
        {"indexes": {oid_of(b""): {oid_of(b""): True}}},
        {"objects": {oid_of(b""): [1, 2]}},
        {"objects": {oid_of(b""): [1, 2, 1 << 63]}},
        {"dropped": {"a/../b": 1}},
        {"deleting": {"a/../b": 1}},
        {"nonce": 1},
        {"more": 1},
    ],
    ids=str,
)
def test_what_is_no_change_is_refused(wrong):
    data = json.dumps({**BODY, **wrong}, sort_keys=True, separators=(",", ":")).encode()
    with pytest.raises(CorruptRemote):
        Change.decode(data, "log/1")


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b"null", b"\xff", b'{"format":1}'], ids=repr)
def test_what_is_no_json_of_ours_is_refused(data):
    with pytest.raises(CorruptRemote):
        Change.decode(data, "log/1")


def test_a_later_format_says_so():
    data = json.dumps({**BODY, "format": 2}, sort_keys=True, separators=(",", ":")).encode()
    with pytest.raises(UnknownFormat, match="format 2"):
        Change.decode(data, "log/1")


def test_every_flipped_byte_of_a_log_file_is_noticed():
    data = encode_file(Change("n", "why", refs={"jobs/dev/1": oid_of(b"1")}))
    for place in range(len(data)):
        flipped = bytearray(data)
        flipped[place] ^= 4
        with pytest.raises((CorruptRemote, UnknownFormat)):
            decode_file(bytes(flipped), "log/1")


@pytest.mark.parametrize("length", [0, 1, 40, 80, -1])
def test_a_log_file_that_is_cut_short_is_noticed(length):
    with pytest.raises(CorruptRemote):
        decode_file(encode_file(Change("n"))[:length], "log/1")
