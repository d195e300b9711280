"""`NoJob`: what an unset job parameter holds."""

from typing import Any, Self

from jobs.errors import NoSuchDataset, NoSuchJob
from jobs.job import DEFAULT_DATASET, Job
from jobs.jobfiles import RESULT

_RAISE: Any = object()


class _NoJob(Job):
    """The job that an unset parameter holds: falsy, without files and datasets."""

    def __new__(cls) -> Self:
        return str.__new__(cls, "")

    def __reduce__(self) -> tuple[Any, ...]:
        return (_no_job, ())

    @property
    def label(self) -> str:
        return ""

    to_reference = None  # type: ignore[assignment]  # so it is a value, and no reference to anything

    def note_label(self) -> None:
        """Nothing to note."""

    def __getattr__(self, name: str) -> Any:
        # what all that is not here ends up asking for
        if name == "_row":
            raise NoSuchJob("no job was given here", hint="an unset job is false: ask 'if job:' first")
        raise AttributeError(f"a job has no '{name}'")

    method = workdir = ""
    number = version = -1

    def files(self, pattern: str = "*") -> set[str]:
        """Return an empty set."""
        del pattern
        return set()

    def load(
        self,
        filename: str | None = None,
        sliceno: int | None = None,
        encoding: str = "bytes",
        default: Any = _RAISE,
    ) -> Any:
        """Return None, or `default`; raise when a certain file is asked for."""
        del encoding
        if default is not _RAISE:
            return default
        if filename is not None or sliceno is not None:
            raise NoSuchJob(f"no job was given here that could have a file '{filename or RESULT}'")
        return None

    def json_load(
        self, filename: str | None = None, sliceno: int | None = None, default: Any = _RAISE
    ) -> Any:
        """Return None, or `default`; raise when a certain file is asked for."""
        return self.load(filename, sliceno, default=default)

    load_json = json_load

    def dataset(self, name: str = DEFAULT_DATASET) -> Any:
        """Raise: there is none."""
        raise NoSuchDataset(f"no job was given here that could have a dataset '{name}'")

    @property
    def datasets(self) -> Any:
        """No datasets."""
        from jobs.dataset.lists import DatasetList

        return DatasetList()

    def chain(self, *_args: Any, **_options: Any) -> "list[Job]":
        """Return an empty list."""
        return []


NoJob = _NoJob()


def _no_job() -> Job:
    return NoJob
