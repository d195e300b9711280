"""Is everything there and as it was written? A report, never a repair."""

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeAlias

from cas.errors import AccError, CorruptObject, CorruptRefs, ObjectNotFound
from cas.files import TEMPORARY_PREFIX, is_temporary
from cas.formats.multiindex import NAME as MULTI_INDEX
from cas.formats.multiindex import open_multi_index
from cas.formats.pack import SUFFIX, Pack
from cas.graph import Role, Visit, Walk, walk
from cas.local.pins import AllPins
from cas.local.refs import LocalRefs
from cas.local.store import LocalStore
from cas.local.verifying import count_copies, verify_all
from cas.oid import ObjectId

Kind: TypeAlias = Literal["corrupt", "missing", "torn", "foreign"]
Progress: TypeAlias = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is not as it should be.

    Attributes
    ----------
    kind : str
        "corrupt": bytes that are not what was written. "missing": an object that a ref reaches and that is not
        there. "torn": a pack in which nothing can be read. "foreign": what is none of the store's.
    subject : str
        The object id, the name of the ref, or the path.
    reason : str
        What is wrong with it.
    path : Path or None
        The file that it is in.
    oid : ObjectId or None
        The object.
    hurts : tuple of str
        Names of the refs that reach it, sorted.
    """

    kind: Kind
    subject: str
    reason: str
    path: Path | None = None
    oid: ObjectId | None = None
    hurts: tuple[str, ...] = ()

    @property
    def is_damage(self) -> bool:
        """Whether something is lost by it; a foreign file is only in the way."""
        return self.kind != "foreign"


@dataclass(frozen=True, slots=True)
class Report:
    """What `check` looked at, and what it found.

    Attributes
    ----------
    copies : int
        Copies of objects, in packs and loose.
    refs : int
        Refs that were followed.
    reached : int
        Objects that they reach, missing ones included, counted once a role.
    dangling : int
        Objects that they do not reach: no damage, but what gc would take.
    promised : int
        Blobs that they reach and that are not here, but at a remote.
    silent : tuple of AccError
        Why remotes could not be asked of which nothing is known here any more: they may have what is missing.
    """

    copies: int
    refs: int
    reached: int
    dangling: int
    problems: tuple[Problem, ...]
    promised: int = 0
    silent: tuple[AccError, ...] = ()

    @property
    def is_sound(self) -> bool:
        """Whether nothing is damaged."""
        return not any(problem.is_damage for problem in self.problems)


def check(
    store: LocalStore,
    refs: LocalRefs,
    *,
    fast: bool = False,
    progress: Progress | None = None,
    dangling: Callable[[ObjectId], None] | None = None,
) -> Report:
    """Hash every object again, follow every link from every ref, and return what was found.

    Others may read and write meanwhile. All cores read; memory grows by some 200 bytes an object. Nothing is fetched;
    a remote is asked only when blobs are missing and what it has has been forgotten.

    Parameters
    ----------
    store : LocalStore
        The objects.
    refs : LocalRefs
        The refs whose objects must be there.
    fast : bool
        Look at structure only: indexes, seals and links, not at what is stored in each object.
    progress : callable, optional
        Called with the number of copies that have been read so far, and that of all.
    dangling : callable, optional
        Called with each object that no ref reaches.
    """
    promises, store = _Promises(store), store.alone()
    problems = [*_check_files(store)]
    copies, total = 0, count_copies(store.loose, store.packs) if progress else 0
    for verified in verify_all(store.loose, store.packs, fast=fast):
        copies += verified.copies
        problems += [
            Problem("corrupt", oid, reason, path=Path(path), oid=oid)
            for oid, reason, path in verified.findings
        ]
        if progress is not None:
            progress(copies, total)
    roots: dict[ObjectId, list[str]] = defaultdict(list)
    problems += _check_refs(refs, roots)
    known = {problem.oid for problem in problems}
    way, reached = Walk(store), 0
    for visit in way.visit(list(roots)):
        reached += 1
        if visit.error is None or visit.oid in known or promises.cover(visit) or _is_elsewhere(store, visit):
            continue
        kind: Kind = "missing" if visit.missing else "corrupt"
        problems.append(Problem(kind, visit.oid, _reason(visit), oid=visit.oid))
    named = _blame(store, roots, problems)
    left = _report_dangling(store, way, dangling)
    return Report(
        copies,
        sum(map(len, roots.values())),
        reached,
        left,
        tuple(named),
        promised=promises.count,
        silent=tuple(promises.silent),
    )


class _Promises:
    """What is not here, and need not be: a remote has it."""

    def __init__(self, store: LocalStore) -> None:
        self._store = store
        self._has_looked = False
        self.count = 0
        self.silent: Sequence[AccError] = ()

    def cover(self, visit: Visit) -> bool:
        """Return whether a missing object is promised; of nodes none is, since all that reach a node brought it."""
        if not visit.missing or visit.role != "blob" or self._store.source is None:
            return False
        promised = self._store.promises(visit.oid)
        if not promised and not self._has_looked:
            self._has_looked = True
            self.silent = self._store.source.look_if_lost()
            promised = self._store.promises(visit.oid)
        self.count += promised
        return promised


def _check_files(store: LocalStore) -> Iterator[Problem]:
    """Yield what is wrong with files as wholes: packs, the index over them, and files of others."""
    torn = set()
    packs = store.packs.packs()
    for pack in packs:
        try:
            path = Path(pack.path)
            if not len(pack.index):
                torn.add(path)
                yield Problem("torn", pack.path, "nothing in this pack can be read", path=path)
                continue
            for flaw in pack.flaws():
                yield Problem("corrupt", pack.path, flaw, path=path)
        except FileNotFoundError:
            continue  # merged into another since it was listed
    multi = store.packs.folder / MULTI_INDEX
    if os.path.lexists(multi) and not _is_good_multi_index(multi, packs):
        yield Problem(
            "corrupt", str(multi), "the index over many packs is damaged; it can be made again", path=multi
        )
    for path in _foreign(store):
        if path not in torn:
            yield Problem("foreign", str(path), "what acc did not write", path=path)


def _is_good_multi_index(path: Path, packs: Iterable[Pack]) -> bool:
    index = open_multi_index(str(path))
    if index is None or not index.is_sound():
        return False
    known = {pack.name.removesuffix(SUFFIX): pack for pack in packs}
    try:
        covered = [known[name].records for name in index.packs]
    except (KeyError, FileNotFoundError):
        return True  # a pack has gone since, so nobody asks it
    records = [found for found in covered if found is not None]
    # of a pack whose own index is damaged it is the better one
    return len(records) < len(covered) or index.repeats(records)


def _foreign(store: LocalStore) -> Iterator[Path]:
    yield from store.loose.foreign()
    yield from store.packs.foreign()
    yield from store.trash.foreign()
    yield from AllPins(store.root / "pins", store.root / "cache" / "pins.json").foreign()
    yield from (path for path in sorted(store.root.glob(TEMPORARY_PREFIX + "*")) if not is_temporary(path))


def _check_refs(refs: LocalRefs, roots: dict[ObjectId, list[str]]) -> Iterator[Problem]:
    """Yield what is wrong with refs, and add to `roots` what the sound ones name."""
    findings: set[str] = set()
    try:
        findings.update(refs.damage())
    except CorruptRefs as err:
        findings.add(str(err))
    try:
        for name, oid in refs.scan():
            if oid is None:
                yield Problem("corrupt", name, "the checksum of the ref does not fit", hurts=(name,))
            else:
                roots[oid].append(name)
    except CorruptRefs as err:
        findings.add(str(err))  # the refs before are followed
    for finding in sorted(findings):
        yield Problem("corrupt", str(refs.path), finding, path=refs.path)


def _is_elsewhere(store: LocalStore, visit: Visit) -> bool:
    """Return whether what is missing is sound in the trash, or came back while it was looked for.

    A gc that is killed leaves there what it took too early; readers find it, and the next gc brings it back.
    """
    return visit.missing and is_sound(store, visit.oid)


def is_sound(store: LocalStore, oid: ObjectId) -> bool:
    """Return whether an object can be read from somewhere, and is what it should be."""
    try:
        for _ in store.pieces(oid):
            pass
    except (ObjectNotFound, CorruptObject):
        return False
    return True


def _reason(visit: Visit) -> str:
    return f"no such {visit.role}" if visit.missing else str(visit.error)


def _report_dangling(store: LocalStore, way: Walk, dangling: Callable[[ObjectId], None] | None) -> int:
    left = 0
    for oid in store.ids():
        if not way.reached(bytes.fromhex(oid)):
            left += 1
            if dangling is not None:
                dangling(oid)
    return left


# ---- whom it hurts


def _blame(
    store: LocalStore, roots: dict[ObjectId, list[str]], problems: Sequence[Problem]
) -> Iterable[Problem]:
    """Return `problems` with the refs that reach their objects; a sound store pays nothing for it."""
    if not any(problem.oid for problem in problems):
        return problems
    above = Above(walk(store, list(roots)), roots)
    return [
        replace(problem, hurts=above.names_of([problem.oid])) if problem.oid else problem
        for problem in problems
    ]


class Above:
    """Who names whom, so that from what is broken one finds the refs that it hurts.

    Parameters
    ----------
    visits
        All that the refs reach.
    roots
        What refs point at, and their names.
    """

    def __init__(self, visits: Iterable[Visit], roots: Mapping[ObjectId, Sequence[str]]) -> None:
        self._roots = roots
        self._named_by: dict[tuple[ObjectId, Role], list[ObjectId]] = defaultdict(list)
        for visit in visits:
            for blob in visit.blobs:
                self._named_by[blob, "blob"].append(visit.oid)
            for node in visit.nodes:
                self._named_by[node, "node"].append(visit.oid)

    def names_of(self, oids: Iterable[ObjectId]) -> tuple[str, ...]:
        """Return the names of the refs that reach any of some objects, sorted."""
        return tuple(sorted(set(self._names_above(set(oids)))))

    def _names_above(self, oids: set[ObjectId]) -> Iterable[str]:
        above = [*oids]
        for oid in oids:
            above += self._named_by.get((oid, "blob"), ())
        seen = set(oids)
        while above:
            node = above.pop()
            yield from self._roots.get(node, ())
            for parent in self._named_by.get((node, "node"), ()):
                if parent not in seen:
                    seen.add(parent)
                    above.append(parent)
