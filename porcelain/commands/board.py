"""`acc board`: the project in a browser."""

from collections.abc import Sequence
from pathlib import Path

from cas.errors import AccError
from porcelain import config, term
from porcelain.commandline.arguments import Parser
from porcelain.settings.board import BoardSettings, read_address
from porcelain.settings.place import Place


class BoardNotInstalled(AccError):
    """What the board needs is not there."""


def board(arguments: Sequence[str]) -> int:
    """Show the project in a browser."""
    parser = Parser(
        "board",
        "show the project in a browser: results, jobs, datasets, builds as they run",
        prints="where to look, then nothing; it only reads, and ends with Ctrl-C",
    )
    listen_help = "where; by default what acc.toml says, or localhost:8520. Port 0 is any that is free"
    parser.add_argument("-l", "--listen", metavar="HOST:PORT", help=listen_help)
    token_help = "want a token of who asks, as it does when it listens beyond this machine"
    parser.add_argument("--token", action="store_true", help=token_help)
    given = parser.parse(arguments)
    here = config.here()
    address = (
        read_address(Place(Path(), "--listen", typed=True), given.listen)
        if given.listen is not None
        else (here.board or BoardSettings()).listen
    )
    try:
        from porcelain.board.opened import ShownProject
        from porcelain.board.serving import BoardServer, listening
    except ModuleNotFoundError as err:
        raise BoardNotInstalled(
            f"the board needs '{err.name}', which is not installed", hint="pip install 'acc[board]'"
        ) from err
    with listening(address) as listener, ShownProject(here) as project:
        server = BoardServer(project, listener, address, needs_token=given.token)
        term.line(server.url)
        term.flush()
        server.run()
    return 0
