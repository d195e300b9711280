"""`acc show-ref`: every ref and the node that it names."""

from collections.abc import Sequence

from porcelain import config, storage, term
from porcelain.arguments import Parser

_ACTIONS = "actions/"


def main(arguments: Sequence[str]) -> int:
    """Run the command and return its exit code."""
    parser = Parser(
        "show-ref",
        "Print refs: the mutable names of the project and the node that each names.",
        prints="ID<TAB>NAME, sorted by name; exit code 1 when there is none",
    )
    parser.add_argument("--all", action="store_true", help="the action index (actions/...) too")
    parser.add_nul()
    parser.add_argument(
        "prefixes", nargs="*", metavar="PREFIX", help="only refs that begin so, as 'jobs/dev/'"
    )
    given = parser.parse(arguments)
    refs = storage.open_refs(config.here())
    found = False
    for prefix in given.prefixes or [""]:
        for name, oid in refs.names(prefix):
            if prefix or given.all or not name.startswith(_ACTIONS):
                found = True
                term.record(oid, name, nul=given.nul)
    return 0 if found else 1
