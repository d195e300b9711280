"""Which refs travel between a project and a remote, and which of them a remote is believed."""

from collections.abc import Iterable, Mapping
from typing import Final

from cas.errors import AccError
from cas.formats.node import read_envelope
from cas.oid import ObjectId
from cas.refs import Refs
from cas.remote.state import Remote
from cas.store import Store
from jobs.reuse.refcheck import check_ref
from jobs.reuse.refnames import AUTO, BUILDS, LABELS, REMOTES, RESULTS, URD
from porcelain import term

# actions go with the labels of their runs; they are no names, and there are many
TRAVELLING: Final = (LABELS, URD, RESULTS, BUILDS)


def is_auto(name: str) -> bool:
    """Return whether a ref is for a build in the urd list of builds, which travels only with what depends on it."""
    return name.startswith(URD) and f"/{AUTO}/" in name


def travelling(refs: Refs) -> dict[str, ObjectId]:
    """Return the refs that travel, sorted by name."""
    return {name: oid for wing in sorted(TRAVELLING) for name, oid in refs.names(wing)}


def tracking(remote: str, name: str = "") -> str:
    """Return the name of the local ref that keeps what a ref of a remote was when last seen.

    >>> tracking("origin", "jobs/dev/12")
    'remotes/origin/jobs/dev/12'
    """
    return f"{REMOTES}{remote}/{name}"


def tracked(refs: Refs, remote: str) -> dict[str, ObjectId]:
    """Return the refs that a remote had when last seen, by their names there."""
    start = tracking(remote)
    return {name.removeprefix(start): oid for name, oid in refs.names(start)}


def seen(uuid: str) -> str:
    """Return what the log of refs says of a change that was seen at a remote; one that was made anew is another one."""
    return f"seen at {uuid}"


def track(refs: Refs, remote: Remote, found: Mapping[str, ObjectId], gone: Iterable[str] = ()) -> None:
    """Keep what refs of a remote are, so that gc leaves it; forget those that are `gone` there."""
    known = tracked(refs, remote.name)
    # all is news of a remote that was made anew
    news = {name: oid for name, oid in found.items() if remote.remade or known.get(name) != oid}
    lost = [name for name in gone if name in known]
    if not news and not lost:
        return
    with refs.transaction(seen(remote.mirror.uuid)) as transaction:
        for name, oid in news.items():
            transaction.set(tracking(remote.name, name), oid)
        for name in lost:
            transaction.delete(tracking(remote.name, name))


def believed(store: Store, found: Mapping[str, ObjectId], where: str) -> dict[str, ObjectId]:
    """Return those refs of a remote that name what their names say; whoever writes there can write anything.

    Parameters
    ----------
    store
        Where the nodes are.
    """
    sound, wrong = {}, []
    for name, oid in found.items():
        try:
            check_ref(name, read_envelope(store.get(oid)))
        except AccError as err:
            wrong.append(str(err))
        else:
            sound[name] = oid
    if wrong:
        others = f", and {term.count(len(wrong) - 1, 'other')}" if len(wrong) > 1 else ""
        term.warn(f"not all refs of remote '{where}' are what their names say: {wrong[0]}{others}")
    return sound
