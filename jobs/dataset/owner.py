"""The job that a dataset is seen through, and the one that it is written in."""

from collections.abc import Sequence
from typing import Any, NoReturn, Protocol

from cas.oid import ObjectId
from cas.store import Store
from jobs.dataset.head import DatasetHead
from jobs.errors import NoSuchJob


class Owner(Protocol):
    """The job that a dataset is seen through; `Job` is one."""

    @property
    def label(self) -> str:
        """Its label, without noting that it was looked at."""

    @property
    def store(self) -> Store:
        """Where its objects are."""

    def find_owners(self, datasets: Sequence[tuple[ObjectId, str]]) -> "Sequence[tuple[Owner, str] | None]":
        """Return for each dataset head a job that has it, if possible under that name, and its name there."""

    def note_label(self) -> None:
        """Note that somebody looked at which job this is."""

    def check_trust(self) -> None:
        """Raise `NotTrusted` when values that it saved may not be loaded: pickles can run code."""


class LostOwner:
    """Stands for a job that is not here any more; its dataset is still there, under a short id."""

    def __init__(self, asked: Owner, node: ObjectId) -> None:
        self._asked = asked
        self.label = node[:12]
        self.store = asked.store

    def find_owners(self, datasets: Sequence[tuple[ObjectId, str]]) -> Sequence[tuple[Owner, str] | None]:
        """Return what the dataset finds through which this one was found."""
        return self._asked.find_owners(datasets)

    def check_trust(self) -> None:
        """Raise `NotTrusted` when values of the dataset may not be loaded through which this one was found."""
        self._asked.check_trust()

    def note_label(self) -> NoReturn:
        """Raise `NoSuchJob`: there is no label."""
        raise NoSuchJob(f"no job here has the dataset '{self.label}'")


class Stage(Protocol):
    """Where in a job this process is."""

    @property
    def slices(self) -> int:
        """Number of slices."""

    @property
    def sliceno(self) -> int | None:
        """The slice that this process works on, in analysis; else None."""


class WriterOwner(Stage, Protocol):
    """The job that a dataset is written in; `CurrentJob` is one."""

    @property
    def store(self) -> Store:
        """Where its objects go."""

    def add_dataset(self, name: str, node: ObjectId, head: DatasetHead) -> None:
        """Take down a finished dataset."""

    def dataset(self, name: str) -> Any:
        """Return a finished dataset: a `Dataset`, which stands above this room."""
