"""`acc hash-object`: the object id of files, and with -w the files into the store."""

import os
from argparse import Namespace
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING

from cas.oid import ObjectId, oid_of_file, oid_of_stream
from jobs.errors import NoSuchFile
from porcelain import term
from porcelain.commandline import stdin
from porcelain.commandline.arguments import Parser

if TYPE_CHECKING:
    from cas.store import Store

# a file of one piece is stored in a batch with the others, a larger one by itself, piece by piece
_PIECE_BYTES = 1 << 20


def main(arguments: Sequence[str]) -> int:
    """Run the command and return its exit code."""
    given = _parse(arguments)
    store = _open_store() if given.write else None
    if given.stdin:
        pieces = iter(lambda: stdin.stream().read(_PIECE_BYTES), b"")
        term.record(_write(pieces, store) if store else oid_of_stream(stdin.stream()))
    paths = map(os.fsdecode, stdin.records(nul=given.nul)) if given.stdin_paths else given.files
    code = 0
    for oid in _store_all(paths, store) if store else _hash_all(paths):
        term.record(oid or "")
        if store is None:
            term.flush()  # who sends paths may wait for each answer
        code = code if oid else 1
    return code


def _parse(arguments: Sequence[str]) -> Namespace:
    parser = Parser(
        "hash-object",
        "Print the object id (BLAKE3-256) of files: what 'b3sum' prints.",
        prints="ID, one line for each file, in order. A file that cannot be read gets an empty line, its\n"
        "reason goes to stderr, the others go on, and the exit code is 1. With -w the lines come when all\n"
        "files are stored, without it each as soon as it is known",
    )
    parser.add_argument("-w", action="store_true", dest="write", help="store the bytes as objects too")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--stdin", action="store_true", help="first read the bytes of one object from stdin")
    which.add_argument(
        "--stdin-paths", action="store_true", help="read paths of files from stdin, one a line"
    )
    parser.add_argument("-z", action="store_true", dest="nul", help="paths on stdin end with NUL instead")
    parser.add_argument("files", nargs="*", metavar="FILE")
    given = parser.parse(arguments)
    if given.stdin_paths and given.files:
        parser.error("give FILEs or --stdin-paths, not both")
    if given.nul and not given.stdin_paths:
        parser.error("-z goes with --stdin-paths")
    if not (given.stdin or given.stdin_paths or given.files):
        parser.error("give a FILE, --stdin or --stdin-paths")
    return given


def _open_store() -> "Store":
    from porcelain import config, storage

    return storage.open_store(config.here())


def _hash_all(paths: Iterable[str]) -> Iterator[ObjectId | None]:
    """Yield the id of each file, None for one that cannot be read."""
    for path in paths:
        try:
            yield oid_of_file(path)
        except (OSError, ValueError) as err:
            term.error(_unreadable(path, err))
            yield None


def _store_all(paths: Iterable[str], store: "Store") -> list[ObjectId | None]:
    """Store files as one batch; return the id of each, None for one that cannot be read."""
    oids: list[ObjectId | None] = []
    batched: list[int] = []

    def small_files() -> Iterator[bytes]:
        for path in paths:
            oids.append(None)
            pieces = _pieces(path)
            try:
                first, second = next(pieces, b""), next(pieces, b"")
                if second:
                    oids[-1] = _write(chain((first, second), pieces), store)
                    continue
            except NoSuchFile as err:
                term.error(err)
                continue
            batched.append(len(oids) - 1)
            yield first

    for place, oid in zip(batched, store.put_many(small_files()), strict=True):
        oids[place] = oid
    return oids


def _pieces(path: str) -> Iterator[bytes]:
    try:
        with open(path, "rb") as stream:
            while piece := stream.read(_PIECE_BYTES):
                yield piece
    except (OSError, ValueError) as err:
        raise _unreadable(path, err) from err


def _unreadable(path: str, err: OSError | ValueError) -> NoSuchFile:
    reason = err.strerror if isinstance(err, OSError) and err.strerror else str(err)
    return NoSuchFile(f"cannot read '{path}': {reason.lower()}")


def _write(pieces: Iterable[bytes], store: "Store") -> ObjectId:
    writer = store.writer()
    try:
        for piece in pieces:
            writer.write(piece)
        return writer.commit()
    finally:
        writer.abort()
