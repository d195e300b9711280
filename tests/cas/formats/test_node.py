from contextlib import suppress
from dataclasses import dataclass, replace
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cas.errors import NotANode, ObjectNotFound, UnknownFormat
from cas.formats.canonical import dumps, loads
from cas.formats.node import decode, encode, get_node, put_node, read_envelope
from cas.oid import ObjectId, oid_of, parse_oid
from tests.strategies import keys, object_ids, structures

A, B, C = (oid_of(name) for name in (b"a", b"b", b"c"))


@dataclass(frozen=True, slots=True)
class Album:
    """A node as the engine would write one."""

    KIND: ClassVar[str] = "album"
    FORMAT: ClassVar[int] = 2
    title: str
    pictures: tuple[ObjectId, ...] = ()
    previous: ObjectId | None = None

    def to_body(self):
        return {"title": self.title, "pictures": list(self.pictures), "previous": self.previous}

    def blobs(self):
        return self.pictures

    def nodes(self):
        return () if self.previous is None else (self.previous,)

    @classmethod
    def from_body(cls, body):
        previous = None if body["previous"] is None else parse_oid(body["previous"])
        return cls(body["title"], tuple(map(parse_oid, body["pictures"])), previous)


@dataclass(frozen=True, slots=True)
class Poster(Album):
    KIND: ClassVar[str] = "poster"


albums = st.builds(Album, st.just("x"), st.lists(object_ids).map(tuple), st.none() | object_ids)


def change(album: Album, **fields: object) -> bytes:
    """The bytes of `album` with other top-level fields, still canonical."""
    return dumps(loads(encode(album)) | fields)


@given(albums)
def test_a_node_comes_back_from_its_bytes(album):
    data = encode(album)
    assert decode(data, Album) == album
    assert encode(decode(data, Album)) == data


@given(albums)
def test_links_are_what_the_node_names_once_and_sorted(album):
    envelope = read_envelope(encode(album))
    assert envelope.blobs == tuple(sorted(set(album.pictures)))
    assert envelope.nodes == tuple(sorted(set(album.nodes())))
    assert (envelope.kind, envelope.format) == ("album", 2)
    assert envelope.body == album.to_body()


def test_a_node_is_json_as_the_reference_page_shows_it():
    a, b, c = sorted([A, B, C])
    assert encode(Album("x", (c, a, c), b)).decode() == (
        f'{{"format":2,"kind":"album","links":{{"blobs":["{a}","{c}"],"nodes":["{b}"]}},'
        f'"pictures":["{c}","{a}","{c}"],"previous":"{b}","title":"x"}}'
    )


def test_a_node_in_a_store_is_named_by_its_bytes(store):
    album = Album("x", (A,))
    oid = put_node(store, album)
    assert oid == oid_of(encode(album))
    assert get_node(store, oid, Album) == album


def test_a_missing_node_is_a_missing_object(store):
    with pytest.raises(ObjectNotFound):
        get_node(store, A, Album)


def test_a_node_of_another_kind_is_refused_by_name(store):
    oid = put_node(store, Album("x"))
    with pytest.raises(NotANode, match=f"^object '{oid}' is a 'album' node where a 'poster' is wanted$"):
        get_node(store, oid, Poster)


@pytest.mark.parametrize("version", [1, 3, 0, -1])
def test_a_node_of_another_format_is_refused(store, version):
    data = change(Album("x"), format=version)
    with pytest.raises(UnknownFormat, match=f"format {version}; this acc reads format 2"):
        decode(data, Album)
    with pytest.raises(UnknownFormat):
        get_node(store, store.put(data), Album)


def test_the_envelope_of_a_later_format_can_still_be_read():
    envelope = read_envelope(change(Album("x", (A,)), format=7, anything=[1]))
    assert (envelope.format, envelope.blobs) == (7, (A,))


@pytest.mark.parametrize(
    "links",
    [
        {"blobs": [], "nodes": []},
        {"blobs": sorted([A, B]), "nodes": []},
        {"blobs": [A], "nodes": [A]},
        {"blobs": [], "nodes": [A]},
    ],
)
def test_a_node_whose_links_are_not_its_bodys_is_refused(links):
    data = change(Album("x", (A,)), links=links)
    read_envelope(data)
    with pytest.raises(NotANode, match="links are not those of its body"):
        decode(data, Album)


@pytest.mark.parametrize(
    "links",
    [
        None,
        [],
        {"blobs": []},
        {"blobs": [], "nodes": [], "more": []},
        {"blobs": {}, "nodes": None},
        {"blobs": [1], "nodes": []},
        {"blobs": [A, A], "nodes": []},
        {"blobs": sorted([A, B], reverse=True), "nodes": []},
        {"blobs": [A.upper()], "nodes": []},
        {"blobs": [A[:-1]], "nodes": []},
        {"blobs": [A[:-1], A + "0"], "nodes": []},
        {"blobs": [A[:-1] + "é"], "nodes": []},
        {"blobs": A, "nodes": []},
        {"blobs": [[A]], "nodes": []},
        {"blobs": {A: 1}, "nodes": []},
    ],
)
def test_links_in_any_other_form_are_refused(links):
    with pytest.raises(NotANode):
        read_envelope(change(Album("x"), links=links))


@pytest.mark.parametrize(
    "fields",
    [{"kind": 3}, {"kind": None}, {"format": "2"}, {"format": None}, {"format": True}, {"format": [2]}],
)
def test_an_envelope_of_the_wrong_types_is_refused(fields):
    with pytest.raises(NotANode):
        read_envelope(change(Album("x"), **fields))


@pytest.mark.parametrize(
    "data",
    [b"", b"\x00", b"[]", b"1", b"{}", b'{"kind":"album"}', encode(Album("x")) + b"\n", b'{"format":2}'],
)
def test_bytes_that_are_no_node_are_refused(data):
    with pytest.raises(NotANode):
        read_envelope(data)
    with pytest.raises(NotANode):
        decode(data, Album)


@given(field=keys, content=structures)
def test_a_body_of_anything_is_a_node_or_refused(field, content):
    data = change(Album("x"), **{field: content})
    with suppress(NotANode, UnknownFormat):
        decode(data, Album)


@pytest.mark.parametrize(
    "fields", [{"pictures": None}, {"pictures": [1]}, {"pictures": ["x"]}, {"previous": 1}]
)
def test_a_wrong_body_is_no_node(fields):
    with pytest.raises(NotANode, match="wrong body"):
        decode(change(Album("x"), **fields), Album)


def test_a_body_cannot_stand_in_for_the_envelope():
    class Forger(Album):
        def to_body(self):
            return {"links": {}}

    with pytest.raises(AssertionError):
        encode(Forger("x"))


def test_equal_nodes_have_equal_bytes():
    assert encode(Album("x", (A, B))) == encode(replace(Album("y", (A, B)), title="x"))


def test_a_node_of_the_first_version_is_read_and_written_still(golden):
    album = Album("ä title", (oid_of(b"one"), oid_of(b"two"), oid_of(b"one")), oid_of(b"earlier"))
    data = (golden / "node" / "album.json").read_bytes()
    assert encode(album) == data
    assert decode(data, Album) == album
    assert oid_of(data) == "8f361eeea3a0351528c3a5b1e9298e1a1d45fdcbd1c39d0a3935d8db5ba98b56"
