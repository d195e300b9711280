"""Seals: what is said of one stored form, in a skippable frame beside it that every zstd decoder passes over.

The short seal stands where the object's id is known from elsewhere, by a file's name or an index. The named seal
holds the id too, and longer lengths; it stands in segments, which have no index, behind loose objects of 4 GiB and
more, and in all that the first version wrote.

Notes
-----
Source: docs/reference/formats/object.md.
"""

import struct
from mmap import mmap
from typing import NamedTuple
from zlib import crc32

from cas.errors import UnknownFormat
from cas.oid import Buffer, ObjectId

# what acc itself puts around frames
SKIPPABLE = b"\x5c\x2a\x4d\x18"
_SHORT_SKIPPABLE = b"\x5d\x2a\x4d\x18"

_CRC = struct.Struct("<I")
_SHORT = struct.Struct("<4sIIII")
_NAMED = struct.Struct("<4sI4sI32sQQI")
SEAL_BYTES = _SHORT.size + _CRC.size
NAMED_SEAL_BYTES = _NAMED.size + _CRC.size
SEAL_START = struct.pack("<4sI", _SHORT_SKIPPABLE, SEAL_BYTES - 8)
# the lengths in a short seal, and places in packs, have four bytes
MOST_BYTES = (1 << 32) - 1
NAMED_SEAL_START = struct.pack("<4sI4s", SKIPPABLE, NAMED_SEAL_BYTES - 8, b"accO")


class Seal(NamedTuple):
    """What is said of one stored form: whose it is, how long, and the CRC-32 of its stored bytes.

    Attributes
    ----------
    digest : bytes
        The object id, as 32 bytes.
    """

    digest: bytes
    raw_bytes: int
    stored_bytes: int
    crc: int

    @property
    def oid(self) -> ObjectId:
        """The object id as text."""
        return ObjectId(self.digest.hex())


def encode_seal(seal: Seal) -> bytes:
    """Return `seal` without its id, as a skippable frame that ends in a CRC-32 of itself.

    >>> len(encode_seal(Seal(bytes(32), 0, 13, 0)))
    24
    """
    packed = _SHORT.pack(_SHORT_SKIPPABLE, SEAL_BYTES - 8, *seal[1:])
    return packed + _CRC.pack(crc32(packed))


def find_seal(data: Buffer | mmap, offset: int, digest: bytes) -> Seal | None:
    """Return the short seal at `offset` in `data`, that of the object `digest`; None when it is not whole."""
    end = offset + _SHORT.size
    packed = bytes(data[offset:end])
    if not packed.startswith(SEAL_START) or data[end : end + _CRC.size] != _CRC.pack(crc32(packed)):
        return None
    return Seal(digest, *_SHORT.unpack(packed)[2:])


def encode_named_seal(seal: Seal) -> bytes:
    """Return `seal` with its id, as a skippable frame that ends in a CRC-32 of itself.

    >>> len(encode_named_seal(Seal(bytes(32), 0, 13, 0)))
    72
    """
    packed = _NAMED.pack(SKIPPABLE, NAMED_SEAL_BYTES - 8, b"accO", 0, *seal)
    return packed + _CRC.pack(crc32(packed))


def find_named_seal(data: Buffer | mmap, offset: int = 0) -> Seal | None:
    """Return the named seal that stands at `offset` in `data`, or None when there is none or it is damaged.

    Raises
    ------
    UnknownFormat
        When it is whole, but tells of a form that this acc does not know.
    """
    end = offset + _NAMED.size
    packed = bytes(data[offset:end])
    if not packed.startswith(NAMED_SEAL_START) or data[end : end + _CRC.size] != _CRC.pack(crc32(packed)):
        return None
    _, _, _, form, *rest = _NAMED.unpack(packed)
    seal = Seal(*rest)
    if form:
        raise UnknownFormat(f"object '{seal.oid}' is stored in a form that this acc does not know")
    return seal
