"""Builds standard methods in a project, on files that a test writes."""

from pathlib import Path

from jobs.job import Job
from jobs.method.arguments import Arguments
from jobs.wish import Wish
from porcelain.project import Project

SLICES = 3


class Bench:
    """Builds methods on files that a test writes."""

    def __init__(self, root: Path, project: Project) -> None:
        self.root = root
        self._project = project

    def build(self, method: str, **arguments: object) -> Job:
        """Return the job of a method."""
        return self._project.builder.build(method, Arguments({}, {}, {}), arguments, Wish()).job

    def write(self, data: bytes, name: str = "x.csv") -> str:
        """Write an input file and return its name."""
        (self.root / "input" / name).write_bytes(data)
        return name

    def csvimport(self, data: bytes, name: str = "x.csv", **options: object) -> Job:
        """Return the job that imports `data`."""
        return self.build("csvimport", filename=self.write(data, name), **options)

    def table(self, data: bytes, **options: object):
        """Return the dataset of a CSV text."""
        return self.csvimport(data, **options).dataset()


def rows(dataset, *columns):
    """Return the rows of a dataset in the order in which csvimport dealt them."""
    return list(dataset.iterate("roundrobin", columns or None))
