"""`acc status`: what the builds of a project are doing now."""

from collections.abc import Sequence

from jobs.nodes.parts import part_in_words
from porcelain import config, term
from porcelain.commandline.arguments import Parser
from porcelain.spec import open_resolver
from porcelain.views.plain import View
from porcelain.watching.boardnote import running_boards
from porcelain.watching.lookout import last_failure, running_builds
from porcelain.watching.underway import status_in_words


def status(arguments: Sequence[str]) -> int:
    """Show what the builds of the project are doing now."""
    parser = Parser(
        "status",
        "show what the builds of the project are doing now",
        prints="each build that runs, with its jobs, the stage and slices that each is in, what they say that they\n"
        "are doing and for how long, and the last lines that they printed; when none runs, the last error; where\n"
        "the board is, if it runs",
    )
    parser.add_json()
    given = parser.parse(arguments)
    here = config.here()
    builds = running_builds(here)
    failed = None if builds else last_failure(open_resolver(here))
    boards = [note.to_view() for note in running_boards(here)]
    if given.json:
        term.emit_json({"builds": builds, "last_error": failed, "boards": boards})
        return 0
    for number, build in enumerate(builds):
        first, *lines = status_in_words(build)
        term.line() if number else None
        term.heading(term.printable(first))
        for line in lines:
            term.line(term.printable(line))
    if not builds:
        term.line("no build runs")
    for board in boards:
        term.line(f"board: {board['url']}  process {board['process']}")
    if failed:
        _print_failure(failed)
    return 0


def _print_failure(view: View) -> None:
    failure = view["failure"]
    where = part_in_words(failure["stage"], failure["sliceno"])
    term.line()
    term.heading(f"last error: {view['label']}  {view['method']}, {term.moment(view['ended'])}")
    if failure["traceback"]:
        term.line(failure["traceback"].rstrip("\n"))
    term.line(f"failed in {where}: {term.printable(failure['message'])}")
