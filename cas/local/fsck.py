"""Is everything there and as it was written? A report, never a repair."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from cas.errors import CorruptObject, CorruptRefs, ObjectNotFound
from cas.formats.pack import SUFFIX
from cas.graph import Role, Visit, walk
from cas.local.refs import LocalRefs
from cas.local.store import LocalStore, Located
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
        there. "torn": a pack in which nothing can be read. "foreign": a file that is none of the store's.
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
    """What `check` looked at, and what it found."""

    copies: int
    refs: int
    reached: int
    problems: tuple[Problem, ...]

    @property
    def is_sound(self) -> bool:
        """Whether nothing is damaged."""
        return not any(problem.is_damage for problem in self.problems)


def check(store: LocalStore, refs: LocalRefs, *, progress: Progress | None = None) -> Report:
    """Hash every object again, follow every link from every ref, and return what was found.

    Others may read and write meanwhile. It takes the time to read all of the store, and memory for its links.

    Parameters
    ----------
    store : LocalStore
        The objects.
    refs : LocalRefs
        The refs whose objects must be there.
    progress : callable, optional
        Called with the number of copies read so far and of all.
    """
    copies = [*store.objects()]
    corrupt = [*_find_corrupt(store, copies, progress)]
    graph = _Graph()
    problems = [*_check_refs(refs, graph)]
    known = {problem.oid for problem in corrupt}
    for visit in walk(store, list(graph.roots)):
        graph.add(visit)
        if visit.error is not None and visit.oid not in known:
            kind: Kind = "missing" if visit.missing else "corrupt"
            problems.append(Problem(kind, visit.oid, _reason(visit), oid=visit.oid))
    problems = [graph.blame(problem) for problem in [*corrupt, *problems]]
    problems += _find_foreign(store)
    return Report(len(copies), sum(map(len, graph.roots.values())), graph.reached, tuple(problems))


def _find_corrupt(store: LocalStore, copies: list[Located], progress: Progress | None) -> Iterator[Problem]:
    for done, located in enumerate(copies, start=1):
        try:
            store.verify(located)
        except CorruptObject as err:
            yield Problem("corrupt", located.oid, err.reason, path=located.path, oid=located.oid)
        except ObjectNotFound:
            pass  # moved into another pack since it was listed; if it is gone, the walk finds it missing
        if progress is not None:
            progress(done, len(copies))


def _check_refs(refs: LocalRefs, graph: "_Graph") -> Iterator[Problem]:
    try:
        findings, pairs = refs.damage(), [*refs.scan()]
    except CorruptRefs as err:
        findings, pairs = [str(err)], []
    for finding in findings:
        yield Problem("corrupt", str(refs.path), finding, path=refs.path)
    for name, oid in pairs:
        if oid is None:
            yield Problem("corrupt", name, "the checksum of the ref does not fit", hurts=(name,))
        else:
            graph.roots[oid].append(name)


def _reason(visit: Visit) -> str:
    return f"no such {visit.role}" if visit.missing else str(visit.error)


def _find_foreign(store: LocalStore) -> Iterator[Problem]:
    for path in store.foreign():
        if path.suffix == SUFFIX:
            yield Problem("torn", str(path), "nothing in this pack can be read", path=path)
        else:
            yield Problem("foreign", str(path), "a file that acc did not write", path=path)


@dataclass(slots=True)
class _Graph:
    """Who names whom, so that from what is broken one finds the refs that it hurts."""

    roots: dict[ObjectId, list[str]] = field(default_factory=lambda: defaultdict(list))
    named_by: dict[tuple[ObjectId, Role], list[ObjectId]] = field(default_factory=lambda: defaultdict(list))
    reached: int = 0

    def add(self, visit: Visit) -> None:
        """Note what a visit links to."""
        self.reached += 1
        for blob in visit.blobs:
            self.named_by[blob, "blob"].append(visit.oid)
        for node in visit.nodes:
            self.named_by[node, "node"].append(visit.oid)

    def blame(self, problem: Problem) -> Problem:
        """Return `problem` with the refs that reach its object."""
        if problem.oid is None:
            return problem
        hurts = sorted(set(self._names_above(problem.oid)))
        return Problem(problem.kind, problem.subject, problem.reason, problem.path, problem.oid, tuple(hurts))

    def _names_above(self, oid: ObjectId) -> Iterable[str]:
        above, seen = [oid, *self.named_by.get((oid, "blob"), ())], {oid}
        while above:
            node = above.pop()
            yield from self.roots.get(node, ())
            for parent in self.named_by.get((node, "node"), ()):
                if parent not in seen:
                    seen.add(parent)
                    above.append(parent)
