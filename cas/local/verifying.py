"""Read every copy of every object again, on all cores, a few megabytes at a time."""

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import chain, islice
from typing import TYPE_CHECKING, Final, NamedTuple

from cas.errors import CorruptObject, ObjectNotFound
from cas.formats.packindex import Entry
from cas.local.loose import LooseObjects, open_loose
from cas.local.packs import PackFolder
from cas.local.reading import verify_entries
from cas.oid import ObjectId
from cas.threads import usable_cores

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future

# so many stored bytes, or objects, are one piece of work for a process
_TASK_BYTES: Final = 8 << 20
_TASK_COUNT: Final = 2000
_TASK_LOOSE: Final = 16
# pieces of work that wait for a process; what they tell of is held in memory
_AHEAD: Final = 4
# so much work is done before other processes have begun
_ALONE_BYTES: Final = 8 << 20
# to open and hash an object of nothing takes as long as so many stored bytes
_OBJECT_BYTES: Final = 16 << 10


class Finding(NamedTuple):
    """A copy that is not as it was written."""

    oid: ObjectId
    reason: str
    path: str


class Verified(NamedTuple):
    """What came of one piece of work."""

    copies: int
    findings: list[Finding]


class _PackPart(NamedTuple):
    path: str
    entries: list[Entry]


class _LoosePart(NamedTuple):
    loose: LooseObjects
    oids: list[ObjectId]


def count_copies(loose: LooseObjects, packs: PackFolder) -> int:
    """Return how many copies there are to verify."""
    found = sum(1 for _ in loose.ids())
    for pack in packs.packs():
        with suppress(FileNotFoundError):
            found += len(pack.index)
    return found


def verify_all(loose: LooseObjects, packs: PackFolder, *, fast: bool) -> Iterator[Verified]:
    """Verify all copies of all objects and yield what was found, piece by piece.

    Others may read and write meanwhile: what goes away before it is read is passed over.

    Parameters
    ----------
    loose, packs
        Where the objects are.
    fast
        Do not read what is stored: only look at the seals of loose objects.
    """
    work = _parts(loose, packs)
    if fast:
        yield from map(_look_at, work)
        return
    first, weight = [], 0
    while weight < _ALONE_BYTES and (part := next(work, None)):
        first.append(part)
        weight += _weight_of(part)
    if weight < _ALONE_BYTES or usable_cores() == 1:
        yield from map(_verify, chain(first, work))
    else:
        yield from _in_processes(chain(first, work))


def _in_processes(parts: "Iterator[_PackPart | _LoosePart]") -> Iterator[Verified]:
    from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
    from multiprocessing import get_context

    cores = usable_cores()
    # forked, so that they know what this process knows; it runs no threads of its own
    pool: Executor = ProcessPoolExecutor(cores, mp_context=get_context("fork"))
    with pool:
        running: set[Future[Verified]] = set()
        while True:
            running |= {pool.submit(_verify, part) for part in islice(parts, cores + _AHEAD - len(running))}
            if not running:
                return
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                yield future.result()


def _parts(loose: LooseObjects, packs: PackFolder) -> "Iterator[_PackPart | _LoosePart]":
    for pack in packs.packs():
        try:
            entries = iter(sorted(pack.index, key=lambda entry: entry.offset))
        except FileNotFoundError:
            continue  # merged into another since it was listed
        for part in _pieces(entries):
            yield _PackPart(pack.path, part)
    oids = loose.ids()
    while some := list(islice(oids, _TASK_LOOSE)):
        yield _LoosePart(loose, some)


def _weight_of(part: _PackPart | _LoosePart) -> int:
    if isinstance(part, _PackPart):
        return sum(_OBJECT_BYTES + entry.stored_bytes for entry in part.entries)
    found = 0
    for oid in part.oids:
        with suppress(FileNotFoundError):
            found += _OBJECT_BYTES + os.lstat(part.loose.path_of(oid)).st_size
    return found


def _pieces(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    part: list[Entry] = []
    size = 0
    for entry in entries:
        part.append(entry)
        size += entry.stored_bytes
        if size >= _TASK_BYTES or len(part) >= _TASK_COUNT:
            yield part
            part, size = [], 0
    if part:
        yield part


def _verify(part: _PackPart | _LoosePart) -> Verified:
    findings: list[Finding] = []
    if isinstance(part, _PackPart):
        try:
            findings = [_finding(error) for error in verify_entries(part.path, part.entries)]
        except FileNotFoundError:
            return Verified(0, [])
        return Verified(len(part.entries), findings)
    copies = 0
    for oid in part.oids:
        try:
            part.loose.verify(oid)
        except CorruptObject as err:
            findings.append(_finding(err))
        except ObjectNotFound:
            continue  # packed or moved since it was listed; if it is gone, the walk finds it missing
        copies += 1
    return Verified(copies, findings)


def _look_at(part: _PackPart | _LoosePart) -> Verified:
    if isinstance(part, _PackPart):
        return Verified(len(part.entries), [])
    findings, copies = [], 0
    for oid in part.oids:
        try:
            open_loose(part.loose.path_of(oid), oid).close()
        except CorruptObject as err:
            findings.append(_finding(err))
        except FileNotFoundError:
            continue
        copies += 1
    return Verified(copies, findings)


def _finding(error: CorruptObject) -> Finding:
    return Finding(ObjectId(error.oid), error.reason, error.where)
