"""Which kind of node a ref may name, as its own name says."""

from collections.abc import Mapping
from typing import Final

from cas.errors import AccError
from cas.files import check_name
from cas.formats.node import Envelope
from jobs.reuse.refnames import (
    ACTIONS,
    AUTO,
    BUILD,
    BUILDS,
    GHOSTS,
    LABELS,
    RESULTS,
    URD,
    find_build,
    find_label,
)
from jobs.reuse.urdrefs import find_session

_KINDS: Final[Mapping[str, str]] = {ACTIONS: "run", BUILDS: "build", LABELS: "run", RESULTS: "result"}


class WrongRef(AccError, ValueError):
    """A ref that does not name what its name says."""


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
