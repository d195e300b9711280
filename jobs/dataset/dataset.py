"""A dataset as users hold it: what its head says, the datasets before it, and its rows."""

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import islice, takewhile
from types import EllipsisType
from typing import Any, Protocol, Self, TypeAlias, Unpack, runtime_checkable

from cas.formats.canonical import Json
from cas.formats.node import get_node
from cas.oid import ObjectId
from cas.store import Store
from jobs import context
from jobs.dataset.arrays import check_column
from jobs.dataset.datasetrows import DatasetRows
from jobs.dataset.declaration import ref_of
from jobs.dataset.derived import choose_columns, linked_head, merged_head
from jobs.dataset.head import ColumnNode, DatasetHead, DatasetRef, walk_groups
from jobs.dataset.lists import DatasetChain
from jobs.dataset.naming import split_text, split_walk
from jobs.dataset.owner import LostOwner, Owner
from jobs.dataset.reader import iterate
from jobs.dataset.reading import Reading, SliceChoice
from jobs.errors import DatasetError, NoSuchDataset
from jobs.nodes.references import DATASET

DEFAULT_NAME = "default"


@runtime_checkable
class HasDatasets(Protocol):
    """A job that gives its datasets by name."""

    def dataset(self, name: str = ...) -> "Dataset":
        """Return one of its datasets."""


# a dataset, its text, or `{job: parameter}`: the dataset that this job was given as that parameter
Named: TypeAlias = str | Mapping[Any, str]


class Dataset(DatasetRows):
    """The columns of a job together, cut in slices: a text like "dev-12/default".

    Made by `job.dataset(name)`, or inside a project from a text, `Dataset("dev-12/movies")`, from a job and a name,
    or from `{job: parameter}`, the dataset that this job was given as that parameter; a dataset stands for its job.

    Raises
    ------
    NoSuchDataset
        When nothing has that name.
    """

    _owner: Owner
    _name: str
    _node: ObjectId

    def __new__(cls, dataset: Named, name: str | None = None) -> "Dataset":
        """Return the dataset of that name."""
        if isinstance(dataset, Mapping):
            return _given_to(dataset)
        if isinstance(dataset, Dataset) and name is None:
            return dataset
        if not dataset:
            return NoDataset
        if isinstance(dataset, HasDatasets):
            return dataset.dataset(name or DEFAULT_NAME)
        label, rest = split_text(dataset)
        job: HasDatasets = context.current().get_job(label)
        return _walk(job, name or rest or DEFAULT_NAME)

    @classmethod
    def of(cls, owner: Owner, name: str, node: ObjectId) -> Self:
        """Return the dataset with head `node` that `owner` has under that name; nothing is read yet."""
        self = str.__new__(cls, f"{owner.label}/{name}")
        self._owner, self._name, self._node = owner, name, node
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self).of, (self._owner, self._name, self._node))

    def __str__(self) -> str:
        self._owner.note_label()
        return self.spec

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)

    # -- what it is --------------------------------------------------------------------------------------------

    @property
    def spec(self) -> str:
        """Its text, without noting that the label in it was looked at."""
        return str.__str__(self)

    @property
    def quoted(self) -> str:
        """Its text as a shell takes it: in quotes when there are blanks in it."""
        return shlex.quote(str(self))

    @property
    def job(self) -> Any:
        """The job that it belongs to."""
        self._owner.note_label()
        return self._owner

    @property
    def owner(self) -> Owner:
        """The job that it belongs to, for the engine: that it was looked at is not noted."""
        return self._owner

    @property
    def name(self) -> str:
        """Its name in the job."""
        return self._name

    @property
    def node(self) -> ObjectId:
        """The id of its head."""
        return self._node

    @property
    def store(self) -> Store:
        """Where its objects are."""
        return self._owner.store

    @cached_property
    def head(self) -> DatasetHead:
        """Its head node."""
        return get_node(self.store, self._node, DatasetHead)

    def to_reference(self) -> dict[str, Json]:
        """Return the tagged form that stands for the dataset in a node: its head and name."""
        return {DATASET: {"name": self._name, "node": self._node}}

    @cached_property
    def _column_nodes(self) -> dict[str, ColumnNode]:
        return {}

    def get_column_node(self, name: str) -> ColumnNode:
        """Return the node of a column, read when it is first asked for."""
        if name not in self._column_nodes:
            check_column(self, name)
            self._column_nodes[name] = get_node(self.store, self.head.columns[name].node, ColumnNode)
        return self._column_nodes[name]

    def check_trust(self) -> None:
        """Raise `NotTrusted` when pickles in it may not be loaded: its job came from a remote that is not trusted."""
        self._owner.check_trust()

    # -- what it follows and extends ---------------------------------------------------------------------------

    @cached_property
    def previous(self) -> "Dataset | None":
        """The dataset before it in its chain, or None."""
        ref = self.head.previous
        return None if ref is None else self._follow(ref)

    @cached_property
    def parent(self) -> "Dataset | tuple[Dataset, ...] | None":
        """The dataset whose columns it extends, a tuple when there are several, or None."""
        parents = tuple(map(self._follow, self.head.parents))
        return parents if len(parents) > 1 else next(iter(parents), None)

    def chain(  # the order is the peer's
        self,
        length: int = -1,
        reverse: bool = False,  # noqa: FBT001, FBT002
        stop_ds: Named | None = None,
    ) -> "DatasetChain[Dataset]":
        """Return this dataset and those before it, oldest first.

        Parameters
        ----------
        length
            At most so many; negative for all.
        reverse
            Newest first.
        stop_ds
            Ends before this dataset; also `{job: parameter}`.
        """
        stop = Dataset(stop_ds) if stop_ds else NoDataset
        links = []
        for link in islice(self._walk_back(), None if length < 0 else length):
            if stop and link.node == stop.node:
                break
            links.append(link)
        return DatasetChain(links if reverse else links[::-1])

    def chain_within_job(
        self,
        length: int = -1,
        reverse: bool = False,  # noqa: FBT001, FBT002 - the peer's order
    ) -> "DatasetChain[Dataset]":
        """Return this dataset and those before it, as far back as they are of the same job (see `chain`)."""
        same = takewhile(lambda link: link.owner.label == self._owner.label, self._walk_back())
        links = list(islice(same, None if length < 0 else length))
        return DatasetChain(links if reverse else links[::-1])

    def _walk_back(self) -> "Iterator[Dataset]":
        links = [self]
        yield self
        for refs in walk_groups(self.head, lambda _: links[-1].head):
            links[:] = self._follow_all(refs)
            yield from links

    def _follow(self, ref: DatasetRef) -> "Dataset":
        return self._follow_all([ref])[0]

    def _follow_all(self, refs: Sequence[DatasetRef]) -> "list[Dataset]":
        links = []
        for ref, found in zip(refs, self._owner.find_owners(refs), strict=True):
            owner, name = found or (LostOwner(self._owner, ref.node), ref.name)
            links.append(Dataset.of(owner, name, ref.node))
        return links

    # -- made of it, without a copy ----------------------------------------------------------------------------

    def link_to_here(
        self,
        name: str = DEFAULT_NAME,
        column_filter: Iterable[str] | None = None,
        rename: Mapping[str, str | None] | None = None,
        override_previous: "Named | EllipsisType | None" = ...,
        filename: str | None = None,
    ) -> "Dataset":
        """Make it a dataset of the running job too, as a whole or in part, and return that.

        Parameters
        ----------
        name
            Its name in the running job.
        column_filter
            Only these columns, by their names after renaming; all when there are none.
        rename
            `{old: new}`; None as the new name leaves the column out. One that had the new name is replaced.
        override_previous
            The dataset before it in its chain, None for no such; by default that stays as it is.
        filename
            The file that its rows came from, "" for none; by default that stays as it is.

        Raises
        ------
        DatasetError
            When there is no such column, none is left, or the name is taken; and in analysis.
        """
        part = choose_columns(self, rename or {}, list(column_filter or ()))
        previous = self.head.previous if override_previous is ... else _find_ref(override_previous)
        told = self.head.filename if filename is None else filename or None
        return _add_to_here(name, linked_head(self, part, previous, told))

    def merge(
        self,
        other: Named,
        name: str = DEFAULT_NAME,
        previous: Named | None = None,
        allow_unrelated: bool = False,  # noqa: FBT001, FBT002 - the peer's order
    ) -> "Dataset":
        """Make a dataset of the running job with the columns of both, and return it; those of `other` win.

        Parameters
        ----------
        other
            Has as many rows in each slice.
        name
            Its name in the running job.
        previous
            The dataset before it in its chain.
        allow_unrelated
            Whether the two may extend no common dataset; then nobody knows whether their rows belong together.

        Raises
        ------
        DatasetError
            When the rows do not fit together, or the name is taken; and in analysis.
        """
        head = merged_head(self, Dataset(other), _find_ref(previous), allow_unrelated=allow_unrelated)
        return _add_to_here(name, head)

    @staticmethod
    def iterate_list(
        sliceno: SliceChoice,
        columns: str | Iterable[str] | None,
        datasets: Iterable[Named],
        **reading: Unpack[Reading],
    ) -> Iterator[Any]:
        """Return an iterator over the rows of any datasets, one after another (see `iterate`)."""
        return iterate([Dataset(dataset) for dataset in datasets], sliceno, columns, reading)


class _NoDataset(Dataset):
    """The dataset that an unset parameter holds: falsy, without columns and rows."""

    head = DatasetHead({}, ())
    name = ""
    job = previous = parent = None
    to_reference = None  # type: ignore[assignment] # so it is a value, and no reference to anything

    def __new__(cls) -> Self:
        return str.__new__(cls, "")

    def __reduce__(self) -> tuple[Any, ...]:
        return (_no_dataset, ())

    def __str__(self) -> str:
        return ""

    @property
    def node(self) -> ObjectId:
        raise NoSuchDataset("no dataset is set")

    @property
    def lines(self) -> tuple[int, ...]:
        return _NoLines()

    def chain(self, *_arguments: Any, **_options: Any) -> "DatasetChain[Dataset]":
        """Return an empty chain."""
        return DatasetChain()

    def iterate(self, *_arguments: Any, **_options: Any) -> Iterator[Any]:
        """Return an iterator over nothing."""
        return iter(())


class _NoLines(tuple[int, ...]):
    """No slices, and yet no rows in any."""

    def __getitem__(self, at: Any) -> Any:
        return 0


NoDataset: Dataset = _NoDataset()


def _walk(job: HasDatasets, name: str) -> Dataset:
    """Return the dataset of a job that has this name, or to which this way leads from one."""
    try:
        return job.dataset(name)
    except NoSuchDataset:
        start, steps = split_walk(name)
        if not steps:
            raise
    found = job.dataset(start or DEFAULT_NAME)
    for sign in (step.sign for step in steps for _ in range(step.times)):
        there = found.previous if sign == "~" else found.parent
        if there is None:
            raise NoSuchDataset(f"dataset '{found.spec}' has no {'previous' if sign == '~' else 'parent'}")
        # what is merged has several parents: the first one goes on
        found = there[0] if isinstance(there, tuple) else there
    return found


def _find_ref(dataset: Named | None) -> DatasetRef | None:
    return ref_of(Dataset(dataset) if dataset else None)


def _add_to_here(name: str, head: DatasetHead) -> Dataset:
    job = context.current().job
    if job is None:
        raise DatasetError("datasets are linked and merged in a running job")
    made: Dataset = job.link_dataset(name or DEFAULT_NAME, head)
    return made


def _no_dataset() -> Dataset:
    return NoDataset


def _given_to(parameter: Mapping[Any, str]) -> Dataset:
    """Return the dataset that a job was given as a parameter."""
    if len(parameter) != 1:
        raise DatasetError("a dataset is named by one job and the name of one parameter")
    ((job, name),) = parameter.items()
    if not job:
        return NoDataset
    if isinstance(job, Dataset):
        job = job.owner
    given = job.params["datasets"]
    if name not in given:
        raise NoSuchDataset(f"job '{job.label}' has no dataset parameter '{name}'")
    if isinstance(given[name], list):
        raise DatasetError(f"parameter '{name}' of job '{job.label}' is a list of datasets")
    return Dataset(given[name] or "")
