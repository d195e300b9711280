"""`acc push`: what is here goes to a remote, what is damaged there is mended, or names there are deleted."""

from argparse import Namespace
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from cas.errors import RefNotFound, RemoteNotFound
from cas.oid import ObjectId
from cas.remote.state import Remote
from cas.remote.transfer.push import Pushed
from jobs.errors import NoSuchJob, UsageError
from jobs.nodes.listing import JobRow
from jobs.reuse.refnames import ACTIONS, LABELS
from porcelain import config, storage, term
from porcelain.commandline.arguments import Parser
from porcelain.commandline.remotename import names_of, split_words, without_remote
from porcelain.config import Config
from porcelain.layout import Column
from porcelain.sharing.looking import look
from porcelain.sharing.pushing import Choice, Plan, Pusher, choose, choose_all
from porcelain.sharing.wings import TRAVELLING, travelling
from porcelain.spec import Resolver, open_resolver
from porcelain.views import sharing_views
from porcelain.watching.transfer import Transfer

_SCREENFUL: Final = 40
# of what is not reproducible, so many by their names
_NAMED: Final = 10


def push(arguments: Sequence[str]) -> int:
    """Send jobs, urd sessions and results to a remote."""
    given = _parse(arguments)
    project = config.here()
    name, words = split_words(project, given.words)
    if given.repair:
        return _repair(project, name, words, given)
    remote = storage.open_remote(project, name)
    resolver = open_resolver(project)
    if given.delete:
        return _delete(resolver, remote, words, given)
    choice = _choose(resolver, words)
    if given.dry_run:
        return _look_ahead(Pusher(resolver.store, resolver.index.refs, remote, choice), remote, given)
    with Transfer("sending", remote.bucket.traffic, quiet=given.quiet) as transfer:
        remote.make()
        look(remote)
        pusher = Pusher(resolver.store, resolver.index.refs, remote, choice)
        pushed = pusher.push(transfer.show)
        unequal = pusher.find_unequal()
    view = sharing_views.pushed(name, pusher.plan, pushed.refs, pusher.lost) | {"traffic": transfer.view()}
    if given.json:
        term.emit_json(view)
    elif not given.quiet:
        _print_labels(name, pusher.plan)
        term.line(_summary(name, pusher.plan))
        term.line(transfer.told())
    _warn_unequal(resolver, remote, unequal)
    _warn_lost(pusher.lost)
    return _refuse(name, pusher.plan.conflicts) or int(bool(pusher.lost))


def _parse(arguments: Sequence[str]) -> Namespace:
    parser = Parser(
        "push",
        "send jobs, urd sessions and result links to a remote",
        prints="a line for each job that got a label there: its label here, the one there, method; then what went,\n"
        "and in how many requests",
    )
    parser.add_argument(
        "words",
        nargs="*",
        metavar="REMOTE] [SPEC",
        help="a remote of acc.toml, by default origin or the only one; and jobs, with all that they were made from, "
        "build-7, urd/USER/LIST or results/NAME; by default all but builds",
    )
    parser.add_argument("-n", "--dry-run", action="store_true", help="only say what would go")
    parser.add_argument(
        "--delete",
        action="store_true",
        help="delete labels there, as dev-12@origin, and refs as 'acc ls-remote' names them; what only they kept "
        "goes with the next gc there",
    )
    parser.add_argument(
        "--repair",
        action="store_true",
        help="send again what the remote has lost or damaged, as far as it is here; prints sent<TAB>ID, "
        "written<TAB>KEY of indexes and files of the log, and what is left: lost<TAB>ID<TAB>reason<TAB>names that it "
        "hurts, left<TAB>KEY; exit code 1 when anything is",
    )
    parser.add_argument(
        "--full", action="store_true", help="with --repair: read every file there, verify every object"
    )
    parser.add_argument("-q", "--quiet", action="store_true", help="say only what went wrong")
    parser.add_json()
    given = parser.parse(arguments, intermixed=True)
    if given.delete and not given.words:
        parser.error("name what is to be deleted")
    if given.full and not given.repair:
        parser.error("--full goes with --repair")
    if given.repair and (given.delete or given.dry_run):
        parser.error("--repair goes with --full, --quiet and --json; 'acc fsck --remote' only looks")
    return given


def _choose(resolver: Resolver, words: Iterable[str]) -> Choice:
    if not words:
        return choose_all(resolver.store, resolver.index)
    here, trust = travelling(resolver.index.refs), storage.open_trust(resolver.config)
    rows: list[JobRow] = []
    names: dict[str, ObjectId] = {}
    for word in words:
        found = [name for name in names_of(word, [*here]) if not name.startswith(LABELS)]
        if found or word.startswith(TRAVELLING):
            if not found:
                raise RefNotFound(word)
            names |= {name: here[name] for name in found}
            continue
        row = resolver.job(word)
        if row.state != "done":
            raise NoSuchJob(f"job '{row.label}' failed, and failed jobs are not shared")
        # who trusts where it goes would trust where it came from
        trust.check_source(row, "be pushed")
        rows.append(row)
    return choose(resolver.store, resolver.index, rows, names)


# -- what is said --------------------------------------------------------------------------------------------


def _look_ahead(pusher: Pusher, remote: Remote, given: Namespace) -> int:
    try:
        look(remote)
    except RemoteNotFound:
        term.note(f"there is no remote at '{remote.name}' yet; a push would make one")
    pushed: Pushed = pusher.look_ahead()
    if given.json:
        term.emit_json(
            sharing_views.pushed(remote.name, pusher.plan, pushed.refs, pusher.lost)
            | {"objects": pushed.objects, "bytes": pushed.bytes}
        )
    elif not given.quiet:
        _print_labels(remote.name, pusher.plan)
        much = f"{term.count(pushed.objects, 'object')}, {term.size(pushed.bytes)}"
        told = _summary(remote.name, pusher.plan)
        term.line(f"would go {told}" if told.startswith("to ") else told)
        term.line(much)
    return _refuse(remote.name, pusher.plan.conflicts)


def _print_labels(remote: str, plan: Plan) -> None:
    shown = plan.labels[:_SCREENFUL] if term.is_terminal() else plan.labels
    if shown:
        columns = [Column("job"), Column("there"), Column("method", cut=True)]
        term.table(columns, [[row.label, f"{label}@{remote}", row.method] for row, label in shown])
    if len(shown) < len(plan.labels):
        term.note(f"... and {term.count(len(plan.labels) - len(shown), 'other job')}")


def _summary(remote: str, plan: Plan) -> str:
    parts = [term.count(len(plan.labels), "job")] if plan.labels else []
    parts += sharing_views.counted(plan.names)
    told = f"to {remote}: {', '.join(parts)}" if parts else f"{remote} has it all"
    return told + (f", {plan.deleted:,} deleted there and left out" if plan.deleted else "")


def _warn_unequal(resolver: Resolver, remote: Remote, unequal: Sequence[tuple[JobRow, ObjectId]]) -> None:
    if not unequal:
        return
    there = resolver.at(remote.name)
    for row, run in unequal[:_NAMED]:
        found = there.find_row(run)
        other = found.label if found else f"run {run[:12]} at '{remote.name}'"
        term.warn(
            f"job '{row.label}' ({row.method}) is not reproducible: it came out as another than {other}"
        )
    if len(unequal) > _NAMED:
        term.warn(f"nor are {term.count(len(unequal) - _NAMED, 'other job')}")
    term.note(
        "hint: builds that look there reuse the one that was there before; 'acc diff' shows two side by side"
    )


def _warn_lost(lost: Mapping[str, ObjectId]) -> None:
    for name, oid in [*lost.items()][:_NAMED]:
        term.warn(f"'{name}' was not sent: object '{oid[:12]}' is neither here nor at a remote")
    if len(lost) > _NAMED:
        term.warn(f"nor were {term.count(len(lost) - _NAMED, 'other name')}")
    if lost:
        term.note(
            "hint: 'acc fsck' names all that is missing; 'acc build' makes jobs of which something is gone again"
        )


def _refuse(remote: str, conflicts: Sequence[str]) -> int:
    """Say which refs stay as they are there; return the exit code."""
    for name in conflicts:
        term.warn(f"'{name}' is another one at '{remote}', and was not replaced")
    if conflicts:
        term.note(f"hint: 'acc push --delete {conflicts[0]}@{remote}' takes it away there; then push again")
    return 1 if conflicts else 0


def _repair(project: Config, name: str, words: Sequence[str], given: Namespace) -> int:
    # here, not above: who pushes does not need it
    from porcelain.remotecare import repair_remote

    if words:
        raise UsageError(
            f"--repair takes a remote, and '{words[0]}' is none", hint="what is damaged is found by itself"
        )
    return repair_remote(project, name, full=given.full, json=given.json, quiet=given.quiet)


# -- deleting ------------------------------------------------------------------------------------------------


def _delete(resolver: Resolver, remote: Remote, words: Iterable[str], given: Namespace) -> int:
    # here, not above: who pushes does not need it
    from porcelain.sharing.withdrawing import Withdrawal

    look(remote)
    there = resolver.at(remote.name)
    names = _find_names(remote, there, words)
    withdrawal = Withdrawal(resolver.store, there.index, names)  # type: ignore[arg-type]  # a resolver at a remote has the index of one
    refs = withdrawal.draw() if given.dry_run else withdrawal.commit()
    gone = sorted(name for name, oid in refs.items() if oid is None and not name.startswith(ACTIONS))
    if given.json:
        term.emit_json({"remote": remote.name, "deleted": gone})
    elif not given.quiet:
        for name in gone:
            term.line(f"{'would delete' if given.dry_run else 'deleted'} {name}@{remote.name}")
        term.note(f"'acc gc --remote {remote.name}' frees what only they have kept")
    return 0


def _find_names(remote: Remote, there: Resolver, words: Iterable[str]) -> list[str]:
    known = travelling(remote.mirror.refs)
    names: list[str] = []
    for word in words:
        plain = without_remote(word, remote.name)
        found = names_of(plain, [*known])
        if not found and plain.startswith(TRAVELLING):
            raise RefNotFound(word)
        run = None if found else there.job(plain).run
        names += found or [name for name, oid in known.items() if oid == run and name.startswith(LABELS)]
    return names
