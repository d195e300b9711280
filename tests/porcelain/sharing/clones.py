"""Clones of one project that share a remote: each in a folder of its own, its jobs run in this process."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from jobs.execution.executors.serial import SerialExecutor
from jobs.execution.plan import Silent
from jobs.wish import AS_USUAL, Policy
from porcelain import config
from porcelain.buildlog import BuildRecord
from porcelain.project import Project
from porcelain.urd import Urd
from tests.projects import Folder

REMOTE = """
[remotes.{name}]
url = "{url}"
read = {read}
write = {write}
trusted = true
"""


class Heard(Silent):
    """Keeps the warnings of builds."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warn(self, text: str) -> None:
        self.warnings.append(text)


class Building(Urd):
    """One build: what it asks for is listed as it was got."""

    def __init__(self, project: Project, policy: Policy = AS_USUAL) -> None:
        self.project = project
        self.record = BuildRecord("test")
        super().__init__(project.builder, self.record, policy)

    def got(self) -> list[str]:
        """Return how each job was got, as "make built" or "make reused from origin"."""
        entries = [entry for entry in self.record.jobs if entry is not None]
        return [
            f"{entry.name} {entry.how}" + (f" from {entry.origin}" if entry.origin else "")
            for entry in entries
        ]


class Clone:
    """A project and what is said while it builds.

    Attributes
    ----------
    warnings : list of str
        Those of the last build.
    published, left : int
        How many jobs it published, and how many it could not.
    """

    def __init__(
        self, root: Path, files: Mapping[str, str], url: str, *, read: bool = True, write: bool = True
    ) -> None:
        self.folder = Folder(root, files)
        self.root = root
        self.name_remote("origin", url, read=read, write=write)
        self.warnings: list[str] = []
        self.published = self.left = self.requests = 0

    def name_remote(self, name: str, url: str, *, read: bool = True, write: bool = True) -> None:
        """Have acc.toml name one more remote."""
        toml = self.root / "acc.toml"
        flags = {"read": str(read).lower(), "write": str(write).lower()}
        toml.write_text(toml.read_text() + REMOTE.format(name=name, url=url, **flags))

    @contextmanager
    def building(self, policy: Policy = AS_USUAL) -> Iterator[Building]:
        """Give a build; at its end it publishes what is left."""
        heard = Heard()
        with Project(config.load(self.root), heard, SerialExecutor()) as project:
            building = Building(project, policy)
            try:
                with building.ending():
                    yield building
            finally:
                self._finish(project)
                self.warnings = heard.warnings

    def _finish(self, project: Project) -> None:
        self.published = self.left = self.requests = 0
        for outbox in project.sharing.outboxes if project.sharing else ():
            project.sharing.finish(outbox, lambda *_: None)
            self.published += outbox.published.jobs
            self.requests += outbox.published.requests
            self.left += outbox.left

    def build(self, method: str, **arguments: object) -> str:
        """Build one job, and return how it was got and what it returned."""
        with self.building() as urd:
            job = urd.build(method, **arguments)
            return f"{urd.got()[-1]}: {job.load()}"

    def rows(self) -> list[str]:
        """Return the labels and methods of all jobs, each with the remote that it came from."""
        with Project(config.load(self.root)) as project:
            return [
                f"{row.label} {row.method} {row.origin}".rstrip() for row in reversed(project.index.rows())
            ]
