"""Where the board listens."""

import errno
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from cas.errors import AccError
from porcelain.settings.board import Address

_HINTS: Final = {
    errno.EACCES: "ports below 1024 are for root; 'acc board --listen localhost:0' takes one that is free",
}


class CannotListen(AccError):
    """An address that the board cannot listen at.

    Attributes
    ----------
    taken : bool
        Something else listens there.
    """

    def __init__(self, address: Address, err: OSError) -> None:
        # what create_server adds to it repeats the address
        reason = err.strerror if isinstance(err, socket.gaierror) or not err.errno else os.strerror(err.errno)
        super().__init__(
            f"cannot listen at '{address}': {(reason or str(err)).lower()}",
            hint=_HINTS.get(err.errno or 0, "'acc board --listen localhost:0' takes a port that is free"),
        )
        self.taken = err.errno == errno.EADDRINUSE


@contextmanager
def listening(address: Address) -> Iterator[socket.socket]:
    """Return a socket that listens at an address; raise `CannotListen` when that is not possible."""
    try:
        family, _, _, _, where = socket.getaddrinfo(
            address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        found = socket.create_server(where[:2], family=family)
    except (OSError, UnicodeError) as err:
        # a name that no host can have is not even asked for
        raise CannotListen(
            address, err if isinstance(err, OSError) else OSError("that is no name of a host")
        ) from err
    with found:
        yield found
