"""The board's server: where it listens, by which names it may be called, and how it ends."""

import asyncio
import platform
import secrets
import socket
import sys
from threading import Event, Thread
from types import FrameType
from typing import Any, Final

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from porcelain.board.app import make_app
from porcelain.board.guard import PARAMETER, Guard
from porcelain.board.opened import ShownProject
from porcelain.board.rendering import prepare
from porcelain.settings.board import Address, BoardSettings

_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})
_EVERYWHERE: Final = frozenset({"0.0.0.0", "::", ""})
# threads give the interpreter up so often: a page that waits for SQLite is back at once, though another thread adds up
_SWITCH_SECONDS: Final = 0.0005
# browsers open connections before they need them, and open others when these are gone
_ASKS_SECONDS: Final = 10.0


class _Impatient(H11Protocol):
    """A connection that ends when nothing whole is asked on it in time: each takes a descriptor, and these are few."""

    _seen: object = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Begin to wait for what is asked."""
        super().connection_made(transport)
        self.loop.call_later(_ASKS_SECONDS, self._look)

    def _look(self) -> None:
        """End it unless something has been asked since the last look, or is being answered."""
        if self.transport.is_closing():
            return
        cycle: Any = self.cycle  # None at first, whatever its type says
        answers = cycle is not None and not cycle.response_complete
        if cycle is self._seen and not answers:
            self.transport.close()
            return
        self._seen = cycle
        self.loop.call_later(_ASKS_SECONDS, self._look)


class _Server(uvicorn.Server):
    """A server that tells the pages that are followed when it is asked to end: they would else be cut off."""

    def __init__(self, settings: uvicorn.Config, ending: Event) -> None:
        super().__init__(settings)
        self._ending = ending

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._ending.set()
        super().handle_exit(sig, frame)


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
        ending = Event()
        app = Guard(make_app(project, ending), names=names, token=token, any_address=not is_local)
        host = platform.node() if address.host in _EVERYWHERE else address.host
        self.url = f"http://{f'[{host}]' if ':' in host else host}:{port}/" + (
            f"?{PARAMETER}={token}" if token else ""
        )
        self._listener = listener
        self._project = project
        settings = uvicorn.Config(
            app,
            http=_Impatient,
            ws="none",
            log_level="warning",
            access_log=False,
            lifespan="off",
            # a header by which anybody says that he is somebody else
            proxy_headers=False,
            timeout_graceful_shutdown=1,
        )
        self._server = _Server(settings, ending)

    def run(self) -> None:
        """Answer until SIGINT or SIGTERM comes, which is raised again then."""
        sys.setswitchinterval(_SWITCH_SECONDS)
        give_way = self._project.catalogue.precedence.give_way
        Thread(target=prepare, args=(give_way,), name="templates", daemon=True).start()
        self._server.run(sockets=[self._listener])
