"""What refs are called: the first part of a name says what the rest is."""

from typing import Final

from cas.refs import TRACKED
from jobs.nodes.listing import AT, split_label

ACTIONS: Final = "actions/"
BUILDS: Final = "builds/"
GHOSTS: Final = "ghosts/"
LABELS: Final = "jobs/"
REMOTES: Final = TRACKED
RESULTS: Final = "results/"
URD: Final = "urd/"
BUILD: Final = "build"  # what builds are numbered under, beside the workdirs: none of those has this name
WINGS: Final = (ACTIONS, BUILDS, GHOSTS, LABELS, REMOTES, RESULTS, URD)
AUTO: Final = "__auto__"  # the urd list of builds


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
    is_plain = not {"/", AT}.intersection(workdir)
    return parts if parts and name == label_ref(*parts) and is_plain else None


def find_build(name: str) -> int | None:
    """Return the number of the build that a ref is for, or None when it is for none.

    >>> find_build("builds/7")
    7
    """
    parts = split_label(f"build-{name.removeprefix(BUILDS)}")
    return parts[1] if parts and name == f"{BUILDS}{parts[1]}" else None
