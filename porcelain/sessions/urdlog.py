"""Urd lists: finished sessions by timestamp, as nodes under refs; what replaces, truncates or overtakes what."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple, TypeAlias

from cas.errors import ObjectNotFound
from cas.formats.node import get_node, put_node
from cas.oid import ObjectId
from cas.refs import Refs, Transaction
from cas.store import Store
from jobs.nodes.build import Build
from jobs.nodes.session import Dependency, ListedRun, Session
from jobs.nodes.timestamp import Timestamp, parse_timestamp
from jobs.reuse.refnames import AUTO, BUILDS, GHOSTS, URD
from jobs.reuse.urdrefs import (
    SessionPlace,
    depends_on,
    ghost_ref,
    place_of,
    read_session_ref,
    session_ref,
)
from porcelain.sessions.urdpath import UrdConflict, UrdPath, When

# the sessions of a list by their timestamps, sorted
Listed: TypeAlias = Mapping[Timestamp, ObjectId]


class Item(NamedTuple):
    """One session of a list; of the list `__auto__`, a build."""

    path: UrdPath
    timestamp: Timestamp
    oid: ObjectId
    node: Session | Build

    @property
    def caption(self) -> str:
        """The user's words."""
        return "" if isinstance(self.node, Build) else self.node.caption

    @property
    def jobs(self) -> list[ListedRun]:
        """What was built, in order."""
        return [ListedRun(entry.name, entry.run) for entry in self.node.jobs]


class Added(NamedTuple):
    """What became of a session that was to be added.

    Attributes
    ----------
    new, changed : bool
        There was none at its timestamp; there was another one. Neither: there was the same.
    is_ghost : bool
        What it depends on is not there any more, so that it is kept and not listed.
    ghosts : int
        How many sessions depended on the one that it replaced, and are not listed any more.
    """

    new: bool = False
    changed: bool = False
    is_ghost: bool = False
    ghosts: int = 0


class UrdLog:
    """The urd lists of a project.

    A session that depends on what was truncated or replaced becomes a *ghost*: it is listed no more, and kept.

    Parameters
    ----------
    only_look
        Say what would become of a session that is added, or a list that is truncated, and change nothing.
    """

    def __init__(self, store: Store, refs: Refs, *, only_look: bool = False) -> None:
        self._store = store
        self._refs = refs
        self._only_look = only_look

    # -- looking -----------------------------------------------------------------------------------------------

    def lists(self) -> list[UrdPath]:
        """Return the lists that have a session, sorted."""
        return sorted({UrdPath(place.user, place.name) for place, _, _ in self._live()})

    def listed(self, path: UrdPath) -> dict[Timestamp, ObjectId]:
        """Return the sessions of a list by timestamp, sorted; those of a list that is not there are none."""
        start = len(path.prefix)
        return {Timestamp.from_ref(name[start:]): oid for name, oid in self._refs.names(path.prefix)}

    def find(self, path: UrdPath, when: When) -> Item | None:
        """Return the session of a list that is meant, or None."""
        listed = self.listed(path)
        timestamp = when.pick([*listed])
        return None if timestamp is None else self.item(path, timestamp, listed[timestamp])

    def item(self, path: UrdPath, timestamp: Timestamp, oid: ObjectId) -> Item:
        """Return the session `oid` of a list."""
        node = self.build(oid) if path.name == AUTO else self.session(oid)
        return Item(path, timestamp, oid, node)

    def session(self, oid: ObjectId) -> Session:
        """Return a session."""
        return get_node(self._store, oid, Session)

    def build(self, oid: ObjectId) -> Build:
        """Return a build that is in the list `__auto__`."""
        return get_node(self._store, oid, Build)

    def dependency(self, path: str, dep: Dependency) -> Item:
        """Return what a session depends on of a list, as it was then."""
        user, _, name = path.partition("/")
        return self.item(UrdPath(user, name), parse_timestamp(dep.timestamp), dep.node)

    def build_label(self, item: Item) -> str:
        """Return the build that a session was part of, as "build-7"; of a build, its own."""
        if isinstance(item.node, Session):
            return "" if self._is_of_another(item.node) else item.node.build
        number = next((name for name, oid in self._refs.names(BUILDS) if oid == item.oid), "")
        return number and f"build-{number.removeprefix(BUILDS)}"

    def _is_of_another(self, session: Session) -> bool:
        """Return whether the build that has the label here is another one than the session's, which is of elsewhere."""
        oid = self._refs.find(BUILDS + session.build.rpartition("-")[2])
        got = {entry.run for entry in self.build(oid).jobs} if oid else set()
        return oid is not None and not all(entry.run in got for entry in session.jobs)

    def ghosts(self, path: UrdPath) -> list[Item]:
        """Return the sessions of a list that are kept and not listed, sorted by timestamp."""
        prefix = path.prefix.replace(URD, GHOSTS, 1)
        timestamps = ((name[len(prefix) :].partition("/")[0], oid) for name, oid in self._refs.names(prefix))
        return [self.item(path, Timestamp.from_ref(timestamp), oid) for timestamp, oid in timestamps]

    def runs(self) -> set[ObjectId]:
        """Return the runs of all sessions that are listed; builds are no reason to keep a job."""
        sessions = (self.session(oid) for place, _, oid in self._live() if place.name != AUTO)
        return {entry.run for session in sessions for entry in session.jobs}

    # -- changing ----------------------------------------------------------------------------------------------

    def add(self, session: Session, build: Callable[[], str], *, seen: Listed, update: bool) -> Added:
        """Add a session to its list, and say what became of it.

        Parameters
        ----------
        build
            Gives the label of its build; asked when it is no session that is there already.
        seen
            The list as it was when the session began: whoever builds on a list does not lose what others put there.
        update
            It may replace another one.

        Raises
        ------
        UrdConflict
            When it would replace another one, or somebody else has changed the list meanwhile. Nothing is changed.
        """
        path = UrdPath(session.user, session.name)
        name = session_ref(place_of(session))
        before = self._refs.find(name)
        if before is not None and self._check_same(session, before, update=update):
            return Added()
        if self._only_look:
            return Added(new=before is None, changed=before is not None)
        self._hold(session)
        oid = put_node(self._store, replace(session, build=build()))
        with self._refs.transaction(f"urd {path}/{session.timestamp}") as transaction:
            now = transaction.find(name)
            if now not in (None, before) and self._check_same(session, now, update=False):
                return Added()
            if self.listed(path) != seen:
                raise UrdConflict(
                    f"urd list '{path}' was changed by another build while this one worked on it",
                    hint="run it again: its jobs are reused",
                )
            return self._set(transaction, name, now, session, oid)

    def take(self, name: str, oid: ObjectId) -> Added:
        """List a session that came from elsewhere, under the name of its ref, in place of what is there."""
        session = self.session(oid)
        self._hold(session)
        with self._refs.transaction(f"urd {name.removeprefix(URD)} from elsewhere") as transaction:
            return self._set(transaction, name, transaction.find(name), session, oid)

    def _hold(self, session: Session) -> None:
        """See that gc leaves all that a session links to; raise when it has taken some of it."""
        links = [*session.nodes()]
        held = self._store.hold(links)
        for link in links:
            if link not in held:
                where = f"urd session '{session.user}/{session.name}/{session.timestamp}'"
                raise ObjectNotFound(link, where=where)

    def _set(
        self, transaction: Transaction, name: str, now: ObjectId | None, session: Session, oid: ObjectId
    ) -> Added:
        """List a session in the place of what is `now` there, or keep it as a ghost; say what became of it."""
        if not all(transaction.find(dep) == node for dep, node in depends_on(session)):
            transaction.set(ghost_ref(name, oid), oid)
            return Added(new=now is None, changed=now is not None, is_ghost=True)
        transaction.set(name, oid, old=now)
        if now is None:
            return Added(new=True)
        transaction.set(ghost_ref(name, now), now)
        return Added(changed=True, ghosts=self._bury(transaction, self._dependents({now})))

    def truncate(self, path: UrdPath, timestamp: Timestamp) -> tuple[int, int]:
        """Take all sessions from a timestamp on out of a list; return how many, and how many ghosts that made.

        What depended on one of them is listed no more either. All are kept, as ghosts.
        """
        with self._refs.transaction(f"urd truncate {path} from {timestamp}") as transaction:
            gone = {session_ref(path.at(at)): oid for at, oid in self.listed(path).items() if at >= timestamp}
            dependents = self._dependents({*gone.values()}) if gone else {}
            if self._only_look:
                return len(gone), len(dependents.keys() - gone.keys())
            made = self._bury(
                transaction, {name: oid for name, oid in dependents.items() if name not in gone}
            )
            return self._bury(transaction, gone), made

    def drop_ghosts(self, runs: Collection[ObjectId], why: str) -> None:
        """Forget the ghosts that one of `runs` is part of."""
        found = [(name, oid) for name, oid in self._refs.names(GHOSTS) if f"/{AUTO}/" not in name]
        wanted = set(runs)
        dead = [name for name, oid in found if any(entry.run in wanted for entry in self.session(oid).jobs)]
        if dead:
            with self._refs.transaction(why) as transaction:
                for name in dead:
                    transaction.delete(name)

    def _check_same(self, session: Session, there: ObjectId, *, update: bool) -> bool:
        """Return whether the session that is there says the same; raise when it does not and has to stay."""
        other = self.session(there)
        what = session.differences(other)
        if what and not update:
            raise UrdConflict(
                f"'{session.user}/{session.name}/{session.timestamp}' is there already, with "
                f"{' and '.join(what)} of its own",
                hint="begin with update=True to replace it",
            )
        return not what

    def _dependents(self, dead: Collection[ObjectId]) -> dict[str, ObjectId]:
        """Return the sessions that depend on one of `dead`, be it through others, by the names of their refs."""
        deps = {
            (name, oid): {node for _, node in depends_on(self.session(oid))}
            for place, name, oid in self._live()
            if place.name != AUTO
        }
        found: dict[str, ObjectId] = {}
        waiting = [*dead]
        while waiting:
            gone = waiting.pop()
            more = {name: oid for (name, oid), nodes in deps.items() if gone in nodes and name not in found}
            found |= more
            waiting.extend(more.values())
        return found

    def _bury(self, transaction: Transaction, sessions: Mapping[str, ObjectId]) -> int:
        """Make ghosts of sessions, given by the names of their refs."""
        for name, oid in sessions.items():
            transaction.delete(name, old=oid)
            if f"/{AUTO}/" not in name:  # a build has a ref of its own that keeps it
                transaction.set(ghost_ref(name, oid), oid)
        return len(sessions)

    def _live(self) -> Iterator[tuple[SessionPlace, str, ObjectId]]:
        for name, oid in self._refs.names(URD):
            yield read_session_ref(name), name, oid
