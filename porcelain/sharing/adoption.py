"""A run that came from elsewhere gets a label here."""

from collections.abc import Mapping
from pathlib import Path

from cas.errors import ObjectNotFound
from cas.formats.node import get_node
from cas.local.store import LocalStore
from jobs.execution.jobdir import JobDirectory
from jobs.nodes.listing import AT, JobRow
from jobs.nodes.run import Run
from jobs.reuse.index import JobIndex, Listing
from jobs.reuse.rebuild import list_run
from jobs.reuse.refnames import ACTIONS, label_ref


class Adopter:
    """Gives labels to runs of a remote.

    Parameters
    ----------
    is_trusted
        Their actions are hits here.
    """

    def __init__(
        self, store: LocalStore, index: JobIndex, workdirs: Mapping[str, Path], *, is_trusted: bool
    ) -> None:
        self._store = store
        self._index = index
        self._workdirs = workdirs
        self._is_trusted = is_trusted

    def adopt(self, there: JobRow) -> JobRow:
        """Give a run a label: of the workdir that it has there, if there is one, and the number if that is free."""
        name = there.workdir.partition(AT)[0]
        workdir = name if name in self._workdirs else next(iter(self._workdirs))
        if not self._store.hold([there.run]):
            raise ObjectNotFound(there.run, where=self._store.name)
        listed = list_run(self._store, there.run, get_node(self._store, there.run, Run))
        last = self._index.last_number(workdir)
        _, number = JobDirectory.claim(workdir, self._workdirs[workdir], max(last, there.number - 1))
        row = listed.row._replace(workdir=workdir, number=number)
        with self._index.refs.transaction(f"{row.method} from elsewhere") as transaction:
            transaction.set(label_ref(workdir, number), row.run, old=None)
            if self._is_trusted and row.state == "done" and transaction.find(ACTIONS + row.key) is None:
                transaction.set(ACTIONS + row.key, row.run)
            Listing(transaction).write(row, listed.datasets)
        return row
