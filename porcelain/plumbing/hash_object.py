"""`acc hash-object`: the object id of files, and with -w the files into the store."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, BinaryIO

from cas.oid import ObjectId, oid_of_stream
from jobs.errors import NoSuchFile
from porcelain import term
from porcelain.arguments import Parser

if TYPE_CHECKING:
    from cas.store import Store

_CHUNK_BYTES = 1 << 20


def main(arguments: Sequence[str]) -> int:
    """Run the command and return its exit code."""
    parser = Parser(
        "hash-object",
        "Print the object id (BLAKE3-256) of files: what 'b3sum' prints.",
        prints="ID, one line for each file (stdin first)",
    )
    parser.add_argument("-w", action="store_true", dest="write", help="store the bytes as objects too")
    parser.add_argument("--stdin", action="store_true", help="read the bytes of one object from stdin")
    parser.add_argument("files", nargs="*", metavar="FILE")
    given = parser.parse(arguments)
    if not given.stdin and not given.files:
        parser.error("give a FILE, or --stdin")
    store = _open_store() if given.write else None
    if given.stdin:
        term.record(_take(sys.stdin.buffer, store))
    for name in given.files:
        term.record(_take_file(name, store))
    return 0


def _open_store() -> "Store":
    from porcelain import config, storage

    return storage.open_store(config.here())


def _take_file(name: str, store: "Store | None") -> ObjectId:
    try:
        with open(name, "rb") as stream:
            return _take(stream, store)
    except (FileNotFoundError, IsADirectoryError, PermissionError) as err:
        raise NoSuchFile(f"cannot read '{name}': {(err.strerror or '').lower()}") from err


def _take(stream: BinaryIO, store: "Store | None") -> ObjectId:
    if store is None:
        return oid_of_stream(stream)
    writer = store.writer()
    try:
        while chunk := stream.read(_CHUNK_BYTES):
            writer.write(chunk)
        return writer.commit()
    finally:
        writer.abort()
