"""What a file is."""

import pytest

from porcelain.board.content.kinds import TEXT, kind_of

SCRIPT = b"<script>alert(1)</script>"


def kind(name: str, data: bytes):
    return kind_of(name, data, len(data))


@pytest.mark.parametrize(
    ("name", "data", "word", "media_type"),
    [
        ("a.png", b"\x89PNG\r\n\x1a\n", "picture", "image/png"),
        ("a", b"\xff\xd8\xff\xe0", "picture", "image/jpeg"),
        ("a.bin", b"RIFF\0\0\0\0WEBPVP8 ", "picture", "image/webp"),
        ("a.bin", b"\0\0\0\x20ftypavif", "picture", "image/avif"),
        ("a.svg", b"\xef\xbb\xbf <?xml?><svg/>", "picture", "image/svg+xml"),
        ("a.pdf", b"%PDF-1.7\n", "pdf", "application/pdf"),
        ("a.mp4", b"\0\0\0\x20ftypisom", "video", "video/mp4"),
        ("a.wav", b"RIFF\0\0\0\0WAVEfmt ", "audio", "audio/wav"),
        ("a.CSV", b"a,b\n", "table", TEXT),
        ("a.jsonl", b"{}\n", "table", TEXT),
        ("a.json", b"{}", "json", TEXT),
        ("a.pickle", b"\x80\x04N.", "pickle", ""),
        ("a.pickle", b"cos\nsystem\n", "pickle", ""),
        ("a.zip", b"PK\x03\x04", "binary", ""),
        ("a", b"\0\1\2", "binary", ""),
        ("a.csv", "größe,b\n".encode("latin-1"), "table", TEXT),
        ("a.png", b"", "empty", TEXT),
    ],
)
def test_content_and_suffix_decide(name, data, word, media_type):
    found = kind(name, data)
    assert (found.word, found.media_type) == (word, media_type)


@pytest.mark.parametrize(
    "name", ["x.html", "x.svg", "x.xhtml", "x.xml", "x.js", "x.png", "x.pdf", "x.swf", "x", "x.HTM"]
)
def test_no_text_is_ever_handed_out_as_something_that_runs(name):
    for data in (SCRIPT, b"<html>" + SCRIPT, b"var x = 1"):
        assert kind(name, data).media_type == TEXT


def test_a_polyglot_is_what_it_begins_with():
    assert kind("x.html", b"GIF89a/*" + SCRIPT).media_type == "image/gif"


def test_a_character_that_is_cut_at_the_end_of_the_beginning_is_no_fault():
    text = "é".encode()
    assert kind_of("a.txt", text[:1], 2).word == "text"
    assert kind_of("a", text[:1], 1).word == "binary"
