"""What a caller gave, made into what the method gets and what the key counts."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from reprlib import repr as short_repr
from typing import TYPE_CHECKING, Any

from cas.formats.canonical import Json, dumps, tag
from jobs.errors import OptionError
from jobs.job import Job, NoJob
from jobs.method.arguments import Arguments, check_inputs, check_options
from jobs.method.declarations import Declarations
from jobs.method.options import InputPath, ResolveInput
from jobs.nodes.listing import JobRow
from jobs.nodes.outcome import Inputs
from jobs.nodes.references import Referable, walk_references
from jobs.nodes.run import InputRun
from jobs.nodes.values import as_held
from jobs.withfile import JobWithFile

if TYPE_CHECKING:
    from jobs.dataset.dataset import Dataset


@dataclass(slots=True)
class Given:
    """The arguments of one job, checked.

    Attributes
    ----------
    options, datasets, jobs : dict
        The values that the method gets; unset datasets and jobs are `NoDataset` and `NoJob`.
    inputs : Inputs
        The same as structure, by content.
    rows : dict of bytes to list of JobRow
        The jobs that each reference comes from, by the reference's canonical form: equal ones may come from
        different jobs.
    files : list of InputPath
        Declared input files.
    """

    options: dict[str, Any]
    datasets: dict[str, Any]
    jobs: dict[str, Any]
    inputs: Inputs = field(default_factory=Inputs)
    rows: dict[bytes, list[JobRow]] = field(default_factory=dict)
    files: list[InputPath] = field(default_factory=list)

    def runs(self) -> list[InputRun]:
        """Return where each input came from, in the order of the parameters."""
        if not self.rows:
            return []
        return list(self._runs())

    def _runs(self) -> Iterator[InputRun]:
        for found in walk_references(self.inputs.to_json()):
            rows = self.rows.get(dumps({found.tag: found.content}))
            if rows:
                yield InputRun(found.path, rows[0].run)

    def find_origin(self, tag: str, content: Json) -> JobRow | None:
        """Return the job that a reference comes from."""
        rows = self.rows.get(dumps({tag: content}))
        return rows[0] if rows else None

    def sources(self) -> list[JobRow]:
        """Return the jobs that the inputs come from."""
        return [row for rows in self.rows.values() for row in rows]


def check_arguments(
    declarations: Declarations, arguments: Arguments, *, method: str, resolve_input: ResolveInput
) -> Given:
    """Return the arguments as the method gets them and as the key counts them.

    Raises
    ------
    OptionError
        For what the method does not take, or cannot be.
    NoSuchJob, NoSuchDataset
        For a text that names no job or dataset.
    """
    options = check_options(
        declarations.options, arguments.options, method=method, resolve_input=resolve_input
    )
    datasets = check_inputs(declarations.datasets, arguments.datasets, section="dataset", method=method)
    jobs = check_inputs(declarations.jobs, arguments.jobs, section="job", method=method)
    given = Given(
        options=options,
        datasets={
            name: _each(value, _as_dataset, f"dataset '{name}' of method '{method}'")
            for name, value in datasets.items()
        },
        jobs={
            name: _each(value, _as_job, f"job '{name}' of method '{method}'") for name, value in jobs.items()
        },
    )
    given.inputs = Inputs(
        *(_structure(values, given) for values in (given.options, given.datasets, given.jobs))
    )
    given.options = {name: as_held(value) for name, value in given.options.items()}
    return given


def _structure(values: Mapping[str, Any], given: Given) -> dict[str, Json]:
    """Return `values` as structure, and take down the job of each reference and each input file."""

    def reference(value: object) -> Json | None:
        if not isinstance(value, Referable):
            return None
        if isinstance(value, InputPath):
            given.files.append(value)
            return value.to_reference()
        structure = value.to_reference()
        owner = _owner(value)
        if owner is not None:
            rows = given.rows.setdefault(dumps(structure), [])
            if owner.row not in rows:
                rows.append(owner.row)
        return structure

    return {name: None if _is_unset(value) else tag(value, reference) for name, value in values.items()}


def _is_unset(value: object) -> bool:
    """Return whether `value` is NoJob or NoDataset, which count as nothing."""
    return isinstance(value, str) and not len(value) and type(value) is not str


def _owner(value: Any) -> Job | None:
    """Return the job that a reference comes from, without noting that it was looked at."""
    if isinstance(value, Job):
        return value
    if isinstance(value, JobWithFile):
        return value.owner if isinstance(value.owner, Job) else None
    owner = value.owner
    return owner if isinstance(owner, Job) else None


def _each(value: Any, convert: Callable[[Any, str], Any], what: str) -> Any:
    return [convert(item, what) for item in value] if isinstance(value, list) else convert(value, what)


def _as_job(value: Any, what: str) -> Job:
    if value is None:
        return NoJob
    if isinstance(value, Job):
        return value
    if type(value) is str:
        return Job(value)
    if isinstance(value, str):  # a dataset: the job that it is in
        owner = _owner(value)
        if owner is not None:
            return owner
    raise OptionError(f"{what} cannot be {short_repr(value)}: that is no job")


def _as_dataset(value: Any, what: str) -> "Dataset":
    from jobs.dataset.dataset import Dataset, NoDataset

    if value is None or (isinstance(value, Job) and not value):
        return NoDataset
    if isinstance(value, Dataset):
        return value
    if isinstance(value, Job):
        return value.dataset()
    if type(value) is str:
        return Dataset(value)
    raise OptionError(f"{what} cannot be {short_repr(value)}: that is no dataset")
