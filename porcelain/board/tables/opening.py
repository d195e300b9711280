"""The dataset that an address names, and its rows as a table."""

from collections.abc import Sequence

from cas.oid import ObjectId
from cas.store import Store
from jobs.dataset.dataset import Dataset
from jobs.dataset.owner import Owner
from jobs.errors import NoSuchJob, NotTrusted
from jobs.job import Job
from porcelain.board.opened import ShownProject
from porcelain.board.page import Asked, NoSuchPage
from porcelain.board.tables.table import Table
from porcelain.objects import SpecError
from porcelain.spec import Target, get_oid
from porcelain.specgrammar import DEFAULT_DATASET


def find_target(project: ShownProject, asked: Asked) -> Target:
    """Return the dataset that the path names by "label" and "name"; one whose job is gone goes by its id."""
    label, name = asked.names["label"], asked.names["name"]
    try:
        return project.resolver.dataset(f"{label}/{name}")
    except (NoSuchJob, SpecError) as err:
        target = _find_object(project, label) if name == DEFAULT_DATASET else None
        if target is None:
            raise NoSuchPage(str(err), hint=err.hint) from err
        return target


def _find_object(project: ShownProject, prefix: str) -> Target | None:
    try:
        target = project.resolver.resolve(prefix)
    except (LookupError, SpecError):
        return None
    if target.kind == "dataset":
        return target
    if target.kind != "object" or target.oid is None:
        return None
    envelope = project.resolver.envelope(target.oid)
    is_dataset = envelope is not None and envelope.kind == "dataset"
    return Target("dataset", target.oid, None, DEFAULT_DATASET) if is_dataset else None


class NoOwner:
    """Stands for the job of a dataset that no job here has."""

    def __init__(self, project: ShownProject, node: ObjectId) -> None:
        self._index = project.index
        self.label = node[:12]
        self.store: Store = project.store

    def find_owners(self, datasets: Sequence[tuple[ObjectId, str]]) -> Sequence[tuple[Owner, str] | None]:
        """Return for each dataset head a job that has it, and its name there."""
        found = self._index.find_dataset_owners(datasets)
        return [None if each is None else (Job.of(each[0]), each[1]) for each in found]

    def note_label(self) -> None:
        """Do nothing: no job runs that could look."""

    def check_trust(self) -> None:
        """Raise `NotTrusted`: nobody knows where it came from."""
        raise NotTrusted(f"no job here has the dataset '{self.label}'")


def open_dataset(project: ShownProject, target: Target) -> Dataset:
    """Return a dataset, ready to be read."""
    oid = get_oid(target)
    owner = NoOwner(project, oid) if target.row is None else Job.of(target.row)
    return Dataset.of(owner, target.name, oid)


def open_table(project: ShownProject, target: Target, *, chain: bool) -> Table:
    """Return the rows of a dataset, or of all the chain that ends in it."""

    def make() -> Table:
        dataset = open_dataset(project, target)
        return Table(dataset.chain() if chain else [dataset])

    return project.lately.get(("table", target.oid, chain), make)
