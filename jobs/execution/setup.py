"""setup.json: what a job was given, in words that people and other programs read."""

from collections.abc import Mapping
from typing import Any

from jobs.execution.plan import Plan, Site
from jobs.facets.runs import SETUP_VERSION
from jobs.nodes.values import DotDict
from jobs.withfile import JobWithFile


def setup_of(plan: Plan, label: str, site: Site, *, start: float, why: str | None = None) -> dict[str, Any]:
    """Return what setup.json says of a job, or a part of it.

    Parameters
    ----------
    start
        Seconds since 1970 (UTC).
    why
        Why the job runs; without it that, and options, datasets and jobs in words, are left out.
    """
    setup: dict[str, Any] = DotDict(
        version=SETUP_VERSION,
        jobid=label,
        method=plan.method.name,
        package=plan.method.package,
        caption=plan.caption,
        slices=plan.parts.slices,
        hash=plan.parts.source,
        parent=plan.parent,
        starttime=start,
        input_directory=str(site.input_directory),
        versions=dict(site.versions),
    )
    if why is not None:
        setup["why"] = why
        setup["options"] = in_words(plan.options)
        setup["datasets"] = in_words(plan.datasets)
        setup["jobs"] = in_words(plan.jobs)
    return setup


def in_words(value: Any) -> Any:
    """Return `value` as plain JSON for people; what JSON lacks becomes text."""
    if isinstance(value, Mapping):
        return {str(key): in_words(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [in_words(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted(map(in_words, value), key=repr)
    return _scalar_in_words(value)


def _scalar_in_words(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, JobWithFile):
        return value.in_words()
    if isinstance(value, str):
        # str.__str__: a job's own would note that somebody looked at its label; an unset one is ""
        return str.__str__(value) if value or type(value) is str else None
    return str(value)
