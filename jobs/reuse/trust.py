"""Where runs came from, and what may be done with them: what a run saved can run code, and nobody checks its claims.

Notes
-----
Source: docs/reference/formats/origins.md.
"""

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol

from cas.errors import AccError
from cas.files import lock_file, read_file, sync_file, sync_folder, write_all
from cas.oid import ObjectId, is_oid, oid_of
from jobs.context import Labels
from jobs.errors import NotTrusted
from jobs.nodes.listing import JobRow
from jobs.nodes.run import Run

FILE: Final = "origins"
_CHECK_DIGITS: Final = 8


class CorruptOrigins(AccError):
    """A file of origins that is damaged: nobody knows whom it warned of."""


class Place(Protocol):
    """A remote of the project, as far as trust goes; `cas.remote.place.Place` is one."""

    @property
    def name(self) -> str:
        """What the project calls it."""

    @property
    def url(self) -> str:
        """Where it is."""

    @property
    def trusted(self) -> bool:
        """Whether what comes from there may be loaded, run again, and given to jobs."""


class Origins:
    """Runs that came from remotes which were not trusted then, and from which: noted before they are stored.

    Parameters
    ----------
    path
        The file that they are noted in, for good: refs and caches may be lost, and are made again without it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int] | None = None
        self._urls: Mapping[ObjectId, frozenset[str]] = {}

    def note(self, url: str, runs: Iterable[ObjectId]) -> None:
        """Note that some runs come from the remote at `url`; that survives a power failure when this returns."""
        lines = "".join(map(_line, ((run, url) for run in runs))).encode()
        if not lines:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with lock_file(self._path):
            descriptor = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
            try:
                _drop_half_a_line(descriptor)
                write_all(descriptor, lines)
                sync_file(descriptor)
            finally:
                os.close(descriptor)
            sync_folder(self._path.parent)

    def urls_of(self, run: ObjectId) -> frozenset[str]:
        """Return where a run came from that was not trusted then; nothing for one that was made here."""
        try:
            status = self._path.stat()
        except FileNotFoundError:
            return frozenset()
        if self._seen != (status.st_ino, status.st_size):
            self._urls = _read(self._path)
            self._seen = (status.st_ino, status.st_size)
        return self._urls.get(run, frozenset())


class Trust:
    """Says what may be done with runs, by where they came from and which remotes are trusted now.

    Parameters
    ----------
    origins
        Where runs came from.
    places
        The remotes of the project.
    """

    def __init__(self, origins: Origins, places: Sequence[Place]) -> None:
        self._origins = origins
        self._places = places

    def trusts(self, run: ObjectId) -> bool:
        """Return whether a run was made here, or came from a remote that is trusted now."""
        urls = self._origins.urls_of(run)
        return not urls or any(place.trusted and place.url in urls for place in self._places)

    def check(self, row: JobRow, what: str, labels: Labels) -> None:
        """Raise `NotTrusted` when what came of a run may not be loaded, nor given to jobs.

        What a trusted run has come to as well is as good as if it had come from there.

        Parameters
        ----------
        what
            What was to be done, as "be loaded".
        """
        if self.trusts(row.run):
            return
        twins = labels.of_outcome(row.outcome) if row.outcome else []
        if not any(self.trusts(twin.run) for twin in twins):
            raise self._refusal(row, what)

    def check_source(self, row: JobRow, what: str) -> None:
        """Raise `NotTrusted` when the source of a run may not be run."""
        if not self.trusts(row.run):
            raise self._refusal(row, what)

    def arriving(self, url: str) -> Callable[[Mapping[ObjectId, str]], None]:
        """Return what notes the runs among nodes that come from the remote at `url`, unless that is trusted.

        It is given nodes by id, each with its kind, before they are stored.
        """
        if any(place.trusted and place.url == url for place in self._places):
            return lambda _: None

        def note(kinds: Mapping[ObjectId, str]) -> None:
            self._origins.note(url, (oid for oid, kind in kinds.items() if kind == Run.KIND))

        return note

    def _refusal(self, row: JobRow, what: str) -> NotTrusted:
        urls = self._origins.urls_of(row.run)
        names = [place.name for place in self._places if place.url in urls]
        if not names:
            return NotTrusted(
                f"job '{row.label}' cannot {what}: it came from '{min(urls)}', which is no remote of this project",
                hint=f"'acc remote add NAME {min(urls)}', with trusted = true if you trust all who can write there",
            )
        return NotTrusted(
            f"job '{row.label}' cannot {what}: it came from remote '{names[0]}', which is not trusted",
            hint=f"say trusted = true under [remotes.{names[0]}] in acc.toml if you trust all who can write there: "
            "stored values and sources are code",
        )


def _line(origin: tuple[ObjectId, str]) -> str:
    text = " ".join(origin)
    return f"{_check_of(text)} {text}\n"


def _drop_half_a_line(descriptor: int) -> None:
    """Cut off what somebody left who was killed while he wrote: he has stored nothing that it tells of."""
    size = os.fstat(descriptor).st_size
    if size and os.pread(descriptor, 1, size - 1) != b"\n":
        os.ftruncate(descriptor, os.pread(descriptor, size, 0).rfind(b"\n") + 1)


def _check_of(text: str) -> str:
    # a flipped bit in an id would make a run trusted
    return oid_of(text.encode())[:_CHECK_DIGITS]


def _read(path: Path) -> dict[ObjectId, frozenset[str]]:
    *lines, _ = read_file(path).split(b"\n")
    found: dict[ObjectId, set[str]] = defaultdict(set)
    for number, line in enumerate(lines, start=1):
        check, _, text = line.decode("utf-8", "replace").partition(" ")
        run, _, url = text.partition(" ")
        if check != _check_of(text) or not is_oid(run):
            raise CorruptOrigins(
                f"line {number} of '{path}' is damaged: the run that it tells of would seem to be made here",
                hint="remove the line, if you trust all that was ever fetched",
            )
        found[ObjectId(run)].add(url)
    return {run: frozenset(urls) for run, urls in found.items()}
