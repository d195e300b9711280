"""`acc status`: what the builds of a project are doing now."""

from collections.abc import Sequence

from cas.local.pins import AllPins
from jobs.nodes.listing import JobRow
from jobs.nodes.parts import part_in_words
from porcelain import config, term
from porcelain.commandline.arguments import Parser
from porcelain.config import Config
from porcelain.spec import Resolver, open_resolver
from porcelain.views import job_views
from porcelain.views.plain import View
from porcelain.watching.underway import find_builds, status_in_words

# a failed run is looked for among so many
_RUNS = 1000


def status(arguments: Sequence[str]) -> int:
    """Show what the builds of the project are doing now."""
    parser = Parser(
        "status",
        "show what the builds of the project are doing now",
        prints="each build that runs, with its jobs, the stage and slices that each is in, what they say that they\n"
        "are doing and for how long, and the last lines that they printed; when none runs, the last error",
    )
    parser.add_json()
    given = parser.parse(arguments)
    here = config.here()
    builds = _running(here)
    failed = None if builds else _last_failure(open_resolver(here))
    if given.json:
        term.emit_json({"builds": builds, "last_error": failed})
        return 0
    for number, build in enumerate(builds):
        first, *lines = status_in_words(build)
        term.line() if number else None
        term.heading(term.printable(first))
        for line in lines:
            term.line(term.printable(line))
    if not builds:
        term.line("no build runs")
    if failed:
        _print_failure(failed)
    return 0


def _running(here: Config) -> list[View]:
    # the file of a killed build is still there; its pins tell that it is dead
    living = AllPins(here.data / "pins", here.data / "cache" / "pins.json").writers()
    return find_builds([here.data / "tmp" / name for name in sorted(living)])


def _last_failure(resolver: Resolver) -> View | None:
    rows = resolver.index.rows(_RUNS)
    failed = next((row for row in rows if row.state == "failed"), None)
    return failed and _failure_view(resolver, failed)


def _failure_view(resolver: Resolver, row: JobRow) -> View:
    failure = resolver.run(row).failure
    return job_views.row(row) | {"failure": failure.to_json() if failure else None}


def _print_failure(view: View) -> None:
    failure = view["failure"]
    where = part_in_words(failure["stage"], failure["sliceno"])
    term.line()
    term.heading(f"last error: {view['label']}  {view['method']}, {term.moment(view['ended'])}")
    if failure["traceback"]:
        term.line(failure["traceback"].rstrip("\n"))
    term.line(f"failed in {where}: {term.printable(failure['message'])}")
