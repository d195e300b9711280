"""Is everything at a remote there and as it was written? A report, never a repair."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from cas.errors import CorruptRemote
from cas.local.fsck import Above, Kind, Problem, is_sound
from cas.local.store import LocalStore
from cas.oid import ObjectId, oid_of
from cas.remote.bucket import Listed
from cas.remote.keys import CLOCK, FORMAT, LEASES, index_key, is_of_objects, object_key, pack_key
from cas.remote.log import FOLDER as LOG
from cas.remote.log import LogFile, covering, find_log_file, list_log, read_file
from cas.remote.mirror import Mirror
from cas.remote.state import Remote
from cas.remote.upkeep.reach import Reach
from cas.remote.upkeep.verifying import read_all
from cas.remote.uploads import known_files

_GONE: Final = "the file is gone"

Progress = Callable[[int, int], None]


@dataclass(slots=True)
class RemoteReport:
    """What `check` looked at, and what it found.

    Attributes
    ----------
    files : int
        Files that the remote tells of.
    objects : int
        Objects that it tells of.
    refs : int
        Refs that were followed.
    dangling : int
        Objects that no ref reaches: no damage, but what gc would take.
    unneeded, unneeded_bytes : int
        Packs, indexes and large objects that nothing tells of any more, or yet, and how long they are.
    problems : list of Problem
        What is wrong.
    bad_files : dict of str to str
        Files that are gone or damaged, by key, and what is wrong with them.
    bad_objects : set of (str, ObjectId)
        Objects that are damaged in a file that is none of those, by its key.
    damaged : set of ObjectId
        Objects that cannot be had from the remote, though it tells of them or a ref reaches them.
    here : set of ObjectId
        Those of them that the local store has, sound.
    """

    files: int = 0
    objects: int = 0
    refs: int = 0
    dangling: int = 0
    unneeded: int = 0
    unneeded_bytes: int = 0
    problems: list[Problem] = field(default_factory=list)
    bad_files: dict[str, str] = field(default_factory=dict)
    bad_objects: set[tuple[str, ObjectId]] = field(default_factory=set)
    damaged: set[ObjectId] = field(default_factory=set)
    here: set[ObjectId] = field(default_factory=set)

    @property
    def is_sound(self) -> bool:
        """Whether nothing is damaged."""
        return not any(problem.is_damage for problem in self.problems)

    @property
    def can_be_mended(self) -> bool:
        """Whether the local store has all that is damaged."""
        return self.damaged == self.here


def check(
    local: LocalStore, remote: Remote, *, full: bool = False, progress: Progress | None = None
) -> RemoteReport:
    """Look whether all files that a remote tells of are there, as long as they should be, and all that refs reach.

    Others may read and write meanwhile. Memory grows by some 200 bytes an object.

    Parameters
    ----------
    local
        Nodes that are here are not fetched.
    full
        Read every file, and verify every object.
    progress
        With `full` called with the number of objects that have been read so far, and that of all.

    Raises
    ------
    NotARemote
        When there is none.
    """
    work = _Check(local, remote)
    work.check_log(full=full)
    work.check_files()
    if full:
        work.read(progress or (lambda _done, _total: None))
    work.check_refs()
    work.blame()
    return work.report


class _Check:
    """One check of a remote."""

    def __init__(self, local: LocalStore, remote: Remote) -> None:
        self.report = RemoteReport()
        self._local = local.alone()
        self._remote = remote
        self._mirror = remote.mirror
        self._roots: dict[ObjectId, list[str]] = defaultdict(list)
        # of a bad file which objects lie in it
        self._within: dict[str, list[ObjectId]] = {}

    # -- the log -----------------------------------------------------------------------------------------------

    def check_log(self, *, full: bool) -> None:
        """Look whether the log tells of every transaction, and of what is known here."""
        remote, mirror = self._remote, self._mirror
        try:
            remote.look()
        except CorruptRemote as err:
            if not mirror.number:
                raise
            self._note_log(LOG, str(err))
        files = list_log(remote.bucket)
        last = max((file.last for file in files), default=0)
        if last < mirror.number:
            self._note_log(LOG, f"it ends at transaction {last}, and {mirror.number} is known here")
        try:
            chain = covering(files, 0)
        except CorruptRemote as err:
            self._note_log(LOG, str(err))
        else:
            if full:
                self._read_log(chain)

    def _read_log(self, chain: Iterable[LogFile]) -> None:
        for file in chain:
            try:
                read_file(self._remote.bucket, file)
            except CorruptRemote as err:
                self._note_log(file.key, str(err))
            except FileNotFoundError:
                continue  # merged into another meanwhile
        if not self.report.problems:
            self._compare()

    def _note_log(self, key: str, reason: str) -> None:
        if key not in self.report.bad_files:
            self.report.bad_files[key] = reason
            self.report.problems.append(Problem("corrupt", key, reason))

    def _compare(self) -> None:
        """Read the log again from the start; when this machine knows otherwise, it forgets what it knew."""
        remote, mirror = self._remote, self._mirror
        with mirror.scratch() as folder:
            fresh = Remote(remote.bucket, Mirror(folder))
            fresh.look()
            remote.look()
            same = fresh.mirror.number != mirror.number or _without_nonce(fresh.mirror) == _without_nonce(
                mirror
            )
            fresh.mirror.close()
        if not same:
            mirror.forget(mirror.uuid)
            remote.look()

    # -- files -------------------------------------------------------------------------------------------------

    def check_files(self) -> None:
        """Look whether each file that is told of is there, and as long as it should be."""
        report, bucket, mirror = self.report, self._remote.bucket, self._mirror
        wanted = self._lengths()
        listed = {file.key: file for file in bucket.list("")}
        report.files = len(wanted)
        for name in mirror.indexes():
            if mirror.index_bytes(name) is not None and name not in mirror.opened():
                self._note_file(index_key(name), "it is no index over the packs that the log tells of")
        for key, length in wanted.items():
            # a listing may be old
            found = listed[key].bytes if key in listed else bucket.find_bytes(key)
            if found is None:
                self._note_file(key, _GONE)
            elif length is not None and found != length:
                self._note_file(key, f"it has {found} bytes, and should have {length}")
        for file in listed.values():
            self._look_at(file, wanted)

    def _lengths(self) -> dict[str, int | None]:
        """Return the files that are told of, and their lengths where those are known."""
        mirror = self._mirror
        wanted: dict[str, int | None] = dict.fromkeys(sorted(known_files(mirror)))
        wanted |= {pack_key(name): length for name, length in mirror.packs().items()}
        wanted |= {object_key(oid, told.file_bytes): told.file_bytes for oid, told in mirror.large()}
        wanted |= {index_key(name): mirror.index_bytes(name) for name in mirror.indexes()}
        return wanted

    def _look_at(self, file: Listed, wanted: Iterable[str]) -> None:
        if is_of_objects(file.key):
            if file.key not in wanted:
                self.report.unneeded += 1
                self.report.unneeded_bytes += file.bytes
        elif file.key != FORMAT and not file.key.startswith((CLOCK, LEASES)) and find_log_file(file) is None:
            self.report.problems.append(Problem("foreign", file.key, "what acc did not write"))

    def _note_file(self, key: str, reason: str) -> None:
        self._remote.look()
        if key not in known_files(self._mirror):
            return  # gc was there meanwhile
        self.report.bad_files[key] = reason
        kind: Kind = "missing" if reason == _GONE else "corrupt"
        self.report.problems.append(Problem(kind, key, reason))

    def read(self, progress: Progress) -> None:
        """Read all files, and verify every object."""
        self._read_indexes()
        total = sum(map(len, self._mirror.entries().values())) + sum(1 for _ in self._mirror.large())
        done = 0
        for read in read_all(self._remote, [*self.report.bad_files]):
            done += read.objects
            for oid, reason in read.findings:
                if oid is None:
                    self._note_file(read.key, reason)
                else:
                    self.report.bad_objects.add((read.key, oid))
                    self.report.problems.append(Problem("corrupt", oid, reason, oid=oid))
            progress(done, total)

    def _read_indexes(self) -> None:
        """Look whether the indexes are those that this machine has copies of; a copy is what its name says."""
        for name in self._mirror.indexes():
            key = index_key(name)
            data = self._remote.bucket.find(key)
            if key not in self.report.bad_files and data is not None and oid_of(data) != name:
                self._note_file(key, "it is not what its name says")

    # -- what refs reach ---------------------------------------------------------------------------------------

    def check_refs(self) -> None:
        """Follow every ref, and find what it reaches and the remote lacks."""
        report = self.report
        self._note_what_is_damaged()
        for name, oid in self._mirror.refs.names():
            self._roots[oid].append(name)
        report.refs = sum(map(len, self._roots.values()))
        way = Reach(self._local, self._remote)
        for visit in way.visit(self._roots):
            if visit.error is not None and visit.oid not in report.damaged:
                report.damaged.add(visit.oid)
                report.bad_objects.update((key, visit.oid) for key in self._places_of(visit.oid))
                kind: Kind = "missing" if visit.missing else "corrupt"
                reason = f"no such {visit.role}" if visit.missing else str(visit.error)
                report.problems.append(Problem(kind, visit.oid, reason, oid=visit.oid))
        told = set(self._mirror.digests())
        report.objects = len(told)
        report.dangling = sum(not way.reached(digest) for digest in told)

    def _places_of(self, oid: ObjectId) -> Iterator[str]:
        """Yield the keys of the files in which an object lies, as far as is told."""
        digest = bytes.fromhex(oid)
        for index in self._mirror.opened().values():
            found = index.find(digest)
            if found is not None:
                yield pack_key(index.packs[found[0]])
        if (large := self._mirror.find_large(oid)) is not None:
            yield object_key(oid, large.file_bytes)

    def _note_what_is_damaged(self) -> None:
        """Note what lies in bad files or is damaged itself, and nowhere else."""
        report = self.report
        if not (report.bad_files or report.bad_objects):
            return
        # an index of which a copy is here still tells all that it should
        held = {
            pack_key(name): [entry.oid for entry in entries]
            for name, entries in self._mirror.entries().items()
        }
        held |= {object_key(oid, told.file_bytes): [oid] for oid, told in self._mirror.large()}
        self._within = {key: oids for key, oids in held.items() if key in report.bad_files}
        report.damaged = {oid for oids in self._within.values() for oid in oids}
        report.damaged.update(oid for _, oid in report.bad_objects)
        for key, oids in held.items():
            if key not in report.bad_files:
                report.damaged.difference_update(oid for oid in oids if (key, oid) not in report.bad_objects)

    def blame(self) -> None:
        """Say of each problem whom it hurts, and what of it is here; a sound remote pays nothing for it."""
        report = self.report
        if not report.damaged:
            return
        report.here = {oid for oid in report.damaged if is_sound(self._local, oid)}
        above = Above(Reach(self._local, self._remote).visit(self._roots), self._roots)
        report.problems = [
            replace(problem, hurts=above.names_of(oids)) if (oids := self._objects_of(problem)) else problem
            for problem in report.problems
        ]

    def _objects_of(self, problem: Problem) -> list[ObjectId]:
        return [problem.oid] if problem.oid is not None else self._within.get(problem.subject, [])


def _without_nonce(mirror: Mirror) -> object:
    return replace(mirror.as_change(), nonce="")
