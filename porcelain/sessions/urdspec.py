"""How a session of an urd list is named, and a job of it, or of a build: `:import/2019-12:parse`, `build-7:parse`."""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from cas.errors import UnsafeName
from cas.oid import ObjectId
from jobs.errors import NoSuchJob
from jobs.nodes.session import ListedRun
from jobs.nodes.timestamp import InvalidTimestamp, Timestamp
from porcelain.objects import SpecError
from porcelain.sessions.urdlog import Item, UrdLog
from porcelain.sessions.urdpath import LATEST, UrdError, UrdPath, When, parse_path, to_when

# `:` stands in a time too, but behind an hour
_SESSION: Final = re.compile(
    r":?(?P<path>[^:~^]+(?:(?<=[T ]\d\d):\d\d(?::\d\d)?[^:~^]*)*)(?P<walk>(?:[~^]\d*)*)(?::(?P<entry>[^.~^:/]*))?"
)
_STEP: Final = re.compile(r"(?P<sign>[~^])(?P<count>\d*)")
_LAST: Final = "-1"


class SessionSpec(NamedTuple):
    """A session, and maybe a job of it.

    Attributes
    ----------
    later : int
        So many sessions later in the list, or earlier when it is negative.
    entry : str or None
        The name or index of the job; "" is the last one, None when the text has none.
    """

    path: UrdPath
    when: When
    later: int
    entry: str | None


def parse_session(text: str, user: str) -> SessionSpec:
    """Return the session that `text` names; raise `UrdError` when it can name none.

    >>> parse_session(":import/2019-12^:parse", "anna").entry
    'parse'
    """
    match = _SESSION.fullmatch(text)
    if match is None:
        raise UrdError(
            f"'{text}' names no urd session", hint="try :LIST:, :LIST/2019-12: or :USER/LIST/latest:JOB"
        )
    steps = [(step["sign"], int(step["count"] or 1)) for step in _STEP.finditer(match["walk"])]
    later = sum(count if sign == "~" else -count for sign, count in steps)
    return SessionSpec(*split_item(match["path"], user), later, match["entry"])


def split_item(text: str, user: str) -> tuple[UrdPath, When]:
    """Return list and timestamp of "LIST", "LIST/TIMESTAMP", "USER/LIST" or "USER/LIST/TIMESTAMP".

    >>> [str(part) for part in split_item("import/<=2019-12", "anna")]
    ['anna/import', '<=2019-12']
    """
    listed, slash, last = text.rpartition("/")
    if not slash:
        return parse_path(last, user), When(LATEST)
    try:
        return parse_path(listed, user), to_when(last)
    except InvalidTimestamp:
        if "/" in listed:
            raise
    return parse_path(text, user), When(LATEST)


def find_item(log: UrdLog, spec: SessionSpec) -> Item | None:
    """Return the session that is named, or None."""
    listed = log.listed(spec.path)
    timestamps: list[Timestamp] = [*listed]
    at = spec.when.pick(timestamps)
    place = -1 if at is None else timestamps.index(at) + spec.later
    if not 0 <= place < len(timestamps):
        return None
    return log.item(spec.path, timestamps[place], listed[timestamps[place]])


def get_run(log: UrdLog, text: str, user: str) -> ObjectId:
    """Return the run of the job that `text` names, the last one of its session when it names none."""
    try:
        spec = parse_session(text, user)
    except (UrdError, InvalidTimestamp, UnsafeName) as err:
        raise SpecError(str(err), hint=err.hint) from err
    item = find_item(log, spec)
    if item is None:
        raise NoSuchJob(
            f"no urd session '{text.partition(':')[2].partition(':')[0]}'", hint="'acc urd' lists the lists"
        )
    return get_entry(item.jobs, spec.entry or _LAST, f"urd session '{item.path}/{item.timestamp}'")


def get_entry(jobs: Sequence[ListedRun], entry: str, where: str) -> ObjectId:
    """Return the run of a job of a session or build, by its index or the last one of a name."""
    if entry.lstrip("-").isdigit():
        number = int(entry)
        found = [jobs[number].run] if -len(jobs) <= number < len(jobs) else []
    else:
        found = [run for name, run in jobs if name == entry]
    if not found:
        names = ", ".join(dict.fromkeys(job.name for job in jobs))
        raise NoSuchJob(f"{where} has no job '{entry}'", hint=f"it has {names}" if names else "it has none")
    return found[-1]
