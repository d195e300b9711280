"""What refs are called: the first part of a name says what the rest is, and which kind of node it names."""

from collections.abc import Mapping
from typing import Final

from cas.errors import AccError
from cas.files import check_name
from cas.formats.node import Envelope
from jobs.nodes.listing import split_label

ACTIONS: Final = "actions/"
BUILDS: Final = "builds/"
LABELS: Final = "jobs/"
REMOTES: Final = "remotes/"
RESULTS: Final = "results/"
URD: Final = "urd/"
BUILD: Final = "build"  # what builds are numbered under, beside the workdirs: none of those has this name
WINGS: Final = (ACTIONS, BUILDS, LABELS, REMOTES, RESULTS, URD)
_KINDS: Final[Mapping[str, str]] = {ACTIONS: "run", BUILDS: "build", LABELS: "run", RESULTS: "result"}


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


def check_ref(name: str, node: Envelope) -> None:
    """Raise `UnsafeName` or `WrongRef` when `name` cannot be that of a ref to `node`."""
    check_name(name)
    wing, _, rest = name.partition("/")
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
