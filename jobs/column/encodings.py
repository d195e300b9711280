"""Text and byte strings out of byte strings: kept, stripped, decoded."""

import codecs
import re
from typing import Final

import numpy as np

from jobs.column.kernel import Kernel, Make, Parsed, Wish, convert_each, spread_mask
from jobs.column.packed import PackedTexts, Spans
from jobs.column.transform import Ints, Mask
from jobs.errors import ColumnError

# encodings in which the characters of ASCII are these bytes, wherever they stand
_LIKE_ASCII: Final = frozenset(codecs.lookup(name).name for name in ("ascii", "utf-8", "latin-1", "cp1252"))
_UTF8: Final = codecs.lookup("utf-8").name
_BACKSLASH: Final = ord("\\")


def make_bytes(wish: Wish) -> Kernel:
    """Keep byte strings as they are."""
    wish.refuse_argument()
    return lambda texts: (texts.pack(), None)


def make_stripped(make: Make) -> Make:
    """Return the maker of a conversion that sees texts without white space around them."""

    def make_it(wish: Wish) -> Kernel:
        kernel = make(wish)
        return lambda texts: kernel(texts.strip())

    return make_it


def make_ascii(wish: Wish) -> Kernel:
    """Make ASCII; what is none becomes a backslash and three octal digits, or is bad."""
    how = wish.choose("replace", "encode", "strict")
    special = re.compile(rb"[\x80-\xff\\]" if how == "encode" else rb"[\x80-\xff]")

    def careful(text: bytes) -> bytes:
        if how == "strict":
            raise ValueError
        return special.sub(lambda char: b"\\%03o" % ord(char[0]), text)

    def kernel(texts: Spans) -> Parsed:
        packed = texts.pack(are_bytes=False)
        is_special = packed.data >= 0x80
        if how == "encode":
            is_special |= packed.data == _BACKSLASH
        if not is_special.any():
            return packed, None
        rows = _rows_of(is_special, packed)
        found, bad = convert_each(packed.spans.where(rows), careful, b"")
        return _with_rows(packed, rows, found, bad)

    return kernel


def make_unicode(wish: Wish) -> Kernel:
    """Make text of what is in an encoding; what is none of it is bad, or replaced or ignored after "/"."""
    name, _, errors = (wish.argument or "").partition("/")
    errors = errors or "strict"
    if errors not in ("strict", "replace", "ignore"):
        raise ColumnError(
            f"no conversion '{wish.name}'", hint="'/' is followed by strict or replace or ignore"
        )
    try:
        "\n".encode(name)  # which refuses those that are no encodings of text
    except LookupError:
        raise ColumnError(f"no encoding '{name}' in '{wish.name}'", hint="the usual one is 'utf-8'") from None
    codec = codecs.lookup(name).name

    def careful(text: bytes) -> bytes:
        return text.decode(codec, errors).encode()

    def kernel(texts: Spans) -> Parsed:
        packed = texts.pack(are_bytes=False)
        rows = np.arange(len(packed))
        if codec in _LIKE_ASCII:
            beyond = packed.data >= 0x80
            if not beyond.any() or (codec == _UTF8 and _is_utf8(packed)):
                return packed, None
            rows = _rows_of(beyond, packed)
        found, bad = convert_each(packed.spans.where(rows), careful, b"")
        return _with_rows(packed, rows, found, bad)

    return kernel


def _is_utf8(texts: PackedTexts) -> bool:
    try:
        str(texts.data.data, "utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _rows_of(bytes_chosen: Mask, texts: PackedTexts) -> Ints:
    """Return the rows in which a byte is chosen."""
    return np.unique(np.searchsorted(texts.offsets, np.flatnonzero(bytes_chosen), "right") - 1)


def _with_rows(texts: PackedTexts, rows: Ints, found: list[bytes], bad_rows: Mask | None) -> Parsed:
    """Return the texts with others in some rows, and which are bad."""
    packed = texts.spans.replaced(rows, found).pack(are_bytes=False)
    return packed, None if bad_rows is None else spread_mask(bad_rows, rows, len(packed))
