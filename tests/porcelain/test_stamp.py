"""What pictures say of the job that made them."""

import io
import struct
from dataclasses import replace
from zlib import crc32

import pytest

from cas.oid import oid_of
from porcelain import stamp
from porcelain.stamp import Stamp

SAID = Stamp("dev-1", "plot", oid_of(b"run"), oid_of(b"blob"), "a.png", "2026-01-01T00:00:00.000000Z", "1.0")
HEAD = b"IHDR" + struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
PNG = (
    b"\x89PNG\r\n\x1a\n\0\0\0\r"
    + HEAD
    + struct.pack(">I", crc32(HEAD))
    + b"\0\0\0\0IEND"
    + struct.pack(">I", crc32(b"IEND"))
)
JPEG = b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0\xff\xdb\0\x03\0\xff\xd9"
SVG = b'<?xml version="1.0" encoding="utf-8"?>\n<!DOCTYPE svg PUBLIC "x" "y.dtd">\n<!-- a > b -->\n<svg width="1"/>\n'
PICTURES = {"png": PNG, "jpeg": JPEG, "svg": SVG}


def stamped(data: bytes, said: Stamp = SAID) -> bytes:
    placed = stamp.place(said, data[: stamp.HEAD_BYTES])
    return data if placed is None else data[: placed.start] + placed.data + data[placed.start :]


@pytest.fixture(params=PICTURES.values(), ids=PICTURES)
def picture(request) -> bytes:
    return request.param


def test_what_was_put_in_is_found(picture):
    found = stamp.find(io.BytesIO(stamped(picture)))
    assert found is not None
    assert found[0] == SAID


def test_taken_out_again_it_leaves_the_bytes_that_were(picture):
    stream = io.BytesIO(stamped(picture))
    _, placed = stamp.find(stream)
    assert stamp.oid_without(stream, placed) == oid_of(picture)


def test_the_newest_stamp_is_found_first(picture):
    again = stamped(stamped(picture), replace(SAID, job="dev-2"))
    found, placed = stamp.find(io.BytesIO(again))
    assert found.job == "dev-2"
    assert stamp.oid_without(io.BytesIO(again), placed) == oid_of(stamped(picture))


def test_names_of_files_cannot_end_it(picture):
    said = replace(SAID, file="?><svg onload='x'/>--></svg>\0\xff\n\u202e")
    data = stamped(picture, said)
    assert stamp.find(io.BytesIO(data))[0] == said
    assert b"onload" not in data or b"<svg onload" not in data


def test_every_chunk_of_a_png_keeps_its_checksum():
    data, start = stamped(PNG), 8
    while start < len(data):
        length = int.from_bytes(data[start : start + 4], "big")
        body, check = data[start + 4 : start + 8 + length], data[start + 8 + length : start + 12 + length]
        assert struct.pack(">I", crc32(body)) == check
        start += 12 + length
    assert start == len(data)


def test_a_stamp_that_another_program_moved_is_found():
    data = stamped(PNG)
    chunk = data[33 : len(data) - 12]
    assert stamp.find(io.BytesIO(PNG[:-12] + chunk + PNG[-12:]))[0] == SAID


@pytest.mark.parametrize(
    "data",
    [
        b"",
        PNG[:20],
        PNG[:29] + b"\0\0\0\0" + PNG[33:],
        JPEG[:2],
        JPEG[:10],
        b"\xff\xd8\xff\xe0\0\0",
        SVG.replace(b"utf-8", b"utf-16"),
        SVG.decode().encode("utf-16"),
        b'<!DOCTYPE svg [<!ENTITY a "b">]><svg/>',
        b"<!-- no end <svg/>",
        b"<html><svg/></html>",
        b"text",
    ],
)
def test_what_is_damaged_or_odd_takes_none(data):
    assert stamp.place(SAID, data) is None


def test_many_comments_take_no_longer_than_they_are_long():
    assert stamp.place(SAID, b"<!-- a -->" * 20_000 + b"<x/>") is None


@pytest.mark.parametrize(
    "text",
    [
        b"{}",
        b"{" * 50_000,
        b'{"job": 1}',
        b"no json",
        b'{"job":"a","method":"b","run":"../x","blob":"c","file":"d","when":"e","acc":"f"}',
    ],
)
def test_what_only_looks_like_a_stamp_is_none(text):
    svg = b"<?acc-stamp " + text + b"?>\n<svg/>"
    jpeg = b"\xff\xd8\xff\xfe" + struct.pack(">H", len(text) + 12) + b"acc-stamp " + text + b"\xff\xd9"
    assert stamp.find(io.BytesIO(svg)) is None
    assert stamp.find(io.BytesIO(jpeg)) is None


@pytest.mark.parametrize("end", range(0, 60, 7))
def test_a_cut_picture_says_nothing(picture, end):
    assert stamp.find(io.BytesIO(stamped(picture)[: len(picture) // 3 + end])) is None


def test_it_names_no_machine_and_no_user():
    assert set(Stamp.__dataclass_fields__) == {"job", "method", "run", "blob", "file", "when", "acc"}
