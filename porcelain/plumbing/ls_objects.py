"""`acc ls-objects`: the id of every object, with -l what it is and what it takes."""

import re
from argparse import ArgumentTypeError
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from cas.errors import CorruptObject, ObjectNotFound
from cas.oid import ObjectId
from cas.store import Store, sorted_ids
from porcelain import config, storage, term
from porcelain.commandline.arguments import Parser
from porcelain.objects import CORRUPT, get_kind

_PREFIX = re.compile(r"[0-9a-f]{1,64}")


def main(arguments: Sequence[str]) -> int:
    """Run the command and return its exit code."""
    parser = Parser(
        "ls-objects",
        "Print the ids of the objects in the store.",
        prints="ID, sorted, each once; with -l ID<TAB>KIND<TAB>RAW_BYTES<TAB>STORED_BYTES. KIND is 'blob', the\n"
        "kind of a node, or 'corrupt', with '-' for its sizes and exit code 1; a large object is only looked\n"
        "at, to verify all is for 'acc fsck'. None at all is no failure",
    )
    parser.add_argument("-l", "--long", action="store_true", help="kind and sizes too: reads each object")
    kind_help = "only those of this kind, as 'blob' or 'run': reads each object; may be given again"
    parser.add_argument("--kind", action="append", metavar="KIND", help=kind_help)
    parser.add_nul()
    prefix_help = "only ids that begin so: 1 to 64 hex digits"
    parser.add_argument("prefixes", nargs="*", type=_prefix, metavar="PREFIX", help=prefix_help)
    given = parser.parse(arguments)
    store = storage.open_store_to_read(config.get_root(Path.cwd()))
    code = 0
    for oid in _ids(store, given.prefixes):
        if not given.long and not given.kind:
            term.record(oid, nul=given.nul)
            continue
        found = _find_details(store, oid)
        if found is None:
            continue
        if given.kind is None or found.kind in given.kind:
            term.record(oid, *found if given.long else (), nul=given.nul)
        code = 1 if found.kind == CORRUPT else code
    return code


class _Details(NamedTuple):
    """What -l prints of an object."""

    kind: str
    raw_bytes: int | str
    stored_bytes: int | str


def _prefix(text: str) -> str:
    if not _PREFIX.fullmatch(text):
        raise ArgumentTypeError(f"'{text}' is not 1 to 64 hex digits")
    return text


def _ids(store: Store, prefixes: Iterable[str]) -> Iterator[ObjectId]:
    before = "-"
    for prefix in sorted(prefixes) or [""]:
        # '3f' lists nothing that '3' has not listed
        if not prefix.startswith(before):
            before = prefix
            yield from sorted_ids(store, prefix)


def _find_details(store: Store, oid: ObjectId) -> _Details | None:
    """Return kind and sizes of an object, or None when it went since it was listed."""
    try:
        return _Details(get_kind(store, oid), *store.sizes_of(oid))
    except ObjectNotFound:
        return None
    except CorruptObject as err:
        term.error(err)
        return _Details(CORRUPT, "-", "-")
