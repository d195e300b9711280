"""The urd sessions of a build script: begin, finish, and what earlier sessions hold."""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

from jobs import context
from jobs.facets.buildjob import BuildJob
from jobs.facets.runs import row_of_run
from jobs.job import Job
from jobs.nodes.run import now
from jobs.nodes.timestamp import Timestamp
from jobs.nodes.values import DotDict
from porcelain.buildlog import BuildRecord
from porcelain.sessions.joblist import JobList, ListedJob
from porcelain.sessions.urdpath import (
    FIRST,
    LATEST,
    UrdError,
    UrdPath,
    When,
    check_may_write,
    parse_path,
    to_timestamp,
    to_when,
)

if TYPE_CHECKING:  # a build script without sessions need not load what they take
    from jobs.nodes.session import Dependency, ListedRun
    from porcelain.sessions.urdlog import Item, Listed, UrdLog

# as the method `list` hides the builtin in its class
Texts: TypeAlias = list[str]


class UrdItem:
    """A session that was asked for; falsy, and without jobs, when there is none.

    Attributes
    ----------
    timestamp : str
        As "2019-12-09"; "0" when there is no session.
    caption, user, build : str
        The user's words; whose list it is of, and which.
    """

    def __init__(self, log: "UrdLog", item: "Item | None") -> None:
        self._log = log
        self._item = item
        self.timestamp = str(item.timestamp) if item else "0"
        self.caption = item.caption if item else ""
        self.user, self.build = item.path if item else ("", "")

    def __bool__(self) -> bool:
        return self._item is not None

    def __repr__(self) -> str:
        return f"<urd session {self.user}/{self.build}/{self.timestamp}>" if self else "<no urd session>"

    @cached_property
    def joblist(self) -> JobList:
        """The jobs of it."""
        return _joblist(self._item.jobs if self._item else ())

    @cached_property
    def deps(self) -> dict[str, DotDict]:
        """By list, the sessions that it depends on: each with timestamp, joblist and caption."""
        from jobs.nodes.session import Session

        node = self._item.node if self._item else None
        deps = node.deps if isinstance(node, Session) else {}
        return {path: self._dep(path, dep) for path, dep in deps.items()}

    @property
    def build_job(self) -> BuildJob | None:
        """The build that it was part of, or None."""
        label = self._log.build_label(self._item) if self._item else ""
        return BuildJob(label) if label else None

    def _dep(self, path: str, dep: "Dependency") -> DotDict:
        item = self._log.dependency(path, dep)
        return DotDict(timestamp=dep.timestamp, joblist=_joblist(item.jobs), caption=item.caption)


class _Open:
    """The session that is going on; `deps` are by list."""

    def __init__(self, path: UrdPath, timestamp: Timestamp | None, seen: "Listed") -> None:
        self.path = path
        self.timestamp = timestamp
        self.seen = seen
        self.caption = ""
        self.update = False
        self.deps: dict[str, Dependency] = {}


class Sessions:
    """The urd sessions of one build script; the other half of `Urd`.

    Parameters
    ----------
    log
        Gives the lists; None where there are none, as in a build of one job.
    horizon
        `latest` looks no further.
    """

    def __init__(self, record: BuildRecord, log: "Callable[[], UrdLog] | None", horizon: When | None) -> None:
        self._record = record
        self._lists = log
        self._horizon = horizon
        self._open: _Open | None = None
        self._chained_on: JobList | None = None
        self._listed: dict[int, ListedJob] = {}
        self._begun = 0

    @property
    def joblist(self) -> JobList:
        """The jobs of this session, in the order in which they were asked for; outside of one, since the last began.

        Those that were submitted are waited for.
        """
        self.wait()
        return JobList(self._listed[place] for place in sorted(self._listed) if place >= self._begun)

    @property
    def joblist_all(self) -> JobList:
        """The jobs of the whole script; those that were submitted are waited for."""
        self.wait()
        return JobList(self._listed[place] for place in sorted(self._listed))

    @property
    def horizon(self) -> str | None:
        """What `--horizon` says: how far `latest` looks."""
        return None if self._horizon is None else str(self._horizon.timestamp)

    # -- sessions ----------------------------------------------------------------------------------------------

    def begin(
        self,
        path: str,
        timestamp: Any = None,
        caption: str | None = None,
        update: bool = False,  # noqa: FBT001, FBT002 - the peer's order
    ) -> None:
        """Begin a session: jobs that are built from here on, up to `finish`, are its jobs.

        Parameters
        ----------
        path
            The list that it goes to, as "import".
        timestamp
            A text as "2019-12-09T12:19", a number, a date or datetime, or a tuple of these; `finish` can give it too.
        caption
            A word about it for people.
        update
            It may take the place of another session with that timestamp.
        """
        if self._open is not None:
            raise UrdError(f"urd session '{self._open.path}' is not finished yet, and '{path}' begins")
        parsed = parse_path(path, self._record.user)
        check_may_write(parsed, self._record.user)
        when = None if timestamp is None else to_timestamp(timestamp)
        self._open = _Open(parsed, when, self._log.listed(parsed))
        self._open.caption, self._open.update = caption or "", update
        self._begun = len(self._record.jobs)
        self._chained_on = None

    def finish(self, path: str, timestamp: Any = None, caption: str | None = None) -> DotDict:
        """Store the session that was begun, once its jobs are there, and return what became of it.

        Returns
        -------
        DotDict
            `new`, `changed`: whether there was none with this timestamp, or another one. Neither: the same was there,
            and nothing changes. `is_ghost`: what it depends on is gone, so it is not listed. When it has changed,
            `deps`: how many sessions depended on the one of before, and are not listed any more.

        Raises
        ------
        UrdConflict
            When another session has this timestamp, or another build has changed the list meanwhile.
        """
        from jobs.nodes.session import ListedRun, Session

        opened = self._open
        if opened is None:
            raise UrdError(f"no urd session to finish in '{path}'", hint="urd.begin comes first")
        if parse_path(path, self._record.user) != opened.path:
            raise UrdError(f"urd session '{opened.path}' is going on, and '{path}' would finish")
        when = opened.timestamp if timestamp is None else to_timestamp(timestamp)
        self._check_finish(opened, when)
        assert when is not None
        earlier = When("<", when).pick([*opened.seen])
        session = Session(
            user=opened.path.user,
            name=opened.path.name,
            timestamp=str(when),
            jobs=tuple(ListedRun(name, job.row.run) for name, job in self.joblist.as_tuples),
            finished=now(),
            caption=caption or opened.caption,
            deps=opened.deps,
            previous=None if earlier is None else opened.seen[earlier],
        )
        self._open = None
        added = self._log.add(session, self._record.label, seen=opened.seen, update=opened.update)
        done = DotDict(new=added.new, changed=added.changed, is_ghost=added.is_ghost)
        if added.changed:
            done["deps"] = added.ghosts
        return done

    def _check_finish(self, opened: _Open, when: Timestamp | None) -> None:
        if not self.joblist:
            raise UrdError(f"urd session '{opened.path}' has built no job")
        if when is None:
            raise UrdError(
                f"urd session '{opened.path}' has no timestamp", hint="give one to urd.begin or urd.finish"
            )
        if when == to_timestamp(0):
            raise UrdError(
                "no session can have the timestamp 0", hint="it stands for the time before all others"
            )

    def abort(self) -> None:
        """Forget the session that was begun; its jobs stay."""
        self._open = None

    # -- what is there -----------------------------------------------------------------------------------------

    def get(self, path: str, timestamp: Any) -> UrdItem:
        """Return a session, on which the one that is going on depends from now on.

        Parameters
        ----------
        timestamp
            As for `begin`; or one behind "<", "<=", ">" or ">=" for the nearest on that side; "latest", "first".
        """
        from jobs.nodes.session import Dependency

        opened = self._open
        if opened is None:
            raise UrdError(
                f"a session that depends on '{path}' has not begun",
                hint="urd.peek looks without depending on it",
            )
        parsed = parse_path(path, self._record.user)
        if str(parsed) in opened.deps:
            raise UrdError(f"urd session '{opened.path}' depends on list '{parsed}' already")
        item = self._log.find(parsed, to_when(timestamp))
        if item is not None:
            opened.deps[str(parsed)] = Dependency(str(item.timestamp), item.oid)
        found = UrdItem(self._log, item)
        self._chained_on = found.joblist
        return found

    def latest(self, path: str) -> UrdItem:
        """Return the last session of a list, as `get` does."""
        return self.get(path, self._latest())

    def first(self, path: str) -> UrdItem:
        """Return the first session of a list, as `get` does."""
        return self.get(path, FIRST)

    def peek(self, path: str, timestamp: Any) -> UrdItem:
        """Return a session without depending on it; `timestamp` as for `get`."""
        return UrdItem(self._log, self._log.find(parse_path(path, self._record.user), to_when(timestamp)))

    def peek_latest(self, path: str) -> UrdItem:
        """Return the last session of a list without depending on it."""
        return self.peek(path, self._latest())

    def peek_first(self, path: str) -> UrdItem:
        """Return the first session of a list without depending on it."""
        return self.peek(path, FIRST)

    def since(self, path: str, timestamp: Any) -> Texts:
        """Return the timestamps of a list that come after `timestamp`; after 0 come all."""
        after = to_timestamp(timestamp)
        return [str(at) for at in self._log.listed(parse_path(path, self._record.user)) if at > after]

    def list(self) -> Texts:
        """Return all lists, as "anna/import"."""
        return [str(path) for path in self._log.lists()]

    def truncate(self, path: str, timestamp: Any) -> DotDict:
        """Take the sessions from `timestamp` on out of a list, from 0 on all; what depends on them goes too.

        Returns
        -------
        DotDict
            `count`: how many these are; `deps`: how many sessions depended on them.
        """
        parsed = parse_path(path, self._record.user)
        check_may_write(parsed, self._record.user)
        count, ghosts = self._log.truncate(parsed, to_timestamp(timestamp))
        if self._open is not None:
            # what this script did itself, no other has done to it
            self._open.seen = self._log.listed(self._open.path)
        return DotDict(count=count, deps=ghosts)

    # -- for the other half ------------------------------------------------------------------------------------

    def wait(self) -> None:
        """Return when all jobs that were submitted are there: none, but for the other half."""

    def _list(self, place: int, name: str, job: Job) -> Job:
        """Note a job that was asked for at a place of the record, and return it."""
        listed = self._listed[place] = ListedJob.named(name, job)
        return listed

    def _get_previous(self, name: str) -> Job | None:
        """Return the job of that name in the session that was asked for last, or None."""
        if self._chained_on is None:
            raise UrdError(
                f"'{name}' has nothing to chain on",
                hint="urd.latest, urd.first or urd.get goes before build_chained",
            )
        previous: Job | None = self._chained_on.get(name)
        return previous

    def _latest(self) -> When:
        return self._horizon or When(LATEST)

    @property
    def _log(self) -> "UrdLog":
        if self._lists is None:
            raise UrdError("there are no urd lists here", hint="they are for build scripts")
        return self._lists()


def _joblist(runs: "Sequence[ListedRun]") -> JobList:
    here = context.current()
    return JobList((name, Job.of(row_of_run(here, run))) for name, run in runs)


def to_horizon(text: str | None) -> When | None:
    """Return how far `latest` looks when `--horizon` says `text`."""
    return None if text is None else When("<=", to_timestamp(text))
