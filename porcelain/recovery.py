"""Refs of a project that are gone, damaged or lack something, made again from all that is left of it."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from cas.errors import AccError, CorruptRefs, UnknownFormat
from cas.local.refs import LocalRefs
from cas.local.store import LocalStore
from cas.oid import ObjectId
from jobs.execution.jobdir import highest_number
from jobs.nodes.result import Result
from jobs.reuse.index import JobIndex
from jobs.reuse.rebuild import Rebuilt, rebuild, salvage
from jobs.reuse.refnames import RESULTS
from jobs.reuse.traces import Traces
from porcelain import storage
from porcelain.config import Config
from porcelain.results import ResultLinks
from porcelain.spec import Resolver, get_oid

Progress = Callable[[int], None]


class Recovered(NamedTuple):
    """What came back.

    Attributes
    ----------
    rebuilt : Rebuilt
        What was made again.
    saved : int
        Refs that were read from a damaged database.
    aside : Path or None
        Where that is now.
    """

    rebuilt: Rebuilt
    saved: int = 0
    aside: Path | None = None


def recover(config: Config, refs: LocalRefs, *, progress: Progress) -> Recovered:
    """Make refs again that are gone or damaged; to sound ones add what the store tells and they lack.

    Parameters
    ----------
    progress
        Called with the number of objects looked at so far.
    """
    # what is at a remote, it keeps: refs are made again of what is here
    store = storage.open_store(config).alone()
    trusts = storage.open_trust(config).trusts
    taken = {workdir: highest_number(workdir, folder) for workdir, folder in config.workdirs.items()}
    traces = Traces(config.workdirs)
    if _are_sound(refs):
        return Recovered(rebuild(refs, store, taken, trusts=trusts, traces=traces, progress=progress))
    with refs.draft() as draft:
        saved = salvage(refs.path, draft)
        rebuilt = rebuild(draft, store, taken, trusts=trusts, traces=traces, progress=progress)
        rebuilt.made.update(_remember_links(config, store, draft))
        return Recovered(rebuilt, saved, refs.replace_by(draft))


def _are_sound(refs: LocalRefs) -> bool:
    try:
        JobIndex(refs).check()
        return not refs.damage() and all(oid is not None for _, oid in refs.scan())
    except (CorruptRefs, UnknownFormat):
        return False


def _remember_links(config: Config, store: LocalStore, refs: LocalRefs) -> Mapping[str, ObjectId]:
    """Set the refs of those links in the result directory that have none: `acc link` made them, and no build."""
    links = ResultLinks(config.result_directory, store, refs)
    resolver = Resolver(JobIndex(refs), store, config)
    known = {name for name, _ in refs.names(RESULTS)}
    for path in sorted(config.result_directory.rglob("*")):
        name = path.relative_to(config.result_directory).as_posix()
        if not path.is_symlink() or RESULTS + name in known:
            continue
        try:
            target = resolver.resolve(str(path))
        except AccError:
            continue  # it is none of ours, or its job is lost
        if target.kind == "file" and target.row is not None:
            links.link(Result(target.row.run, target.name, get_oid(target)), name, path.resolve())
    return {RESULTS + name: oid for name, oid in links.made.items()}
