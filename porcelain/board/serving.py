"""The board's server: where it listens, by which names it may be called, and how it ends."""

import os
import platform
import secrets
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

import uvicorn

from cas.errors import AccError
from porcelain.board.app import make_app
from porcelain.board.guard import PARAMETER, Guard
from porcelain.board.opened import ShownProject
from porcelain.settings.board import Address, BoardSettings

_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})
_EVERYWHERE: Final = frozenset({"0.0.0.0", "::", ""})
# threads give the interpreter up so often: a page that waits for SQLite is back at once, though another thread adds up
_SWITCH_SECONDS: Final = 0.0005


class CannotListen(AccError):
    """An address that the board cannot listen at."""


@contextmanager
def listening(address: Address) -> Iterator[socket.socket]:
    """Return a socket that listens at an address; raise `CannotListen` when that is not possible."""
    try:
        family, _, _, _, where = socket.getaddrinfo(
            address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        found = socket.create_server(where[:2], family=family)
    except OSError as err:
        raise CannotListen(
            f"cannot listen at '{address}': {(err.strerror or str(err)).lower()}",
            hint="'acc board --listen localhost:0' takes a port that is free",
        ) from err
    with found:
        yield found


class BoardServer:
    """The server of one project's board.

    Parameters
    ----------
    project
        Entered already.
    listener
        Listens already.
    address
        What the user called it.

    Attributes
    ----------
    url : str
        Where to look at it, with the token if it needs one.
    """

    def __init__(
        self, project: ShownProject, listener: socket.socket, address: Address, *, needs_token: bool = False
    ) -> None:
        port = listener.getsockname()[1]
        is_local = address.host in {name.strip("[]") for name in _LOOPBACK}
        token = secrets.token_urlsafe(24) if needs_token or not is_local else ""
        names = set(_LOOPBACK) | {name.lower() for name in (project.config.board or BoardSettings()).names}
        if not is_local:
            names |= {address.host.lower(), platform.node().lower()}
        app = Guard(make_app(project), names=names, token=token, any_address=not is_local)
        host = platform.node() if address.host in _EVERYWHERE else address.host
        self.url = f"http://{f'[{host}]' if ':' in host else host}:{port}/" + (
            f"?{PARAMETER}={token}" if token else ""
        )
        self._listener = listener
        self._server = uvicorn.Server(
            uvicorn.Config(
                app, log_level="warning", access_log=False, lifespan="off", timeout_graceful_shutdown=1
            )
        )

    def run(self) -> None:
        """Answer until SIGINT or SIGTERM comes."""
        sys.setswitchinterval(_SWITCH_SECONDS)
        # uvicorn hands the signal on when it has ended; that is how a board is meant to end
        with suppress(KeyboardInterrupt):
            self._server.run(sockets=[self._listener])


def stop(process: int) -> None:
    """Ask a board to end."""
    os.kill(process, signal.SIGTERM)
