"""Stamps: what a picture that leaves the store says of the job that made it, written into the copy that leaves.

In a PNG an `iTXt` chunk behind the first one, in a JPEG a comment behind what cameras and programs have to say, in an
SVG a processing instruction at its beginning. None of them changes what is seen; taken out again, what is left are the
bytes of the store. It is JSON in ASCII. It names no machine, no user and no folder of theirs.
"""

import json
import re
import struct
from dataclasses import asdict, dataclass, fields
from typing import BinaryIO, Final, NamedTuple
from zlib import crc32

from blake3 import blake3

from cas.oid import ObjectId, is_oid

KEYWORD: Final = "acc-stamp"
# in which a stamp has its place, and that is looked through for one
HEAD_BYTES: Final = 1 << 18

_PNG: Final = b"\x89PNG\r\n\x1a\n"
# the signature, and the chunk that has to be the first one
_PNG_HEAD_BYTES: Final = len(_PNG) + 25
_JPEG: Final = b"\xff\xd8"
# JFIF and Exif have to be the first ones
_JPEG_FIRST: Final = (b"\xff\xe0", b"\xff\xe1")
_JPEG_SKIPPED: Final = frozenset(range(0xE0, 0xF0)) | {0xFE}
_JPEG_COMMENT: Final = b"\xff\xfe"
_LONGEST: Final = 60_000
_CHUNK_BYTES: Final = 1 << 20
# What may stand before the root of an SVG. A DTD with declarations of its own, and any other encoding, is left alone.
_BEFORE_ROOT: Final = re.compile(rb"\s++|<!--.*?-->|<\?(?!xml\s).*?\?>|<!DOCTYPE\s[^\[\]<>]*+>", re.DOTALL)
_DECLARATION: Final = re.compile(rb"(?:\xef\xbb\xbf)?(?:<\?xml\s[^?>]*+\?>)?", re.DOTALL)
_ENCODING: Final = re.compile(rb"""encoding\s*=\s*["'](?!(?i:utf-8|us-ascii|iso-8859-1)["'])""")
_ROOT: Final = re.compile(rb"<(?:[A-Za-z]\w*:)?svg[\s/>]")
_SVG_STAMP: Final = re.compile(rb"<\?" + KEYWORD.encode() + rb" (\{[^>]*\})\?>\n")


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a file says of where it comes from.

    Attributes
    ----------
    job : str
        The label, in the project that the file comes from.
    run, blob : ObjectId
        Of the run that made the file, and of the file without its stamp.
    file : str
        Its name in the job.
    when : str
        When the job ended, UTC.
    acc : str
        The version that wrote the stamp.
    """

    job: str
    method: str
    run: ObjectId
    blob: ObjectId
    file: str
    when: str
    acc: str


class Placed(NamedTuple):
    """Bytes in a file, and where they are: where they go in, or where they were found."""

    start: int
    data: bytes

    @property
    def end(self) -> int:
        """Where they end, when they are in."""
        return self.start + len(self.data)


def place(stamp: Stamp, head: bytes) -> Placed | None:
    """Return what of a stamp goes into a file, and where; None when it is none that takes one, or is damaged.

    Parameters
    ----------
    head
        The first `HEAD_BYTES` bytes of the file.
    """
    text = _to_text(stamp)
    if len(text) > _LONGEST:
        return None
    if head.startswith(_PNG):
        return _into_png(text, head)
    if head.startswith(_JPEG):
        return _into_jpeg(text, head)
    return _into_svg(text, head)


def find(stream: BinaryIO) -> tuple[Stamp, Placed] | None:
    """Return the first stamp in a file, and where it is; None when there is none that can be read."""
    stream.seek(0)
    head = stream.read(HEAD_BYTES)
    if head.startswith(_PNG):
        found = _in_png(stream)
    elif head.startswith(_JPEG):
        found = _in_jpeg(head)
    else:
        match = _SVG_STAMP.search(head)
        found = (match[1], Placed(match.start(), match[0])) if match else None
    stamp = found and _from_text(found[0])
    return (stamp, found[1]) if found and stamp else None


def oid_without(stream: BinaryIO, placed: Placed) -> ObjectId:
    """Return the object id of a file without what was found in it."""
    stream.seek(0)
    hasher = blake3(stream.read(placed.start))
    stream.seek(placed.end)
    while piece := stream.read(_CHUNK_BYTES):
        hasher.update(piece)
    return ObjectId(hasher.hexdigest())


# -- the text ------------------------------------------------------------------------------------------------


def _to_text(stamp: Stamp) -> bytes:
    text = json.dumps(asdict(stamp))
    # what would end a processing instruction, or a comment
    for letter in "<>?&":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return text.encode("ascii")


def _from_text(text: bytes) -> Stamp | None:
    """Return what a stamp says; anybody may have written it."""
    try:
        said = json.loads(text)
        given = {field.name: said[field.name] for field in fields(Stamp)}
        if not all(isinstance(value, str) for value in given.values()):
            return None
        return Stamp(**given) if is_oid(given["run"]) and is_oid(given["blob"]) else None
    except (ValueError, TypeError, LookupError, RecursionError):
        return None


# -- PNG -----------------------------------------------------------------------------------------------------


def _into_png(text: bytes, head: bytes) -> Placed | None:
    first = head[len(_PNG) : _PNG_HEAD_BYTES]
    if len(first) < 25 or first[:8] != b"\0\0\0\rIHDR" or first[21:] != struct.pack(">I", crc32(first[4:21])):
        return None
    # not compressed, no language, no keyword in another one
    body = b"iTXt" + KEYWORD.encode() + b"\0" + b"\0\0" + b"\0\0" + text
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", crc32(body))
    return Placed(_PNG_HEAD_BYTES, chunk)


def _in_png(stream: BinaryIO) -> tuple[bytes, Placed] | None:
    """Return the stamp among all chunks: programs that write a picture again move it."""
    start, sought = len(_PNG), b"iTXt" + KEYWORD.encode() + b"\0"
    while True:
        stream.seek(start)
        begin = stream.read(4 + len(sought))
        if len(begin) < 8:
            return None
        length = int.from_bytes(begin[:4], "big")
        if begin[4:] == sought and length <= _LONGEST + 100:
            data = begin + stream.read(12 + length - len(begin))
            uncompressed = data[len(begin) : len(begin) + 2] == b"\0\0"
            parts = data[len(begin) + 2 : -4].split(b"\0", 2)
            if uncompressed and len(parts) == 3:
                return parts[2], Placed(start, data)
        start += 12 + length


# -- JPEG ----------------------------------------------------------------------------------------------------


def _into_jpeg(text: bytes, head: bytes) -> Placed | None:
    place = len(_JPEG)
    while head[place : place + 2] in _JPEG_FIRST:
        length = int.from_bytes(head[place + 2 : place + 4], "big")
        place += 2 + length
        if length < 2 or place >= len(head):
            return None
    if head[place : place + 1] != b"\xff":
        return None
    body = KEYWORD.encode() + b" " + text
    return Placed(place, _JPEG_COMMENT + struct.pack(">H", len(body) + 2) + body)


def _in_jpeg(head: bytes) -> tuple[bytes, Placed] | None:
    place, sought = len(_JPEG), KEYWORD.encode() + b" "
    while (
        head[place : place + 1] == b"\xff"
        and head[place + 1 : place + 2]
        and head[place + 1] in _JPEG_SKIPPED
    ):
        length = int.from_bytes(head[place + 2 : place + 4], "big")
        body = head[place + 4 : place + 2 + length]
        if head[place : place + 2] == _JPEG_COMMENT and body.startswith(sought):
            return body.removeprefix(sought), Placed(place, head[place : place + 2 + length])
        place += 2 + max(length, 2)
    return None


# -- SVG -----------------------------------------------------------------------------------------------------


def _into_svg(text: bytes, head: bytes) -> Placed | None:
    declaration = _DECLARATION.match(head)
    assert declaration is not None, "it may be empty"
    if _ENCODING.search(declaration[0]):
        return None
    root = declaration.end()
    # one by one: as one pattern it would try each comment with each end of another
    while match := _BEFORE_ROOT.match(head, root):
        root = match.end()
    if not _ROOT.match(head, root):
        return None
    return Placed(declaration.end(), b"<?" + KEYWORD.encode() + b" " + text + b"?>\n")
