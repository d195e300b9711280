"""`acc show-ref`: every ref and the node that it names."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from cas.errors import CorruptRefs, RefNotFound
from porcelain import config, storage, term
from porcelain.commandline.arguments import Parser

if TYPE_CHECKING:
    from cas.local.refs import LocalRefs
    from cas.oid import ObjectId

_ACTIONS = "actions/"


def main(arguments: Sequence[str]) -> int:
    """Run the command and return its exit code."""
    parser = Parser(
        "show-ref",
        "Print refs: the mutable names of the project and the node that each names. What is printed with --all,\n"
        "'acc update-ref --stdin' puts back.",
        prints="ID<TAB>NAME, sorted by name, each as it is read; exit code 1 when there is none, or one is damaged",
    )
    parser.add_argument("--all", action="store_true", help="the action index (actions/...) too")
    parser.add_argument(
        "--verify", action="store_true", help="each PREFIX is a whole name, and must be there"
    )
    parser.add_nul()
    parser.add_argument(
        "prefixes", nargs="*", metavar="PREFIX", help="only refs that begin so, as 'jobs/dev/'"
    )
    given = parser.parse(arguments)
    if given.verify and not given.prefixes:
        parser.error("give the names to verify")
    refs = storage.open_refs(config.here())
    if given.verify:
        for name in given.prefixes:
            term.record(_get(refs, name), name, nul=given.nul)
        return 0
    found, is_sound = False, True
    for name, oid in _scan(refs, given.prefixes, actions=given.all):
        if oid is None:
            # the others are shown all the same: they may be all that is left
            term.error(CorruptRefs(f"ref '{name}' is corrupt: its checksum does not fit"))
            is_sound = False
        else:
            term.record(oid, name, nul=given.nul)
            found = True
    return 0 if found and is_sound else 1


def _get(refs: "LocalRefs", name: str) -> "ObjectId":
    oid = refs.find(name)
    if oid is None:
        raise RefNotFound(name)
    return oid


def _scan(
    refs: "LocalRefs", prefixes: Sequence[str], *, actions: bool
) -> "Iterator[tuple[str, ObjectId | None]]":
    for prefix in prefixes or [""]:
        for name, oid in refs.scan(prefix):
            if prefix or actions or not name.startswith(_ACTIONS):
                yield name, oid
