"""What goes on in a project, for who looks on from elsewhere: the builds that run, the last one, the last error."""

from typing import Final

from cas.local.pins import AllPins
from jobs.nodes.listing import JobRow
from porcelain.config import Config
from porcelain.spec import Resolver
from porcelain.views import job_views
from porcelain.views.plain import View
from porcelain.watching.underway import find_builds

# a failed run is looked for among so many
_RUNS: Final = 1000
_FIRST_RUNS: Final = 50


def running_builds(config: Config) -> list[View]:
    """Return the builds of a project that run now, the oldest first."""
    # the file of a killed build is still there; its pins tell that it is dead
    living = AllPins(config.data / "pins", config.data / "cache" / "pins.json").writers()
    return find_builds([config.data / "tmp" / name for name in sorted(living)])


def last_failure(resolver: Resolver) -> View | None:
    """Return the newest job that failed, with why; None when none did lately."""
    row = _find_failed(resolver)
    if row is None:
        return None
    failure = resolver.run(row).failure
    return job_views.row(row) | {"failure": failure.to_json() if failure else None}


def _find_failed(resolver: Resolver) -> JobRow | None:
    for limit in (_FIRST_RUNS, _RUNS):
        rows = resolver.index.rows(limit)
        failed = next((row for row in rows if row.state == "failed"), None)
        if failed or len(rows) < limit:
            return failed
    return None
