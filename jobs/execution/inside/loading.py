"""A method's module in the process of its job: imported from the bytes that were hashed, its globals set."""

import importlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, Final, TypeAlias

from jobs.execution.events import JobRequest
from jobs.method.finder import Misses, SourceFinder

_GIVEN: Final = ("options", "datasets", "jobs")

Learned: TypeAlias = Callable[[str, Path, bytes], None]
Missed: TypeAlias = Callable[[Path], None]


@contextmanager
def importing(request: JobRequest, learned: Learned, missed: Missed) -> Iterator[None]:
    """Have project code come from the bytes of the request inside the block, and forget it afterwards.

    Parameters
    ----------
    learned
        Called for each project module that the closure lacked.
    missed
        Called for each that was not there, and may come.
    """
    if not request.code:  # an installed method, imported as everything that is installed
        yield
        return
    finder = SourceFinder(
        request.code, request.packages, learned, misses=Misses(missed, frozenset(request.preload))
    )
    finder.install()
    try:
        yield
    finally:
        finder.remove()


@contextmanager
def method_of(request: JobRequest, values: Mapping[str, Any]) -> Iterator[ModuleType]:
    """Give the method's module inside the block, with `options`, `datasets` and `jobs` what the job was given."""
    module = importlib.import_module(request.module)
    declared = {name: getattr(module, name) for name in _GIVEN if hasattr(module, name)}
    for name in declared:
        setattr(module, name, values[name])
    try:
        yield module
    finally:
        for name, value in declared.items():
            setattr(module, name, value)
