"""`acc cat-file`: kind, size, presence or content of any object; of many, in a conversation over stdin."""

import io
import os
from argparse import Namespace
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from cas.errors import AmbiguousId, CorruptObject
from cas.oid import ObjectId
from cas.store import sorted_ids
from porcelain import config, storage, term
from porcelain.commandline import stdin
from porcelain.commandline.arguments import Parser
from porcelain.objects import CORRUPT, NAMES_NOTHING, find_envelope, get_kind, is_whole_id, kind_of

if TYPE_CHECKING:
    from porcelain.spec import Resolver

_CHUNK_BYTES = 1 << 20


def main(arguments: Sequence[str]) -> int:
    """Run the command and return its exit code."""
    given = _parse(arguments)
    objects = _Objects(config.get_root(Path.cwd()))
    if given.batch:
        return _answer_all(objects, given)
    if given.what == "e":
        return 0 if all(_is_there(objects, spec) for spec in given.specs) else 1
    for spec in given.specs:
        _PRINTERS[given.what](objects, objects.get_oid(spec))
    return 0


def _parse(arguments: Sequence[str]) -> Namespace:
    parser = Parser(
        "cat-file",
        "Print the kind, the size or the content of objects.",
        prints="with -t KIND ('blob', or the kind of a node), with -s BYTES, with -p the content (nodes as\n"
        "JSON); with -e nothing: the exit code is 0 when all objects are there, else 1. With --batch for\n"
        "each SPEC on stdin a line 'ID KIND BYTES', the content as it is, and a newline; with --batch-check\n"
        "only the line. In its place comes 'SPEC missing', 'SPEC ambiguous', or 'SPEC corrupt', which also\n"
        "makes the exit code 1. No byte is printed before it is verified; a large object that breaks in\n"
        "its middle ends the command there, with exit code 1",
    )
    which = parser.add_mutually_exclusive_group(required=True)
    for what, text in (
        ("t", "print the kind"),
        ("s", "print the size in bytes"),
        ("e", "only say by the exit code whether it is there, or can be had from a remote"),
        ("p", "print the content"),
    ):
        which.add_argument(f"-{what}", dest="what", action="store_const", const=what, help=text)
    for batch, text in (
        ("batch", "read SPECs from stdin, one a line, and answer each with its content"),
        ("batch-check", "the same, without the content"),
    ):
        which.add_argument(f"--{batch}", dest="batch", action="store_const", const=batch, help=text)
    parser.add_argument(
        "--batch-all-objects", action="store_true", help="all objects, sorted by id, in place of stdin"
    )
    parser.add_argument(
        "--buffer", action="store_true", help="hand answers on in large pieces, not each at once"
    )
    parser.add_argument("-z", action="store_true", dest="nul", help="SPECs on stdin end with NUL instead")
    parser.add_argument("specs", nargs="*", metavar="OBJECT", help="an object id, or any SPEC")
    given = parser.parse(arguments)
    for_batches = given.batch_all_objects or given.buffer or given.nul
    if given.batch and given.specs:
        parser.error(f"--{given.batch} reads OBJECTs from stdin")
    if not given.batch and for_batches:
        parser.error("--batch-all-objects, --buffer and -z go with --batch or --batch-check")
    if not given.batch and not given.specs:
        parser.error("give an OBJECT")
    return given


class _Objects:
    """The store, and names for what is in it; the refs are opened by the first name that is no whole id."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.store = storage.open_store_to_read(root)

    def get_oid(self, spec: str) -> ObjectId:
        """Return the id of what `spec` names; a whole id need not be here."""
        if is_whole_id(spec):
            return ObjectId(spec)
        target = self._resolver.resolve(spec)
        oid = target.oid or (target.row.run if target.row else None)
        assert oid is not None  # whatever resolves is an object, or a run
        return oid

    @cached_property
    def _resolver(self) -> "Resolver":
        from jobs.reuse.index import JobIndex
        from porcelain.spec import Resolver

        project = config.load(self._root)
        return Resolver(JobIndex(storage.open_refs(project)), self.store, project)


# -- one after the other -----------------------------------------------------------------------------------------


def _is_there(objects: _Objects, spec: str) -> bool:
    try:
        oid = objects.get_oid(spec)
        return objects.store.has(oid) or objects.store.promises(oid)
    except NAMES_NOTHING:
        return False


def _print_kind(objects: _Objects, oid: ObjectId) -> None:
    term.record(get_kind(objects.store, oid))


def _print_size(objects: _Objects, oid: ObjectId) -> None:
    term.record(objects.store.size_of(oid))


def _print_content(objects: _Objects, oid: ObjectId) -> None:
    with objects.store.open(oid) as stream:
        if find_envelope(stream):
            import json

            stream.seek(0)
            term.emit_json(json.load(stream))
            return
    for piece in objects.store.pieces(oid):
        term.raw(piece)


_PRINTERS: Mapping[str, Callable[[_Objects, ObjectId], None]] = {
    "t": _print_kind,
    "s": _print_size,
    "p": _print_content,
}


# -- many --------------------------------------------------------------------------------------------------------


class _Opened(NamedTuple):
    """An object of which at least the first frame is verified."""

    oid: ObjectId
    kind: str
    size: int
    stream: BinaryIO


def _answer_all(objects: _Objects, given: Namespace) -> int:
    asked = map(os.fsdecode, stdin.records(nul=given.nul))
    specs: Iterable[str] = sorted_ids(objects.store) if given.batch_all_objects else asked
    code = 0
    for spec in specs:
        found = _open(objects, spec)
        if isinstance(found, _Opened):
            with found.stream:
                _print_answer(found, content=given.batch == "batch", hold=given.buffer)
        else:
            term.raw(f"{term.printable(spec)} {found}\n".encode(errors="backslashreplace"), hold=given.buffer)
            code = 1 if found == CORRUPT else code
    return code


def _open(objects: _Objects, spec: str) -> _Opened | str:
    """Return the object that `spec` names, or the word that says why there is none."""
    try:
        oid = objects.get_oid(spec)
        stream = objects.store.open(oid)
        try:
            kind = kind_of(stream)
            size = stream.seek(0, io.SEEK_END)
        except CorruptObject:
            stream.close()
            raise
        return _Opened(oid, kind, size, stream)
    except NAMES_NOTHING:
        return "missing"
    except AmbiguousId:
        return "ambiguous"
    except CorruptObject as err:
        term.error(err)
        return CORRUPT


def _print_answer(found: _Opened, *, content: bool, hold: bool) -> None:
    head = f"{found.oid} {found.kind} {found.size}\n".encode()
    if content:
        term.raw(head, hold=True)
        found.stream.seek(0)
        while chunk := found.stream.read(_CHUNK_BYTES):
            term.raw(chunk, hold=True)
        head = b"\n"
    term.raw(head, hold=hold)
