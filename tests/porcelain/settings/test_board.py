"""`[board]` in acc.toml."""

from pathlib import Path

import pytest

from porcelain.settings.board import Address, BoardSettings, read_address, read_board
from porcelain.settings.place import ConfigError, Place

FILE = Path("/somewhere/acc.toml")


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("localhost:8520", ("localhost", 8520)),
        ("localhost", ("localhost", 8520)),
        ("0.0.0.0:80", ("0.0.0.0", 80)),
        (":9000", ("", 9000)),
        ("[::1]:0", ("::1", 0)),
        ("[::1]", ("::1", 8520)),
        ("board.example.org:443", ("board.example.org", 443)),
    ],
)
def test_an_address_is_a_host_and_a_port(text, address):
    assert read_address(Place(FILE, "board.listen"), text) == Address(*address)


@pytest.mark.parametrize(
    "value",
    ["", 8520, None, "localhost:port", "localhost:65536", "::1:80", "a b", "http://localhost", "[::1"],
)
def test_what_is_none_is_refused_with_an_example(value):
    with pytest.raises(ConfigError, match="a host and a port, such as"):
        read_address(Place(FILE, "board.listen"), value)


def test_an_address_reads_as_it_is_written():
    assert [str(Address("::1", 80)), str(Address("localhost", 1))] == ["[::1]:80", "localhost:1"]


def test_what_the_table_does_not_say_is_as_usual():
    assert read_board(FILE, {"autostart": True}) == BoardSettings(autostart=True)


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        ({"port": 80}, "unknown key 'board.port'"),
        ({"autostart": "yes"}, "'board.autostart' must be true or false"),
        ({"names": "host"}, "'board.names' must be a list of hosts"),
        ([], r"a table, \[board\]"),
    ],
)
def test_what_it_cannot_say_is_one_clear_line(said, complaint):
    with pytest.raises(ConfigError, match=complaint):
        read_board(FILE, said)
