"""What the zygote does before it forks, so that no job has to."""

import contextlib
import importlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from jobs.execution.events import DescribeRequest, JobRequest
from jobs.execution.inside.worker import open_store
from jobs.execution.rehearsal import rehearse
from jobs.execution.spare import StoreAt


@dataclass(frozen=True, slots=True)
class Warming:
    """What one request gains from: imports, a rehearsal, and a look at the packs."""

    modules: Sequence[str]
    store: StoreAt | None

    @classmethod
    def of(cls, request: JobRequest | DescribeRequest) -> "Warming":
        """Return what a request gains from."""
        if isinstance(request, DescribeRequest):
            return cls(request.preload, None)
        return cls(request.preload, (request.store_root, request.durability))

    def import_all(self) -> None:
        """Import the modules that are not there yet."""
        for name in self.modules:
            if name in sys.modules:
                continue
            # a module that cannot be imported is the method's to stumble over, with its traceback
            with contextlib.suppress(Exception):
                importlib.import_module(name)

    def rehearse(self) -> None:
        """Run a job of nothing here, so that no forked process has to do for itself what is done only once."""
        if self.store is not None:
            # one that fails costs time and nothing else
            with contextlib.suppress(Exception):
                rehearse(*self.store)

    def look_at_packs(self) -> None:
        """Read what has come into the store, so that no job has to."""
        if self.store is not None:
            open_store(*self.store).refresh()
