"""The bytes of files as answers."""

import os
from pathlib import Path

import pytest

from cas.errors import CorruptObject
from cas.local.store import LocalStore
from cas.oid import oid_of
from porcelain.board.content.sending import POLICY, Sent, send
from tests.porcelain.board.boards import body_of

# of several frames, which are sent one after the other
LARGE = os.urandom(1 << 20) * 9
SMALL = b"0123456789"


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> LocalStore:
    made = LocalStore.create(tmp_path_factory.mktemp("store"), durability="none")
    for data in (LARGE, SMALL):
        made.put(data)
    return made


def ask(store, data=SMALL, *, only_head=False, name="a.txt", sent=None, **headers):
    found = sent or Sent(oid_of(data), name, len(data), "text/plain")
    return send(
        store, found, {key.replace("_", "-"): value for key, value in headers.items()}, only_head=only_head
    )


@pytest.mark.parametrize("data", [SMALL, LARGE], ids=["small", "large"])
def test_the_bytes_are_those_of_the_store(store, data):
    answer = ask(store, data)
    assert answer.headers["content-length"] == str(len(data))
    assert answer.headers["etag"] == f'"{oid_of(data)}"'
    assert body_of(answer) == data


@pytest.mark.parametrize(
    ("asked", "found"),
    [("2-4", b"234"), ("8-", b"89"), ("8-99", b"89"), ("-3", b"789"), ("-99", SMALL), ("0-0", b"0")],
)
def test_a_part_is_sent_when_it_is_asked_for(store, asked, found):
    answer = ask(store, range=f"bytes={asked}")
    assert (answer.status_code, body_of(answer)) == (206, found)
    start = SMALL.index(found)
    assert answer.headers["content-range"] == f"bytes {start}-{start + len(found) - 1}/10"
    assert answer.headers["content-length"] == str(len(found))


def test_a_part_over_the_frames_of_a_large_object_is_right(store):
    start = (4 << 20) - 5
    assert body_of(ask(store, LARGE, range=f"bytes={start}-{start + 9}")) == LARGE[start : start + 10]


@pytest.mark.parametrize("asked", ["10-", "99-100", "-0"])
def test_a_part_behind_the_end_is_416(store, asked):
    answer = ask(store, range=f"bytes={asked}")
    assert (answer.status_code, answer.headers["content-range"]) == (416, "bytes */10")


@pytest.mark.parametrize(
    "asked", ["bytes=-", "bytes=4-2", "bytes=1-2,4-5", "lines=1-2", "bytes=" + "9" * 99 + "-", ""]
)
def test_what_is_no_part_is_not_heeded(store, asked):
    answer = ask(store, range=asked)
    assert (answer.status_code, body_of(answer)) == (200, SMALL)


def test_a_part_of_what_it_was_before_is_all_of_it(store):
    assert ask(store, range="bytes=1-2", if_range='"other"').status_code == 200
    assert ask(store, range="bytes=1-2", if_range=f'"{oid_of(SMALL)}"').status_code == 206


def test_who_has_it_is_not_sent_it_again(store):
    for tags in (f'"{oid_of(SMALL)}"', f'"x", W/"{oid_of(SMALL)}"'):
        assert ask(store, if_none_match=tags).status_code == 304
    assert ask(store, if_none_match='"x"').status_code == 200


def test_a_head_has_no_body_of(store):
    answer = ask(store, LARGE, only_head=True)
    assert (answer.body, answer.headers["content-length"]) == (b"", str(len(LARGE)))


def test_a_damaged_object_breaks_off(tmp_path):
    store = LocalStore.create(tmp_path / "s", durability="none")
    path = Path(store.loose.path_of(store.put(LARGE)))
    stored = bytearray(path.read_bytes())
    # in the middle of what no frame can make smaller: elsewhere a bit may mean the same when it is turned
    stored[len(stored) // 6] ^= 1
    path.chmod(0o644)
    path.write_bytes(stored)
    with pytest.raises(CorruptObject):
        body_of(ask(store, LARGE))


def test_what_may_not_be_shown_is_kept(store):
    sent = Sent(oid_of(SMALL), "x.html", 10)
    headers = ask(store, sent=sent).headers
    assert headers["content-type"] == "application/octet-stream"
    assert headers["content-disposition"].startswith("attachment;")
    assert headers["content-security-policy"] == POLICY


@pytest.mark.parametrize(
    "name",
    [
        'a"b\r\nSet-Cookie: x=1.png',
        "\u202egnp.exe",
        "é" * 120 + ".png",
        "x" * 4000 + ".png",
        "../../etc/passwd",
        "a;b=c%41.png",
        "\\\\host\\share",
        "\u2028\x85\x7f",
        "日本.csv",
    ],
)
def test_a_name_says_nothing_but_a_name(store, name):
    head = ask(store, name=name).raw_headers
    (disposition,) = [value for key, value in head if key == b"content-disposition"]
    assert disposition.isascii()
    assert all(32 <= byte < 127 for byte in disposition)
    assert disposition.count(b'"') == 2
    assert b"/" not in disposition
    assert b"\\" not in disposition
    assert b"E2%80%AE" not in disposition
    assert len(disposition) < 1500


def test_a_stamp_goes_in_where_it_belongs(store):
    sent = Sent(oid_of(LARGE), "a.png", len(LARGE), put_in=b"stamp", place=33)
    answer = ask(store, sent=sent, range="bytes=0-3")
    assert body_of(answer) == LARGE[:33] + b"stamp" + LARGE[33:]
    assert answer.headers["content-length"] == str(len(LARGE) + 5)
    assert answer.headers["etag"] != f'"{oid_of(LARGE)}"'
