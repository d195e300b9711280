"""`acc board`: the project in a browser."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from cas.errors import AccError
from porcelain import config, term
from porcelain.commandline.arguments import Parser
from porcelain.config import Config
from porcelain.settings.board import Address, BoardSettings, read_address
from porcelain.settings.place import Place
from porcelain.signals import Ended, ending_in_order
from porcelain.watching.boardnote import noted, running_boards


class BoardNotInstalled(AccError):
    """What the board needs is not there."""


class BoardRuns(AccError):
    """A board of the project that is there already."""


def board(arguments: Sequence[str]) -> int:
    """Show the project in a browser."""
    parser = Parser(
        "board",
        "show the project in a browser: results, jobs, datasets, builds as they run",
        prints="where to look, then nothing; it only reads, and ends with Ctrl-C. With --stop, which boards it has "
        "ended",
    )
    listen_help = "where; by default what acc.toml says, or localhost:8520. Port 0 is any that is free"
    parser.add_argument("-l", "--listen", metavar="HOST:PORT", help=listen_help)
    token_help = "want a token of who asks, as it does when it listens beyond this machine"
    parser.add_argument("--token", action="store_true", help=token_help)
    open_help = "open it in the browser; if it runs already, that is all"
    parser.add_argument("--open", action="store_true", help=open_help)
    stop_help = "end the boards of the project that run, also in the background"
    parser.add_argument("--stop", action="store_true", help=stop_help)
    given = parser.parse(arguments)
    here = config.here()
    if given.stop:
        if given.listen is not None or given.token or given.open:
            parser.error("--stop goes alone")
        return _stop(here)
    address = (
        read_address(Place(Path(), "--listen", typed=True), given.listen)
        if given.listen is not None
        else (here.board or BoardSettings()).listen
    )
    # port 0 is another one each time
    same = [str(address)] if address.port else []
    there = next(
        (note for note in running_boards(here) if given.listen is None or note.address in same), None
    )
    if there and given.open:
        _open(there.url)
        term.line(there.url)
    elif there:
        raise BoardRuns(
            f"the board of this project runs already: {there.url}  process {there.process}",
            hint="'acc board --stop' ends it, --listen HOST:PORT starts another one",
        )
    else:
        _run(here, address, needs_token=given.token, opens=given.open)
    return 0


def _run(here: Config, address: Address, *, needs_token: bool, opens: bool) -> None:
    try:
        from porcelain.board.listening import listening
        from porcelain.board.opened import ShownProject
        from porcelain.board.serving import BoardServer
    except ModuleNotFoundError as err:
        raise BoardNotInstalled(
            f"the board needs '{err.name}', which is not installed", hint="pip install 'acc[board]'"
        ) from err
    with ending_in_order(), listening(address) as listener, ShownProject(here) as project:
        server = BoardServer(project, listener, address, needs_token=needs_token)
        with noted(here, server.url, str(address)):
            term.line(server.url)
            term.flush()
            if opens:
                _open(server.url)
            # that is how a board is meant to end
            with suppress(Ended):
                server.run()


def _open(url: str) -> None:
    # here, not above: it is not asked for often
    import webbrowser
    from threading import Thread

    # a browser in the terminal stays until it is left
    Thread(target=webbrowser.open, args=(url,), daemon=True).start()


def _stop(here: Config) -> int:
    from porcelain.board.starting import stop

    boards = running_boards(here)
    for note in boards:
        stop(note)
        term.line(f"ended {note.url}  process {note.process}")
    if not boards:
        term.note("no board of this project runs")
    return 0
