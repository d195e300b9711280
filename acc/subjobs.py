"""The subjobs of the running job: `build` makes them, `jobs` are those that it has got so far."""

from typing import Any

from acc import build

__all__ = ["build", "jobs"]  # noqa: F822 - looked up when it is asked for


def __getattr__(name: str) -> Any:
    if name != "jobs":
        raise AttributeError(f"module 'acc.subjobs' has no '{name}'")
    from jobs.context import current

    job = current().job
    return [] if job is None else [*job.subjobs]
