"""What went to a remote, or came from one, as plain dicts and in words."""

from collections.abc import Iterable, Iterator, Mapping

from cas.oid import ObjectId
from jobs.reuse.refnames import ACTIONS, BUILDS, RESULTS, URD
from porcelain.sharing.fetching import Fetched
from porcelain.sharing.pulling import Pulled
from porcelain.sharing.pushing import Plan
from porcelain.sharing.wings import is_auto
from porcelain.views.plain import View

_NOUNS: Mapping[str, str] = {URD: "urd session", RESULTS: "result link", BUILDS: "build"}


def counted(names: Iterable[str]) -> Iterator[str]:
    """Yield how many refs of each wing there are, in words; none for labels, which are counted as jobs."""
    listed = [name for name in names if not is_auto(name)]
    for wing, noun in _NOUNS.items():
        number = sum(name.startswith(wing) for name in listed)
        if number:
            yield f"{number:,} {noun}{'' if number == 1 else 's'}"


def pushed(
    remote: str, plan: Plan, refs: Mapping[str, ObjectId | None], lost: Mapping[str, ObjectId]
) -> View:
    """Return what a push has done, or would do."""
    return {
        "remote": remote,
        "jobs": [
            {"job": row.label, "there": f"{label}@{remote}", "method": row.method, "run": row.run}
            for row, label in plan.labels
        ],
        "names": plan.names,
        "known": plan.known,
        "deleted": plan.deleted,
        "actions": sum(name.startswith(ACTIONS) for name in refs),
        "conflicts": plan.conflicts,
        "lost": dict(lost),
    }


def fetched(remote: str, done: Fetched) -> View:
    """Return what a fetch has brought."""
    return {
        "remote": remote,
        "refs": len(done.refs),
        "new": done.new,
        "gone": done.gone,
        "nodes": done.nodes,
        "blobs": done.blobs,
    }


def pulled(remote: str, done: Pulled) -> View:
    """Return what a pull has made here."""
    return {
        "remote": remote,
        "jobs": [
            {"job": here.label, "there": there.label, "method": here.method, "run": here.run}
            for there, here in done.labels
        ],
        "names": done.names,
        "known": done.known,
        "dropped": done.dropped,
        "ghosts": done.ghosts,
        "conflicts": done.conflicts,
    }
