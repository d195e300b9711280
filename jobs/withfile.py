"""One file of one job, as a value that an option can hold."""

from collections.abc import Sequence
from typing import IO, Any, Protocol

from cas.formats.canonical import Json
from cas.oid import ObjectId
from jobs.errors import NoSuchFile, UsageError
from jobs.nodes.references import JOB, WITHFILE, to_structure


class FileOwner(Protocol):
    """What a withfile asks of its job; `Job` is one."""

    @property
    def label(self) -> str:
        """The job's label."""

    def file_blobs(self, name: str, *, sliced: bool) -> Sequence[ObjectId]:
        """Return the blob of a file, or those of a sliced file by slice; raise `NoSuchFile`."""

    def filename(self, name: str, sliceno: int | None = None) -> str:
        """Return a real path of the file."""

    def load(
        self, filename: str = ..., sliceno: int | None = None, encoding: str = ..., default: Any = ...
    ) -> Any:
        """Return the unpickled content."""

    def json_load(self, filename: str = ..., sliceno: int | None = None, default: Any = ...) -> Any:
        """Return the content of a JSON file."""

    def open(
        self,
        filename: str,
        mode: str = ...,
        sliceno: int | None = None,
        encoding: str | None = ...,
        errors: str | None = ...,
    ) -> IO[Any]:
        """Return a readable stream."""

    def to_reference(self) -> dict[str, Json]:
        """Return the tagged form that stands for the job in a node."""

    def note_label(self) -> None:
        """Note that somebody looked at which job this is."""


class JobWithFile:
    """A file of a job; made by `job.withfile(name)`, and without arguments the declaration of such an option.

    In a key it counts by file name, content and `extra`, so a file that comes out equal from another job is the
    same withfile.

    Parameters
    ----------
    job : Job
        Whose file it is.
    name : str
        Name of the file; without the slice number when it is sliced.
    sliced : bool
        Whether it stands for one file a slice; then the methods want `sliceno`.
    extra : object
        Anything that the method shall see beside the file.
    """

    __slots__ = ("_job", "extra", "name", "sliced")

    def __init__(
        self,
        job: FileOwner | None = None,
        name: str = "",
        sliced: bool = False,  # noqa: FBT001, FBT002 - the peer's order
        extra: object = None,
    ) -> None:
        if isinstance(job, str) and not hasattr(job, "file_blobs"):
            raise UsageError(f"JobWithFile takes a Job, not the text '{job}'", hint=f"write Job('{job}')")
        self._job = job
        self.name = name
        self.sliced = sliced
        self.extra = extra

    @property
    def job(self) -> FileOwner:
        """The job whose file it is."""
        self.owner.note_label()
        return self.owner

    @property
    def owner(self) -> FileOwner:
        """The job, for the engine: that it was looked at is not noted."""
        if self._job is None:
            raise UsageError(
                "this JobWithFile only declares an option", hint="job.withfile(name) makes a value"
            )
        return self._job

    def blobs(self) -> Sequence[ObjectId]:
        """Return the blob of the file, or those of all slices."""
        return self.owner.file_blobs(self.name, sliced=self.sliced)

    def filename(self, sliceno: int | None = None) -> str:
        """Return a real, absolute, readable path of the file."""
        return self.owner.filename(self.name, self._checked(sliceno))

    def load(self, sliceno: int | None = None, encoding: str = "bytes", **default: Any) -> Any:
        """Return the unpickled content; with `default=` that when there is no such file."""
        return self.owner.load(self.name, self._checked(sliceno), encoding, **default)

    def json_load(self, sliceno: int | None = None, **default: Any) -> Any:
        """Return the content of a JSON file; with `default=` that when there is no such file."""
        return self.owner.json_load(self.name, self._checked(sliceno), **default)

    load_json = json_load

    def open(
        self,
        mode: str = "r",
        sliceno: int | None = None,
        encoding: str | None = None,
        errors: str | None = None,
    ) -> IO[Any]:
        """Return a readable stream of the file, to be closed by the caller."""
        return self.owner.open(self.name, mode, self._checked(sliceno), encoding, errors)

    def _checked(self, sliceno: int | None) -> int | None:
        if self.sliced and sliceno is None:
            raise NoSuchFile(f"'{self.name}' is a sliced file", hint="give sliceno=")
        if not self.sliced and sliceno is not None:
            raise NoSuchFile(f"'{self.name}' is not a sliced file", hint="leave sliceno out")
        return sliceno

    def to_reference(self) -> dict[str, Json]:
        """Return the tagged form that stands for the file in a node."""
        content: dict[str, Json] = {
            "name": self.name,
            "blobs": list(self.blobs()),
            "sliced": self.sliced,
            "extra": to_structure(self.extra),
        }
        return {WITHFILE: content}

    def to_saved_reference(self) -> dict[str, Json]:
        """Return the tagged form that a saved value holds: it names the job too, by its outcome."""
        ((tag, content),) = self.to_reference().items()
        assert isinstance(content, dict)
        return {tag: {**content, "job": self.owner.to_reference()[JOB]}}

    def in_words(self) -> str:
        """Return it as people name it, without noting that its label was looked at."""
        return f"{self.owner.label}:{self.name}"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, JobWithFile):
            return NotImplemented
        return self._fields() == other._fields()

    def __hash__(self) -> int:
        return hash((self._job, self.name, self.sliced))

    def __repr__(self) -> str:
        return f"JobWithFile({self._job!r}, {self.name!r})" if self._job is not None else "JobWithFile()"

    def _fields(self) -> tuple[object, ...]:
        return (self._job, self.name, self.sliced, self.extra)
