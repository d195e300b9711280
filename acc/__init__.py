"""What users import: jobs, datasets, options and errors, each loaded when it is first asked for."""

import os.path
from importlib import import_module
from importlib.machinery import PathFinder
from typing import TYPE_CHECKING, Any

from acc.version import __version__

_HOME = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))


def _refuse_shadows() -> None:
    """Raise when a module of the user's hides one of the packages that acc is made of."""
    for floor in ("cas", "jobs", "porcelain"):
        spec = PathFinder.find_spec(floor)
        origin = os.path.realpath(spec.origin) if spec and spec.origin else None
        if origin != os.path.join(_HOME, floor, "__init__.py"):
            raise ImportError(
                f"a module '{floor}' at '{origin}' hides a part of acc: rename it, or start elsewhere"
            )


_refuse_shadows()

_NAMES = {
    "AccError": "cas.errors",
    "Dataset": "jobs.dataset.dataset",
    "DatasetChain": "jobs.dataset.lists",
    "DatasetError": "jobs.errors",
    "DatasetList": "jobs.dataset.lists",
    "DatasetWriter": "jobs.dataset.writer",
    "DotDict": "jobs.nodes.values",
    "InputFile": "jobs.method.options",
    "Job": "jobs.job",
    "JobFailed": "jobs.errors",
    "JobList": "porcelain.sessions.joblist",
    "JobWithFile": "jobs.withfile",
    "NoDataset": "jobs.dataset.dataset",
    "NoJob": "jobs.job",
    "NoSuchDataset": "jobs.errors",
    "NoSuchFile": "jobs.errors",
    "NoSuchJob": "jobs.errors",
    "OptionDefault": "jobs.method.options",
    "OptionEnum": "jobs.method.options",
    "OptionError": "jobs.errors",
    "OptionString": "jobs.method.options",
    "RequiredOption": "jobs.method.options",
    "SkipDataset": "jobs.dataset.callbacks",
    "SkipSlice": "jobs.dataset.callbacks",
    "UrdConflict": "porcelain.sessions.urdpath",
    "UrdError": "porcelain.sessions.urdpath",
    "dummy_status": "jobs.status",
    "status": "jobs.status",
}

__all__ = [*_NAMES, "__version__", "build"]  # noqa: PLE0604 - names of the table above

if TYPE_CHECKING:
    from cas.errors import AccError as AccError
    from jobs.dataset.callbacks import SkipDataset as SkipDataset
    from jobs.dataset.callbacks import SkipSlice as SkipSlice
    from jobs.dataset.dataset import Dataset as Dataset
    from jobs.dataset.dataset import NoDataset as NoDataset
    from jobs.dataset.lists import DatasetChain as DatasetChain
    from jobs.dataset.lists import DatasetList as DatasetList
    from jobs.dataset.writer import DatasetWriter as DatasetWriter
    from jobs.errors import DatasetError as DatasetError
    from jobs.errors import JobFailed as JobFailed
    from jobs.errors import NoSuchDataset as NoSuchDataset
    from jobs.errors import NoSuchFile as NoSuchFile
    from jobs.errors import NoSuchJob as NoSuchJob
    from jobs.errors import OptionError as OptionError
    from jobs.job import Job as Job
    from jobs.job import NoJob as NoJob
    from jobs.method.options import InputFile as InputFile
    from jobs.method.options import OptionDefault as OptionDefault
    from jobs.method.options import OptionEnum as OptionEnum
    from jobs.method.options import OptionString as OptionString
    from jobs.method.options import RequiredOption as RequiredOption
    from jobs.nodes.values import DotDict as DotDict
    from jobs.status import dummy_status as dummy_status
    from jobs.status import status as status
    from jobs.withfile import JobWithFile as JobWithFile
    from porcelain.sessions.joblist import JobList as JobList
    from porcelain.sessions.urdpath import UrdConflict as UrdConflict
    from porcelain.sessions.urdpath import UrdError as UrdError


def __getattr__(name: str) -> Any:
    if name not in _NAMES:
        raise AttributeError(f"module 'acc' has no '{name}'")
    _leave_opener()
    value = getattr(import_module(_NAMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)


def build(method: str, **arguments: Any) -> Any:
    """Return the job of a method with these arguments: in a running job a subjob, in a build script as `urd.build`.

    Parameters
    ----------
    method
        Name of the method.
    arguments
        `options`, `datasets`, `jobs`, `name`, `caption`, `workdir`, `concurrency`, and any of the method's own by name.

    Returns
    -------
    Job
        One that there was, or that ran now.

    Raises
    ------
    JobFailed
        When it ran and failed. A method that catches it goes on without; the failure is something that it learned.
    """
    from jobs.context import current
    from jobs.errors import UsageError

    _leave_opener()
    builder = current().build
    if builder is None:
        raise UsageError(
            "nothing can be built here", hint="jobs are built by build scripts and by running jobs"
        )
    return builder(method, **arguments)


def _leave_opener() -> None:
    """Tell the engine how to open the project of the current folder, should it be asked for one."""
    from jobs.context import set_opener

    set_opener(_open_context)


def _open_context() -> Any:
    from porcelain.stored import open_context

    return open_context()
