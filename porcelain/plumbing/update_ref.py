"""`acc update-ref`: set and delete refs by hand, put a dump of them back, or make them again from the runs."""

from argparse import Namespace
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from cas.errors import (
    AccError,
    CorruptRefs,
    InvalidId,
    NotANode,
    ObjectNotFound,
    RefConflict,
    RefNotFound,
)
from cas.files import check_name
from cas.formats.node import get_node
from cas.oid import ObjectId, is_prefix
from jobs.nodes.run import Run
from jobs.reuse.index import Listing
from jobs.reuse.rebuild import list_run
from jobs.reuse.refcheck import check_ref
from jobs.reuse.refnames import BUILD, find_build, find_label
from porcelain import config, storage, term
from porcelain.commandline import stdin
from porcelain.commandline.arguments import Parser
from porcelain.objects import find_envelope, get_whole_id
from porcelain.recovery import Recovered, recover
from porcelain.watching.ticker import Ticker

if TYPE_CHECKING:
    from cas.local.refs import LocalRefs
    from cas.refs import Transaction
    from cas.store import Store
    from jobs.nodes.listing import JobRow
    from porcelain.config import Config

_USAGE: Final = """acc update-ref [-m WHY] NAME NEW [OLD]
       acc update-ref [-m WHY] -d NAME [OLD]
       acc update-ref [-m WHY] [-z] --stdin
       acc update-ref [-z] --rebuild"""
_PRINTS: Final = """nothing; with --rebuild ID<TAB>NAME, one line for each ref that was made

stdin: one change a line, all of them made in one transaction, or none. Fields have a tab between, or one space
in a line without tabs.

  ID NAME                  set NAME: what 'acc show-ref' prints
  update NAME NEW [OLD]    set NAME, if it is at OLD
  create NAME NEW          set NAME, if it is not there
  delete NAME [OLD]        remove NAME, if it is at OLD
  verify NAME [OLD]        go on if NAME is at OLD; without OLD, if it is not there"""
# how many words stand behind each verb
_VERBS: Final = {"update": (2, 3), "create": (2,), "delete": (1, 2), "verify": (1, 2)}
_NONE: Final = "0"


class BadChange(AccError, ValueError):
    """A change of a ref that cannot be made as it is written."""


class Change(NamedTuple):
    """One change of a ref, in the words of who wants it.

    Attributes
    ----------
    old : str or None
        None when it does not matter what the ref is at.
    place : str
        Where on stdin it stands, or "".
    """

    verb: str
    name: str
    new: str = ""
    old: str | None = None
    place: str = ""


def main(arguments: Sequence[str]) -> int:
    """Run the command and return its exit code."""
    given = _parse(arguments)
    project = config.here()
    storage.open_store(project)
    refs = storage.open_refs(project)
    if given.rebuild:
        with Ticker("looking", "object") as ticker:
            recovered = recover(project, refs, progress=ticker.show)
        _print(recovered, nul=given.nul)
    elif not given.stdin:
        _make([_change_of(given)], project, refs, given.why or "update-ref")
    else:
        # all of stdin is read before refs are locked: its sender may take its time
        changes = [*_read_changes(nul=given.nul)]
        _make_or_restore(changes, project, refs, given.why or "update-ref --stdin")
    # many changes leave a long write-ahead log, which this brings home
    refs.close()
    return 0


def _print(recovered: Recovered, *, nul: bool) -> None:
    rebuilt, saved, aside = recovered
    if aside:
        term.note(f"the damaged refs are kept as '{aside}'; {term.count(saved, 'ref')} saved from them")
    for name, oid in sorted(rebuilt.made.items()):
        term.record(oid, name, nul=nul)
    for before, now in rebuilt.relabelled:
        term.note(f"more than one job was '{before}': an older one is '{now}' now")
    for text in rebuilt.notes:
        term.warn(text)
    term.note(f"{term.count(len(rebuilt.made), 'ref')} made again")


# ---- what is wanted


def _parse(arguments: Sequence[str]) -> Namespace:
    parser = Parser(
        "update-ref",
        "Set refs: the mutable names of the project. With OLD a ref is changed only if it is at OLD; an OLD of 0\n"
        "says that it must not be there. --rebuild makes refs again from the runs and builds in the store: all of\n"
        "them when refs.sqlite is gone, or damaged (what can be read of it is saved, and it is kept beside the new\n"
        "one); else those that are lacking, and nothing is changed. The log of refs does not come back, nor what\n"
        "remotes had. A dump of 'acc show-ref --all' goes in by --stdin, once a damaged refs.sqlite is moved away.",
        prints=_PRINTS,
    )
    parser.usage = _USAGE
    how = parser.add_mutually_exclusive_group()
    how.add_argument("-d", dest="delete", action="store_true", help="remove the ref")
    how.add_argument("--stdin", action="store_true", help="read changes from stdin, as 'acc show-ref --all'")
    how.add_argument("--rebuild", action="store_true", help="make refs again from the store")
    parser.add_argument("-m", dest="why", metavar="WHY", help="why, for the log of refs")
    parser.add_nul()
    parser.add_argument("name", nargs="?", metavar="NAME", help="the ref, as results/plot.png")
    parser.add_argument("new", nargs="?", metavar="NEW", help="the id of a node, or the first digits of it")
    parser.add_argument(
        "old", nargs="?", metavar="OLD", help="the id that the ref is at, or first digits, or 0"
    )
    given = parser.parse(arguments)
    number = sum(word is not None for word in (given.name, given.new, given.old))
    if given.stdin or given.rebuild:
        if number:
            parser.error("--stdin and --rebuild take no NAME")
    elif number not in ((1, 2) if given.delete else (2, 3)):
        parser.error("give NAME, and OLD if you like" if given.delete else "give NAME and NEW")
    return given


def _change_of(given: Namespace) -> Change:
    if given.delete:
        return Change("delete", given.name, old=given.new)
    return Change("update", given.name, given.new, given.old)


def _read_changes(*, nul: bool) -> Iterator[Change]:
    """Yield the changes that stdin holds."""
    for number, record in enumerate(stdin.records(nul=nul), start=1):
        place = f"{'record' if nul else 'line'} {number}"
        try:
            text = record.decode()
        except UnicodeDecodeError as err:
            raise BadChange(f"{place} is no UTF-8 text") from err
        if "\\" in text and not nul:
            raise BadChange(
                f"{place} holds a '\\', which may stand for another character",
                hint="'acc show-ref -z' and 'acc update-ref -z --stdin' escape nothing",
            )
        yield _read_change(text, place)


def _read_change(text: str, place: str) -> Change:
    between = "\t" if "\t" in text else " "
    verb, *words = text.split(between)
    if is_prefix(verb) and words:
        # a name may hold whatever stands between fields
        return Change("update", between.join(words), verb, place=place)
    if len(words) not in _VERBS.get(verb, ()):
        hint = "'acc update-ref --help' lists the changes that there are"
        raise BadChange(f"{place} is no change of a ref: '{text}'", hint=hint)
    name, *ids = words
    if verb in ("update", "create"):
        new, *old = ids
        return Change(verb, name, new, _NONE if verb == "create" else next(iter(old), None), place)
    return Change(verb, name, "", next(iter(ids), _NONE if verb == "verify" else None), place)


# ---- changes


def _make_or_restore(changes: Sequence[Change], project: "Config", refs: "LocalRefs", why: str) -> None:
    """Make changes; when refs are gone, in new ones that come to be whole or not at all."""
    # a dump with nothing in it is no reason to begin anew
    if refs.path.exists() or not changes:
        _make(changes, project, refs, why)
        return
    with refs.draft() as draft:
        _make(changes, project, draft, why)
        refs.replace_by(draft)


def _make(changes: Sequence[Change], project: "Config", refs: "LocalRefs", why: str) -> None:
    with refs.transaction(why) as transaction:
        editor = _Editor(transaction, storage.open_store(project))
        for change in changes:
            try:
                editor.make(change)
            except AccError as err:
                if not change.place:
                    raise
                raise BadChange(f"{change.place}: {err}", hint=err.hint) from err
        editor.finish()


class _Editor:
    """Makes changes in one transaction, and keeps the listing as the labels are."""

    def __init__(self, transaction: "Transaction", store: "Store") -> None:
        self._transaction = transaction
        self._store = store
        self._listing = Listing(transaction)
        self._listed: list[JobRow] = []

    def make(self, change: Change) -> None:
        """Make one change, or raise."""
        check_name(change.name)
        if change.old is not None:
            self._expect(change.name, change.old)
        if change.verb == "delete":
            self._delete(change.name)
        elif change.verb != "verify":
            self._set(change.name, self._get_node(change.name, change.new))

    def finish(self) -> None:
        """Do what can be done only when all changes are made."""
        self._listing.note_earlier(self._listed)

    def _expect(self, name: str, old: str) -> None:
        found = self._transaction.find(name)
        if not old.strip("0"):
            if found is not None:
                raise RefConflict(name, None, found)
        elif not is_prefix(old):
            raise _no_id(old)
        elif found is None or not found.startswith(old):
            raise RefConflict(name, old, found)

    def _get_node(self, name: str, text: str) -> ObjectId:
        """Return the node that a ref is to be at. Here, and nowhere else, refs made by hand rely on objects."""
        if not is_prefix(text):
            raise _no_id(text)
        oid = get_whole_id(self._store, text)
        if not self._store.hold([oid]):
            raise ObjectNotFound(oid, where=self._store.name)
        with self._store.open(oid) as stream:
            node = find_envelope(stream)
        if node is None:
            raise NotANode(f"object '{oid}' is a blob, and a ref names a node")
        check_ref(name, node)
        return oid

    def _set(self, name: str, oid: ObjectId) -> None:
        if self._find(name) != oid:
            self._transaction.set(name, oid)
        self._listing.take_number(BUILD, find_build(name) or 0)
        label = find_label(name)
        listed = label and self._listing.find(*label)
        if label and not (listed and listed.run == oid):
            self._listing.remove(*label)
            run = list_run(self._store, oid, get_node(self._store, oid, Run))
            row = run.row._replace(workdir=label[0], number=label[1])
            self._listing.write(row, run.datasets)
            self._listed.append(row)

    def _delete(self, name: str) -> None:
        if self._find(name) is None:
            raise RefNotFound(name)
        self._transaction.delete(name)
        label = find_label(name)
        if label:
            self._listing.remove(*label)

    def _find(self, name: str) -> str | None:
        """Return what a ref is at, "" when that cannot be read: it can be set again, or removed."""
        try:
            return self._transaction.find(name)
        except CorruptRefs:
            return ""


def _no_id(text: str) -> InvalidId:
    return InvalidId(
        f"'{text}' is no object id",
        hint="an object id is 4 to 64 hex digits; 'acc rev-parse SPEC' prints that of a name",
    )
