"""Object ids: the BLAKE3-256 of an object's raw bytes, 64 lower-case hex digits."""

import re
from os import PathLike
from typing import BinaryIO, NewType, TypeAlias

from blake3 import blake3

from cas.errors import InvalidId

ObjectId = NewType("ObjectId", str)
Buffer: TypeAlias = bytes | bytearray | memoryview

_OID = re.compile(r"[0-9a-f]{64}")
_PREFIX = re.compile(r"[0-9a-f]{4,64}")
_CHUNK_BYTES = 1 << 20


def oid_of(data: Buffer) -> ObjectId:
    """Return the object id of `data`.

    >>> oid_of(b"")[:16]
    'af1349b9f5f9a1a6'
    """
    return ObjectId(blake3(data).hexdigest())


def oid_of_stream(stream: BinaryIO) -> ObjectId:
    """Return the object id of all that `stream` still holds, read in pieces of 1 MiB."""
    hasher = blake3()
    while chunk := stream.read(_CHUNK_BYTES):
        hasher.update(chunk)
    return ObjectId(hasher.hexdigest())


def oid_of_file(path: str | PathLike[str]) -> ObjectId:
    """Return the object id of the content of the file at `path`."""
    with open(path, "rb") as stream:
        return oid_of_stream(stream)


def parse_oid(text: str) -> ObjectId:
    """Return `text` as an object id; raise `InvalidId` when it is not a whole one."""
    if not is_oid(text):
        raise InvalidId(
            f"'{text}' is no object id", hint="an object id is 64 hex digits, as b3sum prints them"
        )
    return ObjectId(text)


def is_oid(text: str) -> bool:
    """Return whether `text` is a whole object id."""
    return _OID.fullmatch(text) is not None


def is_prefix(text: str) -> bool:
    """Return whether `text` could be a short id: 4 to 64 hex digits."""
    return _PREFIX.fullmatch(text) is not None
