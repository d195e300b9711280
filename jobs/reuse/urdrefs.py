"""The refs of urd lists, of the sessions that are listed there no more, and what these depend on."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from cas.oid import ObjectId
from jobs.nodes.timestamp import Timestamp, parse_timestamp
from jobs.reuse.refnames import AUTO, GHOSTS, URD

if TYPE_CHECKING:  # every build loads this room, and few have a session
    from jobs.nodes.build import Build
    from jobs.nodes.session import Session


class SessionPlace(NamedTuple):
    """Where an urd session is: whose list, which, and when."""

    user: str
    name: str
    timestamp: Timestamp


def session_ref(place: SessionPlace) -> str:
    """Return the name of the ref for an urd session; names of one list sort as its timestamps do.

    >>> session_ref(SessionPlace("anna", "import", Timestamp.of(["2019-12-09"])))
    'urd/anna/import/2019-12-09'
    """
    return f"{URD}{place.user}/{place.name}/{place.timestamp.to_ref()}"


def find_session(name: str) -> SessionPlace | None:
    """Return the place in an urd list that a ref is for, or None when it is for none.

    >>> find_session("urd/anna/import/2019-12-09").name
    'import'
    """
    try:
        place = read_session_ref(name)
        is_sound = parse_timestamp(str(place.timestamp)) == place.timestamp and session_ref(place) == name
    except ValueError:  # as an InvalidTimestamp is
        return None
    return place if is_sound else None


def read_session_ref(name: str) -> SessionPlace:
    """Return the place in an urd list that a ref is for, which is known to be for one."""
    user, listed, timestamp = name.removeprefix(URD).split("/")
    return SessionPlace(user, listed, Timestamp.from_ref(timestamp))


def auto_ref(user: str, start: int) -> str:
    """Return the name of the ref for a build in the list of builds; `start` is in microseconds since 1970.

    >>> auto_ref("anna", 1_500_000)
    'urd/anna/__auto__/1970-01-01T00:00:01.500000'
    """
    return session_ref(SessionPlace(user, AUTO, Timestamp.of_moment(start)))


def ghost_ref(session: str, oid: ObjectId) -> str:
    """Return the name of the ref that keeps a session which is not in its list any more.

    Parameters
    ----------
    session
        The name of the ref that it had there.
    """
    return f"{GHOSTS}{session.removeprefix(URD)}/{oid}"


def place_of(session: "Session") -> SessionPlace:
    """Return where a session belongs; raise `InvalidTimestamp` when that is nowhere."""
    return SessionPlace(session.user, session.name, parse_timestamp(session.timestamp))


def depends_on(session: "Session") -> Iterator[tuple[str, ObjectId]]:
    """Yield the names of the refs that a session depends on, each with the node that it has to name."""
    for path, dep in session.deps.items():
        user, _, name = path.partition("/")
        yield session_ref(SessionPlace(user, name, parse_timestamp(dep.timestamp))), dep.node


def is_listed(build: "Build") -> bool:
    """Return whether a build is in the list of builds: it is done, and built or reused something."""
    return build.is_done and bool(build.jobs) and build.user != ""
