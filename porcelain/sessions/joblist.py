"""`JobList`: jobs with the names that they have in a build or an urd session."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Self, SupportsIndex, overload

from jobs.job import Job
from porcelain import term
from porcelain.layout import Column, aligned


class ListedJob(Job):
    """A job that knows what it is called in its list."""

    _name = ""

    @classmethod
    def named(cls, name: str, job: Job) -> Self:
        """Return `job`, called `name`."""
        self = cls.of(job.row)
        self._name = name
        return self

    @property
    def name(self) -> str:
        """What it is called in its list; by default its method."""
        return self._name or self.method

    def __reduce__(self) -> tuple[Any, ...]:
        return (Job.of, (self.row,))


class JobList(list[Job]):
    """A list of jobs that finds them by name too.

    Parameters
    ----------
    jobs
        Each a job, or a pair of a name and a job.

    Examples
    --------
    >>> jobs = JobList()
    >>> jobs.get("import") is None
    True
    """

    def __init__(self, jobs: Iterable[Job | tuple[str, Job]] = ()) -> None:
        super().__init__(ListedJob.named(*job) if isinstance(job, tuple) else job for job in jobs)

    @overload
    def __getitem__(self, item: SupportsIndex | str) -> Job: ...
    @overload
    def __getitem__(self, item: slice) -> "JobList": ...
    def __getitem__(self, item: Any) -> Any:
        """Return the job at an index; the last one of a name, or raise IndexError; a JobList of a slice."""
        if isinstance(item, str):
            found = self.find(item)
            if not found:
                raise IndexError(f"no job '{item}' in the list")
            return found[-1]
        found = super().__getitem__(item)
        return type(self)(found) if isinstance(item, slice) else found

    def __add__(self, other: Iterable[Job]) -> "JobList":  # type: ignore[override]  # a list of whatever is none
        """Return the jobs of both."""
        return type(self)([*self, *other])

    def find(self, name: str) -> "JobList":
        """Return all jobs of that name."""
        return type(self)(job for job in self if _name_of(job) == name)

    def get(self, item: int | str, default: Any = None) -> Any:
        """Return the job at an index, or the last one of a name; `default` when there is none."""
        try:
            return self[item]
        except IndexError:
            return default

    @property
    def as_tuples(self) -> list[tuple[str, Job]]:
        """The jobs as pairs of name and job."""
        return [(_name_of(job), job) for job in self]

    @property
    def pretty(self) -> str:
        """The list as text, a line for each job."""
        if not self:
            return "JobList([])"
        rows = [[f"[{number}]", name, job.label] for number, (name, job) in enumerate(self.as_tuples)]
        columns = [Column("", right=True), Column(""), Column("")]
        return "JobList(\n" + "".join(f"   {line}\n" for line in aligned(columns, rows)) + ")"

    @property
    def exectime(self) -> tuple[float, dict[str, float]]:
        """The seconds that the jobs took when they ran, each job once: all of them, and by name."""
        by_name: defaultdict[str, float] = defaultdict(float)
        seen: set[str] = set()
        for name, job in self.as_tuples:
            if job.row.run not in seen:
                seen.add(job.row.run)
                by_name[name] += job.row.seconds
        return sum(by_name.values()), dict(by_name)

    def print_exectimes(self, verbose: bool = True) -> None:  # noqa: FBT001, FBT002 - as the peer has it
        """Print the seconds that the jobs took when they ran, with `verbose` also by name, longest first."""
        total, by_name = self.exectime
        if verbose and by_name:
            term.line("Time per method:")
            rows = [
                [name, term.duration(seconds), f"({round(100 * seconds / total) if total else 0}%)"]
                for name, seconds in sorted(by_name.items(), key=lambda entry: -entry[1])
            ]
            columns = [Column(""), Column("", right=True), Column("", right=True)]
            for text in aligned(columns, rows):
                term.line(f"   {text}")
        term.line(f"Total time {term.duration(total)}")


def _name_of(job: Job) -> str:
    return job.name if isinstance(job, ListedJob) else job.method
