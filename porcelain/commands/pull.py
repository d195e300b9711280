"""`acc fetch`, `acc pull`: what a remote has comes here."""

from argparse import Namespace
from collections.abc import Collection, Sequence
from typing import Final

from cas.errors import RefNotFound
from cas.oid import ObjectId
from cas.remote.state import Remote
from jobs.errors import NotTrusted
from jobs.nodes.listing import JobRow
from jobs.reuse.refnames import LABELS
from porcelain import config, storage, term
from porcelain.commandline.arguments import Parser
from porcelain.commandline.remotename import names_of, split_words, without_remote
from porcelain.layout import Column
from porcelain.sharing.fetching import Fetched, Fetcher
from porcelain.sharing.listing import RemoteIndex
from porcelain.sharing.looking import look
from porcelain.sharing.pulling import Pulled, Puller
from porcelain.sharing.wings import TRAVELLING, travelling
from porcelain.spec import Resolver, open_resolver
from porcelain.views import job_views, sharing_views
from porcelain.watching.transfer import Transfer

_SCREENFUL: Final = 40


def fetch(arguments: Sequence[str]) -> int:
    """Bring what a remote has, without giving it labels here."""
    return fetch_into(arguments)


def fetch_into(
    arguments: Sequence[str], resolver: Resolver | None = None, remote: Remote | None = None
) -> int:
    """Bring what a remote has, into the project of a resolver; the arguments are those of the command."""
    given = _parse(
        "fetch",
        "bring what a remote has, to be looked at: 'acc log --remote', dev-12@origin",
        prints="how many refs and objects came, and in how many requests",
        arguments=arguments,
    )
    resolver = resolver or open_resolver(config.here())
    remote, words = _meant(resolver, remote, given)
    if given.dry_run:
        return _look_ahead(resolver, remote, words, given)
    with Transfer("fetching", remote.bucket.traffic, quiet=given.quiet) as transfer:
        done = _fetch(resolver, remote, words, transfer, all_objects=given.all_objects)
    if given.json:
        term.emit_json(sharing_views.fetched(remote.name, done) | {"traffic": transfer.view()})
    elif not given.quiet:
        gone = f", {done.gone:,} gone there" if done.gone else ""
        came = f"{done.new:,} new of {term.count(len(done.refs), 'ref')}{gone}"
        term.line(f"from {remote.name}: {came}")
        term.line(transfer.told())
    return 0


def pull(arguments: Sequence[str]) -> int:
    """Bring what a remote has, and list it here."""
    return pull_into(arguments)


def pull_into(
    arguments: Sequence[str], resolver: Resolver | None = None, remote: Remote | None = None
) -> int:
    """Bring what a remote has, and list it in the project of a resolver; the arguments are those of the command."""
    given = _parse(
        "pull",
        "bring what a remote has, and list it here: jobs under labels, urd sessions, result links",
        prints="a line for each job that got a label here: its label there, the one here, method; then what came, and\n"
        "in how many requests",
        arguments=arguments,
    )
    resolver = resolver or open_resolver(config.here())
    remote, words = _meant(resolver, remote, given)
    if given.dry_run:
        return _look_ahead(resolver, remote, words, given)
    _check_trusted(resolver, remote.name)
    with Transfer("pulling", remote.bucket.traffic, quiet=given.quiet) as transfer:
        fetched = _fetch(resolver, remote, words, transfer, all_objects=given.all_objects)
        there = _index_of(resolver, remote)
        puller = Puller(resolver.store, resolver.index, there, resolver.config, is_all=not words)
        puller.label(_rows(resolver, there, words), transfer.show_labels)
        puller.merge({name: oid for name, oid in fetched.refs.items() if not name.startswith(LABELS)})
        if given.results:
            _link_results(resolver)
    if given.json:
        term.emit_json(sharing_views.pulled(remote.name, puller.done) | {"traffic": transfer.view()})
    elif not given.quiet:
        _print_labels(puller.done)
        term.line(_summary(remote.name, puller.done))
        term.line(transfer.told())
    return _say_what_is_left(remote.name, puller.done)


def _meant(resolver: Resolver, remote: Remote | None, given: Namespace) -> tuple[Remote, list[str]]:
    if remote is not None:
        return remote, given.words
    name, words = split_words(resolver.config, given.words)
    return storage.open_remote(resolver.config, name), words


def _parse(command: str, summary: str, *, prints: str, arguments: Sequence[str]) -> Namespace:
    parser = Parser(command, summary, prints=prints)
    words_help = (
        "a remote of acc.toml, by default origin or the only one; and labels there, with all that those jobs were made "
        "from, or refs as 'acc ls-remote' names them; by default all"
    )
    parser.add_argument("words", nargs="*", metavar="REMOTE] [SPEC", help=words_help)
    parser.add_argument(
        "--all-objects",
        action="store_true",
        help="files and datasets too, which else come when they are read",
    )
    if command == "pull":
        parser.add_argument(
            "--results", action="store_true", help="bring the files of result links too, and make the links"
        )
    parser.add_argument("-n", "--dry-run", action="store_true", help="only say what would come")
    parser.add_argument("-q", "--quiet", action="store_true", help="say only what went wrong")
    parser.add_json()
    return parser.parse(arguments, intermixed=True)


def _check_trusted(resolver: Resolver, remote: str) -> None:
    if not resolver.config.get_remote(remote).trusted:
        raise NotTrusted(
            f"remote '{remote}' is not trusted, and jobs that have labels here are taken for one's own",
            hint=f"'acc fetch {remote}' brings what it has to be looked at; or say trusted = true in acc.toml, if you "
            "trust all who can write there",
        )


# -- what comes ----------------------------------------------------------------------------------------------


def _fetch(
    resolver: Resolver, remote: Remote, words: Sequence[str], transfer: Transfer, *, all_objects: bool
) -> Fetched:
    look(remote)
    fetcher = Fetcher(resolver.store, resolver.index.refs, remote, transfer.show)
    done = fetcher.fetch(_find_names(resolver, remote, words) if words else None)
    if all_objects:
        fetcher.bring_blobs(done)
    return done


def _find_names(resolver: Resolver, remote: Remote, words: Sequence[str]) -> Collection[str]:
    """Return the refs of a remote that words name; a method or LATEST brings all nodes, to be looked at."""
    there = travelling(remote.mirror.refs)
    names: dict[str, None] = {}
    for word in words:
        plain = without_remote(word, remote.name)
        found = names_of(plain, [*there])
        if not found and plain.startswith(TRAVELLING):
            raise RefNotFound(word)
        run = None if found else resolver.at(remote.name).job(plain).run
        found = found or [name for name, oid in there.items() if oid == run and name.startswith(LABELS)]
        names |= dict.fromkeys(found)
    return names


def _index_of(resolver: Resolver, remote: Remote) -> RemoteIndex:
    return RemoteIndex(remote, resolver.store, resolver.index)


def _rows(resolver: Resolver, there: RemoteIndex, words: Sequence[str]) -> list[JobRow]:
    """Return the jobs of a remote that are to have labels here: what is named, with all that it was made from."""
    if not words:
        return there.rows()
    found: dict[ObjectId, JobRow] = {}
    for word in words:
        plain = without_remote(word, there.remote.name)
        if not plain.startswith(TRAVELLING):
            newest = resolver.at(there.remote.name).job(plain)
            found |= {row.run: row for row in job_views.ancestry(resolver, newest)}
    return [*found.values()]


def _link_results(resolver: Resolver) -> None:
    """Make the links that are lacking in the result directory, with the files that they lead to."""
    # here, not above: few ask for it
    from jobs.facets.checkout import checkout
    from porcelain.results import ResultLinks

    directory = resolver.config.result_directory
    links = ResultLinks(directory, resolver.store, resolver.index.refs)
    lacking = {name: result for name, result in links.entries().items() if not (directory / name).exists()}
    resolver.store.bring([result.blob for result in lacking.values()])
    for name, result in lacking.items():
        row = resolver.row_of_run(result.run)
        links.link(result, name, checkout(resolver.store, result.blob, resolver.folder(row), result.name))


def _look_ahead(resolver: Resolver, remote: Remote, words: Sequence[str], given: Namespace) -> int:
    look(remote)
    there = travelling(remote.mirror.refs)
    names = _find_names(resolver, remote, words) if words else there
    lacking = {name: there[name] for name in names if not resolver.store.has(there[name])}
    if given.json:
        term.emit_json({"remote": remote.name, "refs": len(names), "new": sorted(lacking)})
    elif not given.quiet:
        labels = sum(name.startswith(LABELS) for name in lacking)
        parts = ([term.count(labels, "job")] if labels else []) + [*sharing_views.counted(lacking)]
        term.line(f"would come from {remote.name}: {', '.join(parts) or 'nothing'}")
    return 0


# -- what is said --------------------------------------------------------------------------------------------


def _print_labels(done: Pulled) -> None:
    shown = done.labels[:_SCREENFUL] if term.is_terminal() else done.labels
    if shown:
        columns = [Column("there"), Column("job"), Column("method", cut=True)]
        term.table(columns, [[there.label, here.label, here.method] for there, here in shown])
    if len(shown) < len(done.labels):
        term.note(f"... and {term.count(len(done.labels) - len(shown), 'other job')}")


def _summary(remote: str, done: Pulled) -> str:
    parts = [term.count(len(done.labels), "job")] if done.labels else []
    parts += sharing_views.counted(done.names)
    told = f"from {remote}: {', '.join(parts)}" if parts else f"nothing new at {remote}"
    told += f", {done.ghosts:,} kept as ghosts" if done.ghosts else ""
    return told + (f", {done.dropped:,} dropped here and left out" if done.dropped else "")


def _say_what_is_left(remote: str, done: Pulled) -> int:
    """Say which jobs and refs did not come; return the exit code."""
    for row, reason in done.unsound:
        term.warn(f"job '{row.label}' was left there: {reason}")
    conflicts = done.conflicts
    for name in conflicts:
        term.warn(f"'{name}' is another one at '{remote}', and stays as it is here")
    if conflicts:
        term.note(f"hint: '{conflicts[0]}@{remote}' shows the other one; nothing is lost")
    return 1 if conflicts or done.unsound else 0
