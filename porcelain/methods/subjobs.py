"""Subjobs of a standard method."""

from typing import Any

from jobs import context
from jobs.errors import UsageError


def build(method: str, **arguments: Any) -> Any:
    """Return the job of `method` with these arguments, a subjob of the running one."""
    builder = context.current().build
    if builder is None:
        raise UsageError("subjobs are built in prepare and synthesis")
    return builder(method, **arguments)
