"""Run a job of nothing in a waiting process, so that the next real one finds what it touches at hand.

A forked process copies each page of memory when it first writes there, and in Python to look at an object is to
write. A trivial job touches some 800 pages, which took 5 of the 6 ms that it ran; a process that has rehearsed has
copied most of them while nobody waited.
"""

import os
import pickle
from pathlib import Path
from typing import Final, Never

from cas.local.store import Durability
from jobs.execution.events import Event, JobRequest, SubjobWanted
from jobs.execution.inside.worker import run_job
from jobs.execution.scratch import Scratch
from jobs.method.modules import Module

_NAME: Final = "acc_rehearsal"
_CODE: Final = b"options = {'n': 0}\n\n\ndef synthesis(job, options):\n    return options.n\n"


class _Nowhere(Scratch):
    """Scratch files that nobody reads."""

    def output(self, part: str) -> Path:
        del part
        return Path(os.devnull)

    status = output


class _Nobody:
    """A launcher that does not listen."""

    def tell(self, event: Event) -> None:
        pickle.dumps(event)

    def ask(self, wanted: SubjobWanted) -> Never:
        raise AssertionError(f"a rehearsal wants no subjob, not even {wanted.method}")


def rehearse(store_root: Path, durability: Durability) -> None:
    """Run a method that returns a number, and keep nothing of it."""
    nowhere = Path(os.devnull)
    request = JobRequest(
        label="rehearsal-1",
        method=_NAME,
        module=_NAME,
        code={_NAME: Module(_NAME, Path(f"{_NAME}.py"), _CODE)},
        packages={},
        options={"n": 1},
        datasets={},
        jobs={},
        slices=1,
        concurrency=1,
        seed=1,
        caption="",
        params={},
        root=Path(os.sep),
        directory=Path(os.sep),
        staging=nowhere,
        pins=nowhere,
        scratch=_Nowhere(nowhere, ""),
        load_part="",
        store_root=store_root,
        refs_path=nowhere,
        durability=durability,
        workdirs={},
        input_directory=nowhere,
        result_directory=nowhere,
    )
    run_job(pickle.loads(pickle.dumps(request)), _Nobody(), fork=True)
