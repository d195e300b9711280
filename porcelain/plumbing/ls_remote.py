"""`acc ls-remote`: the refs that a remote has now."""

from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from cas.oid import ObjectId
from jobs.errors import NoProject
from porcelain import config, term
from porcelain.commandline.arguments import Parser
from porcelain.commandline.remotename import usual_remote

if TYPE_CHECKING:
    from cas.remote.state import Remote

_ACTIONS = "actions/"


def main(arguments: Sequence[str]) -> int:
    """Run the command and return its exit code."""
    given = _parse(arguments)
    with _opened(given.remote) as remote:
        remote.look()
        found = dict(_chosen(remote, given))
    if given.json:
        term.emit_json([{"name": name, "id": oid} for name, oid in found.items()])
    else:
        for name, oid in found.items():
            term.record(oid, name, nul=given.nul)
    return 0 if found else 1


def _parse(arguments: Sequence[str]) -> Namespace:
    parser = Parser(
        "ls-remote",
        "Print the refs of a remote: its labels, urd sessions, result links and builds, and the node that each names.\n"
        "It is asked now; nothing is fetched.",
        prints="ID<TAB>NAME, sorted by name; exit code 1 when there is none",
    )
    parser.add_argument("--all", action="store_true", help="the action index (actions/...) too")
    parser.add_argument(
        "remote",
        nargs="?",
        metavar="REMOTE|URL",
        help="a remote of acc.toml, by default origin or the only one; or where one is, also outside of a project",
    )
    parser.add_argument(
        "prefixes", nargs="*", metavar="PREFIX", help="only refs that begin so, as 'jobs/dev/'"
    )
    parser.add_nul()
    parser.add_json()
    return parser.parse(arguments, intermixed=True)


@contextmanager
def _opened(word: str | None) -> "Iterator[Remote]":
    """Return the remote that a word names, or that is at a URL; what is learned of that one is forgotten."""
    from porcelain import storage

    try:
        project = config.here()
    except NoProject:
        if word is None:
            raise
        project = None
    if project is not None and (word is None or word in project.remotes or _is_name(word)):
        yield storage.open_remote(project, word or usual_remote(project))
        return
    assert word is not None, "without a project there is one"
    from tempfile import TemporaryDirectory

    from cas.remote.bucket import Bucket
    from cas.remote.mirror import Mirror
    from cas.remote.state import Remote
    from cas.url import without_secrets
    from porcelain.settings.address import canonical_url
    from porcelain.settings.place import Place

    place = Place(Path.cwd() / config.FILE_NAME, "url", secretive=True, typed=True)
    url = canonical_url(place, word)
    with TemporaryDirectory(prefix="acc-") as folder:
        remote = Remote(Bucket(url, name=without_secrets(word)), Mirror(Path(folder)))
        try:
            yield remote
        finally:
            remote.mirror.close()


def _is_name(word: str) -> bool:
    return not any(mark in word for mark in "/:.") and not Path(word).exists()


def _chosen(remote: "Remote", given: Namespace) -> Iterator[tuple[str, ObjectId]]:
    for prefix in given.prefixes or [""]:
        for name, oid in remote.mirror.refs.names(prefix):
            if prefix or given.all or not name.startswith(_ACTIONS):
                yield name, oid
