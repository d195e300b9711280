"""`acc cat-file`: kind, size, presence or content of any object."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from cas.errors import ObjectNotFound
from jobs.errors import NoSuchDataset, NoSuchFile, NoSuchJob
from porcelain import config, term
from porcelain.arguments import Parser
from porcelain.spec import open_resolver

if TYPE_CHECKING:
    from cas.oid import ObjectId
    from porcelain.spec import Resolver

_CHUNK_BYTES = 1 << 20


def main(arguments: Sequence[str]) -> int:
    """Run the command and return its exit code."""
    parser = Parser(
        "cat-file",
        "Print the kind, the size or the content of objects.",
        prints="with -t KIND ('blob', or the kind of a node), with -s BYTES, with -p the content\n"
        "(nodes as JSON); with -e nothing: the exit code is 0 when the object is there, else 1",
    )
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("-t", dest="what", action="store_const", const="t", help="print the kind")
    which.add_argument("-s", dest="what", action="store_const", const="s", help="print the size in bytes")
    which.add_argument(
        "-e",
        dest="what",
        action="store_const",
        const="e",
        help="only say by the exit code whether it is there",
    )
    which.add_argument("-p", dest="what", action="store_const", const="p", help="print the content")
    parser.add_argument("specs", nargs="+", metavar="OBJECT", help="an object id, or any SPEC")
    given = parser.parse(arguments)
    resolver = open_resolver(config.here())
    if given.what == "e":
        return 0 if all(_is_there(resolver, spec) for spec in given.specs) else 1
    for spec in given.specs:
        _PRINTERS[given.what](resolver, _oid(resolver, spec))
    return 0


def _oid(resolver: "Resolver", spec: str) -> "ObjectId":
    target = resolver.resolve(spec)
    oid = target.oid or (target.row.run if target.row else None)
    assert oid is not None  # whatever resolves is an object, or a run
    return oid


def _is_there(resolver: "Resolver", spec: str) -> bool:
    try:
        return resolver.store.has(_oid(resolver, spec))
    except (NoSuchJob, NoSuchFile, NoSuchDataset, ObjectNotFound):
        return False


def _print_kind(resolver: "Resolver", oid: "ObjectId") -> None:
    envelope = resolver.envelope(oid)
    term.record(envelope.kind if envelope else "blob")


def _print_size(resolver: "Resolver", oid: "ObjectId") -> None:
    term.record(resolver.store.size_of(oid))


def _print_content(resolver: "Resolver", oid: "ObjectId") -> None:
    if resolver.envelope(oid):
        import json

        term.emit_json(json.loads(resolver.store.get(oid)))
        return
    with resolver.store.open(oid) as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            term.raw(chunk)


_PRINTERS: "Mapping[str, Callable[[Resolver, ObjectId], None]]" = {
    "t": _print_kind,
    "s": _print_size,
    "p": _print_content,
}
