"""Result links as plain dicts: what each leads to, and what it led to before."""

from itertools import islice
from typing import Final, NamedTuple

from cas.errors import AccError
from cas.formats.node import get_node
from cas.oid import ObjectId
from cas.refs import LogEntry
from jobs.errors import NoSuchFile
from jobs.nodes.result import Result
from jobs.nodes.run import MICROSECONDS
from jobs.reuse.refnames import RESULTS
from porcelain.spec import Resolver
from porcelain.views import job_views
from porcelain.views.plain import View, moment

# where a blob is: in the store, only at a remote, nowhere
STORED: Final = "stored"
PROMISED: Final = "promised"
GONE: Final = "gone"
_MOST_ENTRIES: Final = 100
# what is said of a link of which no more is known than its name
_NOTHING: Final[View] = {
    "problem": None,
    "file": None,
    "blob": None,
    "run": None,
    "header": "",
    "description": "",
    "content": GONE,
    "job": None,
    "method": None,
    "ended": None,
    "caption": "",
    "options": {},
    "inputs": [],
}


class NoSuchResult(NoSuchFile):
    """A name that no result link has."""


class Named(NamedTuple):
    """A result link: its name, its node, and when it was linked, in seconds since 1970; 0 when no log tells."""

    name: str
    oid: ObjectId
    time: float


def newest(resolver: Resolver) -> list[Named]:
    """Return all result links, those first that were linked last; of each what the refs tell, not what it leads to."""
    refs = resolver.index.refs
    changes = refs.newest_changes(RESULTS)
    found = [
        Named(name.removeprefix(RESULTS), oid, changes[name].time if name in changes else 0.0)
        for name, oid in refs.names(RESULTS)
    ]
    return sorted(found, key=lambda each: -each.time)


def find(resolver: Resolver, name: str) -> Named:
    """Return the result link of that name; raise `NoSuchResult` when there is none."""
    oid = resolver.index.refs.find(RESULTS + name)
    if oid is None:
        raise NoSuchResult(f"no result '{name}'", hint="'acc results' lists those that there are")
    entry = next(resolver.index.refs.log(RESULTS + name), None)
    return Named(name, oid, entry.time if entry else 0.0)


def result(resolver: Resolver, named: Named) -> View:
    """Return what a result link leads to; `problem` says why, when it leads nowhere."""
    linked = moment(round(named.time * MICROSECONDS)) if named.time else None
    view: View = {"name": named.name, "linked": linked, **_NOTHING}
    try:
        found = get_node(resolver.store, named.oid, Result)
    except AccError as err:
        return view | {"problem": str(err)}
    view |= {
        "file": found.name,
        "blob": found.blob,
        "run": found.run,
        "header": found.header,
        "description": found.description,
        "content": where_is(resolver, found.blob),
    }
    try:
        return view | _job(resolver, found.run)
    except AccError as err:
        return view | {"problem": f"its job is gone: {err}"}


def history(resolver: Resolver, name: str) -> list[View]:
    """Return all that a result link has led to, newest first, as far back as the log goes."""
    entries = islice(resolver.index.refs.log(RESULTS + name), _MOST_ENTRIES)
    return [
        result(resolver, Named(name, entry.new, entry.time)) if entry.new else _taken_away(name, entry)
        for entry in entries
    ]


def where_is(resolver: Resolver, blob: ObjectId) -> str:
    """Return where a blob is: "stored" here, "promised" by a remote, or "gone"."""
    if resolver.store.has(blob):
        return STORED
    return PROMISED if resolver.store.promises(blob) else GONE


def _job(resolver: Resolver, run: ObjectId) -> View:
    row = resolver.row_of_run(run)
    return {
        "job": row.label,
        "method": row.method,
        "ended": moment(row.ended),
        "caption": row.caption,
        "options": job_views.options(resolver, row),
        "inputs": job_views.inputs(resolver, row),
    }


def _taken_away(name: str, entry: LogEntry) -> View:
    return (
        {"name": name, "linked": moment(round(entry.time * MICROSECONDS))} | _NOTHING | {"problem": entry.why}
    )
