"""Jobs as datasets see them: small classes that fit `Owner` and `WriterOwner`, over a store in memory."""

import pickle
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cas.memory import MemoryStore
from cas.oid import ObjectId
from cas.store import Store
from jobs.dataset.dataset import Dataset
from jobs.dataset.head import DatasetHead
from jobs.dataset.writer import DatasetWriter
from jobs.errors import NoSuchDataset


class FewJobs:
    """The jobs of a project, made one after another."""

    def __init__(self, store: Store | None = None, slices: int = 3) -> None:
        self.store = store or MemoryStore()
        self.slices = slices
        self.jobs: list[OneJob] = []

    def new(self) -> "OneJob":
        self.jobs.append(OneJob(self, f"dev-{len(self.jobs) + 1}"))
        return self.jobs[-1]

    def find_owner(self, node: ObjectId) -> "tuple[OneJob, str] | None":
        for job in self.jobs:
            for name, held in job.nodes.items():
                if held == node:
                    return job, name
        return None

    def write(
        self, columns: Mapping[str, Any], slices: Sequence[Sequence[Sequence[Any]]], **options: Any
    ) -> Dataset:
        """Return a dataset of a new job, with those rows in each slice, its columns in the order given."""
        return self.new().write(columns, slices, **options)


class OneJob:
    """A job that is running, and finished, as the test goes."""

    def __init__(self, project: FewJobs, label: str) -> None:
        self._project = project
        self.label = label
        self.store = project.store
        self.slices = project.slices
        self.sliceno: int | None = None
        self.nodes: dict[str, ObjectId] = {}
        self.noted: list[str] = []
        self.params: dict[str, Any] = {"datasets": {}}

    def add_dataset(self, name: str, node: ObjectId, head: DatasetHead) -> None:
        self.nodes[name] = node

    def dataset(self, name: str = "default") -> Dataset:
        if name not in self.nodes:
            raise NoSuchDataset(f"no dataset '{name}'")
        return Dataset.of(self, name, self.nodes[name])

    def find_owners(self, datasets: Sequence[tuple[ObjectId, str]]) -> "list[tuple[OneJob, str] | None]":
        return [self._project.find_owner(node) for node, _ in datasets]

    def note_label(self) -> None:
        self.noted.append(self.label)

    def check_trust(self) -> None:
        pass

    def writer(self, **options: Any) -> DatasetWriter:
        return DatasetWriter(self, **options)

    def write(
        self, columns: Mapping[str, Any], slices: Sequence[Sequence[Sequence[Any]]], **options: Any
    ) -> Dataset:
        writer = self.writer(**options)
        for name, wanted in columns.items():
            kind, none_support = (wanted, False) if isinstance(wanted, str) else wanted
            writer.add(name, kind, none_support=none_support)
        for sliceno, rows in enumerate(slices):
            writer.set_slice(sliceno)
            for row in rows:
                writer.write_list(row)
        dataset: Dataset = writer.finish()
        return dataset

    def analyse(self, writers: Sequence[DatasetWriter], analysis: Callable[[int], None]) -> None:
        """Run analysis in each slice in turn, and hand over what it closed as a pipe would."""
        for sliceno in range(self.slices):
            self.sliceno = sliceno
            analysis(sliceno)
            closed = [pickle.loads(pickle.dumps(writer.close_slice())) for writer in writers]
            self.sliceno = None
            for writer, part in zip(writers, closed, strict=True):
                writer.take_slice(sliceno, part)
