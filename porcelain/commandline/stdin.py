"""What another program sends: the bytes of stdin, or records in them."""

import sys
from collections.abc import Iterator
from typing import BinaryIO

_CHUNK_BYTES = 1 << 16


def stream() -> BinaryIO:
    """Return stdin as bytes."""
    return sys.stdin.buffer


def records(*, nul: bool = False) -> Iterator[bytes]:
    """Yield each line of stdin as soon as it is there, without its newline; with `nul`, records that end in NUL.

    The last one need not be ended.
    """
    end = b"\0" if nul else b"\n"
    source, rest = stream(), b""
    # read1 returns with what there is: the sender may wait for an answer before it goes on
    while chunk := source.read1(_CHUNK_BYTES):  # type: ignore[attr-defined]  # any buffered stream has it
        *whole, rest = (rest + chunk).split(end)
        yield from whole
    if rest:
        yield rest
