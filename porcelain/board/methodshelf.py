"""The methods of a project that stays open while their files change."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Final

from cas.errors import AccError
from jobs.method.catalog import Catalog
from jobs.method.definition import Method
from porcelain.project import STANDARD_METHODS, Project
from porcelain.views import method_views
from porcelain.views.plain import View

# threads that answer are few: those that waited for a method that does not load would soon be all
_WAITS_SECONDS: Final = 2.0


class MethodsBeingRead(AccError):
    """Methods that take long to load, and are not known yet."""


@contextmanager
def taken(lock: Lock, *, seconds: float = _WAITS_SECONDS) -> Iterator[None]:
    """Hold the lock of who reads methods; raise `MethodsBeingRead` when another one has it for long."""
    if not lock.acquire(timeout=seconds):
        raise MethodsBeingRead(
            "methods are being read, and one of them takes long to load", hint="look again in a moment"
        )
    try:
        yield
    finally:
        lock.release()


class MethodShelf:
    """Reads methods when their files have changed; many threads may ask, and one at a time reads.

    What a method declares is found in a process of acc's own: so a thousand requests at once start one.
    """

    def __init__(self, project: Project) -> None:
        self._project = project
        self._lock = Lock()
        self._seen: frozenset[tuple[str, int, int]] | None = None
        self._catalog: Catalog | None = None
        self._lines: list[View] | None = None

    def lines(self) -> list[View]:
        """Return a line for each method; one that is broken has why."""
        with taken(self._lock):
            catalog = self._newest()
            if self._lines is None:
                self._lines = [
                    # acc's own are not broken, and to import those that nobody has used yet would take a second
                    method_views.unread_line(found)
                    if found.package == STANDARD_METHODS
                    else method_views.method_line(catalog, found)
                    for found in catalog.names()
                ]
            return [*self._lines]

    def get(self, name: str) -> Method:
        """Return the method with that name; raise `MethodError` when there is none, or it does not load."""
        with taken(self._lock):
            return self._newest().get(name)

    def find_path(self, name: str) -> Path | None:
        """Return the file of a method, be it broken; None when there is none."""
        with taken(self._lock):
            return next((found.path for found in self._newest().names() if found.name == name), None)

    def _newest(self) -> Catalog:
        seen = frozenset(self._stamps())
        if self._catalog is None or seen != self._seen:
            self._catalog, self._seen, self._lines = self._project.read_catalog(), seen, None
        return self._catalog

    def _stamps(self) -> Iterator[tuple[str, int, int]]:
        for folder in self._project.catalog.packages.values():
            for path in folder.rglob("*.py"):
                try:
                    stat = path.stat()
                except OSError:
                    continue  # it is on its way to elsewhere
                yield str(path), stat.st_mtime_ns, stat.st_size
