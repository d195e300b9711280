"""What a page shows of a file."""

import json

import pytest

from cas.local.store import LocalStore
from porcelain.board.content import shown


@pytest.fixture
def store(tmp_path) -> LocalStore:
    return LocalStore.create(tmp_path / "store", durability="none")


def show(store, name: str, data: bytes, at: int = 0):
    return shown.part(store, store.put(data), name, at)


def test_a_list_of_mappings_in_json_is_a_table_and_a_text(store):
    found = show(store, "a.json", b'[{"a": 1}, {"b": 2}]')
    assert found["table"]["rows"] == [["1", ""], ["", "2"]]
    assert json.loads(found["text"]) == [{"a": 1}, {"b": 2}]


def test_of_long_json_the_beginning_is_shown_and_that_is_said(store):
    found = show(store, "a.json", json.dumps([*range(100_000)]).encode())
    assert found["cut"]
    assert found["text"].startswith("[\n  0,\n  1,\n")
    assert len(found["text"]) < 40_000


@pytest.mark.parametrize("data", [b"{", b"[" * 100_000, b"[" + b"1," * 1_000_000 + b"1]"])
def test_what_is_no_json_or_too_long_is_shown_as_text(store, data):
    found = show(store, "a.json", data)
    assert found["text"].encode() == data[: len(found["text"])]


def test_what_is_no_table_is_shown_as_text(store):
    found = show(store, "a.csv", b'a,b\n"' + b"x,y\n" * 50_000)
    assert (found["table"], found["text"][:6]) == (None, 'a,b\n"x')


def test_a_text_goes_on_where_it_ended(store):
    data = b"line\n" * 50_000
    first = show(store, "a.txt", data)
    assert show(store, "a.txt", data, first["next"])["text"].startswith("line\n")


def test_the_beginning_of_a_file_is_short(store):
    blob = store.put(b"a,b\n" * 100_000)
    assert len(shown.brief(store, blob, "a.csv")["table"]["rows"]) == 8
    assert len(shown.brief(store, blob, "a.txt")["text"]) <= 2_000


def test_the_same_blob_is_shown_by_its_name(store):
    blob = store.put(b"a,b\n1,2\n")
    assert shown.brief(store, blob, "a.csv")["table"]
    assert shown.brief(store, blob, "a.txt")["table"] is None
