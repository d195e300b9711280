"""A file that the running job has just saved."""

from collections.abc import Callable
from typing import Any

from jobs.job import Job
from jobs.jobfiles import sliced_name
from jobs.withfile import JobWithFile


class SavedFile:
    """A file that the running job just saved; `forget` takes its name and lets it be none of the job's."""

    def __init__(self, job: Job, name: str, sliceno: int | None, forget: Callable[[str], None]) -> None:
        self._job = job
        self._forget = forget
        self._name = name
        self._sliceno = sliceno

    @property
    def filename(self) -> str:
        """Name of the file in the job."""
        return sliced_name(self._name, self._sliceno)

    @property
    def path(self) -> str:
        """A real path of it."""
        return self._job.filename(self._name, self._sliceno)

    def load(self) -> Any:
        """Return the saved value."""
        return (self._job.json_load if self._name.endswith(".json") else self._job.load)(
            self._name, self._sliceno
        )

    def jobwithfile(self, extra: object = None) -> JobWithFile:
        """Return a reference to the file."""
        return self._job.withfile(self.filename, extra=extra)

    def remove(self) -> None:
        """Forget the file."""
        self._forget(self.filename)

    def wait(self) -> None:
        """Return at once: the file is saved."""
