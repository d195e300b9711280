"""A file that the running job has just saved, or is saving."""

from typing import Any, Protocol

from cas.formats.canonical import Json
from jobs import context
from jobs.errors import UsageError
from jobs.facets.jobfiles import sliced_name
from jobs.withfile import FileOwner, JobWithFile


class Saver(FileOwner, Protocol):
    """What a saved file asks of the running job."""

    def wait(self, name: str) -> None:
        """Return when a file that is saved in the background is saved; raise when it could not be."""

    def forget(self, name: str) -> None:
        """Let a file be none of the job's."""


class SavedFile:
    """A file of the running job; a stage may hand it to the next one, as a value that it returns."""

    def __init__(self, job: Saver, name: str, sliceno: int | None, *, is_json: bool = False) -> None:
        self._job = job
        self._name = name
        self._sliceno = sliceno
        self._is_json = is_json

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (self._name, self._sliceno, self._is_json)

    def to_reference(self) -> dict[str, Json]:
        """Raise: what is to be kept cannot hold a file of a job that is not finished."""
        raise UsageError(f"the saved file '{self.filename}' cannot itself be saved or be an input")

    @property
    def filename(self) -> str:
        """Name of the file in the job."""
        return sliced_name(self._name, self._sliceno)

    @property
    def path(self) -> str:
        """A real path of it."""
        self.wait()
        return self._job.filename(self._name, self._sliceno)

    def wait(self) -> None:
        """Return when the file is saved; raise `SaveFailed` when it could not be."""
        self._job.wait(self.filename)

    def load(self) -> Any:
        """Return the saved value."""
        self.wait()
        return (self._job.json_load if self._is_json else self._job.load)(self._name, self._sliceno)

    def jobwithfile(self, extra: object = None) -> JobWithFile:
        """Return a reference to the file: to the whole sliced file when it is that of a slice."""
        return JobWithFile(self._job, self._name, self._sliceno is not None, extra)

    def remove(self) -> None:
        """Let the file be none of the job's."""
        self.wait()
        self._job.forget(self.filename)


def _again(name: str, sliceno: int | None, is_json: bool) -> SavedFile:  # noqa: FBT001 - pickle gives it so
    job: Any = context.current().job
    if job is None:
        raise UsageError(f"the saved file '{name}' is known in its job alone")
    return SavedFile(job, name, sliceno, is_json=is_json)
