"""What refs are called: the first part of a name says what the rest is, and which kind of node it names."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from cas.errors import AccError
from cas.files import check_name
from cas.formats.node import Envelope
from cas.oid import ObjectId
from jobs.nodes.listing import split_label
from jobs.nodes.timestamp import Timestamp

ACTIONS: Final = "actions/"
BUILDS: Final = "builds/"
GHOSTS: Final = "ghosts/"
LABELS: Final = "jobs/"
REMOTES: Final = "remotes/"
RESULTS: Final = "results/"
URD: Final = "urd/"
BUILD: Final = "build"  # what builds are numbered under, beside the workdirs: none of those has this name
AUTO: Final = "__auto__"  # the urd list of builds
WINGS: Final = (ACTIONS, BUILDS, GHOSTS, LABELS, REMOTES, RESULTS, URD)
_KINDS: Final[Mapping[str, str]] = {ACTIONS: "run", BUILDS: "build", LABELS: "run", RESULTS: "result"}


class SessionPlace(NamedTuple):
    """Where an urd session is: whose list, which, and when."""

    user: str
    name: str
    timestamp: Timestamp


class WrongRef(AccError, ValueError):
    """A ref that does not name what its name says."""


def label_ref(workdir: str, number: int) -> str:
    """Return the name of the ref for a label.

    >>> label_ref("dev", 12)
    'jobs/dev/12'
    """
    return f"{LABELS}{workdir}/{number}"


def find_label(name: str) -> tuple[str, int] | None:
    """Return workdir and number of the label that a ref is for, or None when it is for none.

    >>> find_label("jobs/dev/12")
    ('dev', 12)
    """
    workdir, _, number = name.removeprefix(LABELS).rpartition("/")
    parts = split_label(f"{workdir}-{number}")
    return parts if parts and name == label_ref(*parts) and "/" not in workdir else None


def find_build(name: str) -> int | None:
    """Return the number of the build that a ref is for, or None when it is for none.

    >>> find_build("builds/7")
    7
    """
    parts = split_label(f"build-{name.removeprefix(BUILDS)}")
    return parts[1] if parts and name == f"{BUILDS}{parts[1]}" else None


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
        user, listed, timestamp = name.removeprefix(URD).split("/")
        place = SessionPlace(user, listed, Timestamp.from_ref(timestamp))
    except ValueError:  # as an InvalidTimestamp is
        return None
    return place if session_ref(place) == name else None


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


def check_ref(name: str, node: Envelope) -> None:
    """Raise `UnsafeName` or `WrongRef` when `name` cannot be that of a ref to `node`."""
    check_name(name)
    wing, _, rest = name.partition("/")
    if name.startswith((URD, GHOSTS)):
        _check_session(name, node)
        return
    wanted = _KINDS.get(f"{wing}/", node.kind)
    if node.kind != wanted:
        raise WrongRef(f"ref '{name}' names a {wanted}, and the object is a {node.kind}")
    if name.startswith(LABELS) and find_label(name) is None:
        raise WrongRef(f"ref '{name}' is for no label", hint="the ref for 'dev-12' is 'jobs/dev/12'")
    if name.startswith(BUILDS) and find_build(name) is None:
        raise WrongRef(f"ref '{name}' is for no build", hint="the ref for 'build-7' is 'builds/7'")
    if name.startswith(ACTIONS) and node.body.get("key") != rest:
        # it would make a hit of another job
        raise WrongRef(f"ref '{name}' names a run with that action key, and the object has another")


def _check_session(name: str, node: Envelope) -> None:
    """Raise `WrongRef` when a ref of an urd list, or of a ghost, is not for what it would name."""
    is_ghost = name.startswith(GHOSTS)
    place = find_session(URD + name.removeprefix(GHOSTS).rpartition("/")[0] if is_ghost else name)
    if place is None:
        raise WrongRef(f"ref '{name}' is for no urd session", hint="one is as 'urd/USER/LIST/2019-12-09'")
    wanted = BUILD if place.name == AUTO else "session"
    if node.kind != wanted:
        raise WrongRef(f"ref '{name}' names a {wanted}, and the object is a {node.kind}")
    told = tuple(node.body.get(field) for field in ("user", "list", "timestamp"))
    if node.kind != BUILD and told != (place.user, place.name, str(place.timestamp)):
        raise WrongRef(f"ref '{name}' names a session of '{told[0]}/{told[1]}' at '{told[2]}'")
