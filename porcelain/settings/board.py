"""The board, as acc.toml has it: `[board]`."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from porcelain.settings.place import Place, Reader, check_known, flag, table

TABLE: Final = "board"
DEFAULT_PORT: Final = 8520
_MOST_PORT: Final = 65_535
# an IPv6 address stands in brackets, so that its colons are not the one before the port
_ADDRESS = re.compile(r"(?P<host>[^\[\]/@:\s]*|\[[0-9A-Fa-f:.]+\])(:(?P<port>[0-9]{1,5}))?")


class Address(NamedTuple):
    """A host and a port to listen at; port 0 is any that is free."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"


class BoardSettings(NamedTuple):
    """How the board of a project is shown.

    Attributes
    ----------
    listen
        Where; beyond loopback it wants a token.
    autostart
        `acc build` starts it when nothing listens there.
    names
        Further hosts by which browsers may call it, as a proxy before it does.
    """

    listen: Address = Address("localhost", DEFAULT_PORT)
    autostart: bool = False
    names: tuple[str, ...] = ()


def read_address(place: Place, value: object) -> Address:
    """Return a value that is where to listen, as "localhost:8520", ":8520", "[::1]:8520" or "localhost"."""
    match = _ADDRESS.fullmatch(value) if isinstance(value, str) and value else None
    port = int(match["port"] or DEFAULT_PORT) if match else 0
    if match is None or port > _MOST_PORT:
        raise place.error('a host and a port, such as "localhost:8520"', value)
    return Address(match["host"].strip("[]"), port)


def read_board(path: Path, value: object) -> BoardSettings:
    """Return what the table `[board]` of the `acc.toml` at `path` says."""
    place = Place(path, TABLE)
    given = table(place, value)
    check_known(place, given, _READERS)
    return BoardSettings(
        **{name: _READERS[name](place.within(name), found) for name, found in given.items()}  # type: ignore[arg-type]  # each reader has checked its value
    )


def _names(place: Place, value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(name, str) and name for name in value):
        raise place.error('a list of hosts, such as ["board.example.org"]', value)
    return tuple(value)


_READERS: Final[Mapping[str, Reader]] = {"listen": read_address, "autostart": flag, "names": _names}
