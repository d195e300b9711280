"""Builds and urd lists as plain dicts: what `--json` prints and tables show."""

from collections import Counter
from collections.abc import Iterable
from typing import Final

from cas.formats.node import get_node
from cas.oid import ObjectId
from jobs.nodes.build import Build
from jobs.nodes.run import MICROSECONDS
from jobs.nodes.session import ListedRun, Session
from porcelain.buildlog import BuildLog
from porcelain.sessions.urdlog import Item, UrdLog
from porcelain.spec import Resolver
from porcelain.views.job_views import label_of
from porcelain.views.plain import View, moment

_ALL: Final = slice(None)


def build(resolver: Resolver, name: str, oid: ObjectId) -> View:
    """Return one run of a build script."""
    return build_of_node(resolver, name, get_node(resolver.store, oid, Build))


def build_of_node(resolver: Resolver, name: str, node: Build, window: slice = _ALL) -> View:
    """Return the same of a node that was read already; of its jobs those in `window`."""
    return build_line(name, node) | {
        "asked": dict(node.asked),
        "jobs": [
            {
                "name": entry.name,
                "job": label_of(resolver, entry.run),
                "how": entry.how,
                "method": entry.method or None,
                "caption": entry.caption,
                "ran": entry.ran and label_of(resolver, entry.ran),
                "origin": entry.origin or None,
            }
            for entry in node.jobs[window]
        ],
        "results": sorted(node.results or {}),
        "warnings": [*node.warnings],
        "output": None if node.output is None else _text(resolver, node.output),
    }


def builds(resolver: Resolver, limit: int | None) -> tuple[list[View], int]:
    """Return the newest builds, a line each, and the number of all."""
    log = BuildLog(resolver.store, resolver.index.refs)
    return [build_line(f"build-{number}", node) for number, node in log.newest(limit)], log.count()


def build_line(name: str, node: Build) -> View:
    """Return a build as a line of a list."""
    return {
        "build": name,
        "script": node.script,
        "user": node.user or None,
        "status": node.status,
        "started": moment(node.start),
        "seconds": (node.end - node.start) / MICROSECONDS,
        "built": sum(entry.ran is not None for entry in node.jobs),
        "reused": sum(entry.ran is None for entry in node.jobs),
    }


def build_changes(resolver: Resolver, before: Build, after: Build, limit: int) -> View:
    """Return which jobs of a build are other ones than those of an earlier build of the script.

    Jobs are the same in both by their names, the first of a name with the first; of each kind at most `limit`
    are returned, with the number of all.
    """
    old, new = _by_name(before), _by_name(after)
    other = [(*key, run, new[key]) for key, run in old.items() if key in new and new[key] != run]
    come = [(*key, run) for key, run in new.items() if key not in old]
    gone = [(*key, run) for key, run in old.items() if key not in new]
    return {
        "same": len(new) - len(other) - len(come),
        "other_count": len(other),
        "other": [
            {"name": name, "before": label_of(resolver, run), "after": label_of(resolver, now)}
            for name, _, run, now in other[:limit]
        ],
        "come_count": len(come),
        "come": [{"name": name, "job": label_of(resolver, run)} for name, _, run in come[:limit]],
        "gone_count": len(gone),
        "gone": [{"name": name, "job": label_of(resolver, run)} for name, _, run in gone[:limit]],
    }


def _by_name(node: Build) -> dict[tuple[str, int], ObjectId]:
    """Return the runs of a build by name, and number among those of the name."""
    counts = Counter[str]()
    found = {}
    for entry in node.jobs:
        found[entry.name, counts[entry.name]] = entry.run
        counts[entry.name] += 1
    return found


def _text(resolver: Resolver, blob: ObjectId) -> str:
    return resolver.store.get(blob).decode("utf-8", "replace")


# -- urd -----------------------------------------------------------------------------------------------------


def urd_lists(log: UrdLog) -> list[View]:
    """Return all urd lists, each with the number of its sessions and the last one."""
    shown = []
    for path in log.lists():
        timestamps = [*log.listed(path)]
        shown.append({"list": str(path), "sessions": len(timestamps), "latest": str(timestamps[-1])})
    return shown


def urd_sessions(log: UrdLog, items: Iterable[Item]) -> list[View]:
    """Return sessions of a list, a line each."""
    return [
        {
            "timestamp": str(item.timestamp),
            "caption": item.caption,
            "jobs": len(item.jobs),
            "build": log.build_label(item) or None,
            "session": item.oid,
        }
        for item in items
    ]


def urd_session(resolver: Resolver, log: UrdLog, item: Item, window: slice = _ALL) -> View:
    """Return one session: what it depends on, and those of its jobs that are in `window`."""
    deps = item.node.deps if isinstance(item.node, Session) else {}
    return {
        "list": str(item.path),
        **urd_sessions(log, [item])[0],
        "previous": item.node.previous if isinstance(item.node, Session) else None,
        "deps": [
            {
                "list": path,
                "timestamp": dep.timestamp,
                "caption": log.dependency(path, dep).caption,
                "session": dep.node,
            }
            for path, dep in deps.items()
        ],
        "jobs": [_listed_job(resolver, entry) for entry in item.jobs[window]],
    }


def _listed_job(resolver: Resolver, entry: ListedRun) -> View:
    row = resolver.find_row(entry.run)
    return {"name": entry.name, "job": label_of(resolver, entry.run), "method": row and row.method}
